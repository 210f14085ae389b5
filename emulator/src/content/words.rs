//! Words of a text, as Unicode sees them, and their stems.

use std::collections::HashSet;
use std::sync::OnceLock;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation as _;

/// What annotators look at of one text: nobody says more at a time, and what they find is bounded by it.
const MAX_CHARS: usize = 10_000;

/// As much of a text as annotators look at.
pub(crate) fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// The words of a text, as they are written, without what stands between them.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.unicode_words()
}

/// The words of a text as transcripts list them: what stands between spaces, with its punctuation.
pub(crate) fn between_spaces(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

/// The place among the words between spaces of the one that is at this byte.
pub(crate) fn place(text: &str, byte: usize) -> usize {
    let before = text.get(..byte).unwrap_or(text);
    let whole = before.split_whitespace().count();
    // One that has begun before is the one that the byte is in.
    if before.ends_with(|last: char| !last.is_whitespace()) { whole.saturating_sub(1) } else { whole }
}

/// The same for the words from `start` to before `end`, as Unicode sees them.
pub(crate) fn places(text: &str, start: usize, end: usize) -> (usize, usize) {
    let at = |word: usize| text.unicode_word_indices().nth(word).map(|(byte, _)| place(text, byte));
    let first = at(start).unwrap_or_default();
    let after = end.checked_sub(1).and_then(at).map_or(first, |last| last + 1);
    (first, after)
}

/// The stems of the words that say something: in lower case, without stop words, numbers and single letters. English,
/// as is the language that the service takes unless told otherwise.
pub(crate) fn stems(text: &str) -> impl Iterator<Item = String> {
    stemmed(text).map(|(stem, _)| stem)
}

/// The same, each with its word in lower case.
pub(crate) fn stemmed(text: &str) -> impl Iterator<Item = (String, String)> {
    static STEMMER: OnceLock<Stemmer> = OnceLock::new();
    let stemmer = STEMMER.get_or_init(|| Stemmer::create(Algorithm::English));
    words(text).filter_map(move |word| {
        let word = word.to_lowercase().replace('\u{2019}', "'");
        let speaks = word.chars().count() > 2
            && word.chars().all(|c| c.is_alphabetic() || c == '\'')
            && !stop_words().contains(word.as_str());
        speaks.then(|| (stemmer.stem(&word).into_owned(), word))
    })
}

fn stop_words() -> &'static HashSet<&'static str> {
    /// Said in every call, and about nothing.
    const SMALL_TALK: [&str; 23] = [
        "agent", "bye", "call", "calling", "customer", "day", "get", "goodbye", "hello", "help", "like",
        "need", "okay", "please", "speak", "speaking", "sure", "thank", "thanks", "today", "want", "would",
        "yes",
    ];
    static WORDS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let listed = stop_words::lookup("en").unwrap_or_default().iter().copied();
        listed.chain(SMALL_TALK).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_unicode() {
        let found: Vec<_> = words("Hello, it's №5 — naïve résumé (3.5 €)!").collect();
        assert_eq!(found, ["Hello", "it's", "5", "naïve", "résumé", "3.5"]);
    }

    #[test]
    fn places_are_those_between_spaces() {
        let text = " Thank-you,  the PHONE (№5) is… broken";
        let listed: Vec<_> = between_spaces(text).collect();
        assert_eq!(listed, ["Thank-you,", "the", "PHONE", "(№5)", "is…", "broken"]);
        // Thank, you, the, PHONE, 5, is, broken
        assert_eq!(words(text).count(), 7);
        assert_eq!((places(text, 0, 2), places(text, 1, 3), places(text, 3, 4)), ((0, 1), (0, 2), (2, 3)));
        assert_eq!((places(text, 4, 7), places(text, 0, 7)), ((3, 6), (0, listed.len())));
        assert_eq!((places("", 0, 0), places(text, 9, 9)), ((0, 0), (0, 0)));
        assert_eq!((place(text, 1), place(text, 5), place(text, 13)), (0, 0, 1));
    }

    #[test]
    fn stems_are_of_words_that_say_something() {
        let found: Vec<_> =
            stems("Hello! I'd like my refunds, the 20 refunded parcels are not here").collect();
        assert_eq!(found, ["refund", "refund", "parcel"]);
    }
}
