//! Words of a text, as Unicode sees them, and their stems.

use std::collections::HashSet;
use std::sync::OnceLock;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation as _;

/// The words of a text, as they are written, without what stands between them.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.unicode_words()
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
    fn stems_are_of_words_that_say_something() {
        let found: Vec<_> =
            stems("Hello! I'd like my refunds, the 20 refunded parcels are not here").collect();
        assert_eq!(found, ["refund", "refund", "parcel"]);
    }
}
