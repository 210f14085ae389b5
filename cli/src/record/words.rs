//! Neutral words in the place of people's own: as long, with the same capitals, digits and punctuation, and the same
//! word for the same word.

use std::collections::HashMap;

const CONSONANTS: &[u8] = b"bdfgklmnprstvz";
const VOWELS: &[u8] = b"aeiou";
/// What says only of which kind a file is, and is kept.
const ENDINGS: [&str; 10] = ["json", "jsonl", "ndjson", "csv", "txt", "wav", "mp3", "flac", "ogg", "zip"];

/// The words given out so far. Which word stands for which follows from the order in which they came, so that nothing
/// can be computed back.
#[derive(Debug, Default)]
pub(super) struct Words {
    given: HashMap<String, String>,
    /// How many of each length; those of digits are counted on their own.
    counts: HashMap<(usize, bool), usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letters,
    Digits,
    Other,
}

fn kind(character: char) -> Kind {
    if character.is_numeric() {
        Kind::Digits
    } else if character.is_alphabetic() {
        Kind::Letters
    } else {
        Kind::Other
    }
}

impl Words {
    /// The text with other words in it.
    pub(super) fn text(&mut self, text: &str) -> String {
        let mut neutral = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let of = kind(first);
            let end = rest.find(|character| kind(character) != of).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            match of {
                Kind::Other => neutral.push_str(run),
                Kind::Letters => neutral.push_str(&self.word(run)),
                Kind::Digits => neutral.push_str(&self.of(run, true)),
            }
            rest = after;
        }
        neutral
    }

    /// A URI such as `gs://bucket/object.json`: the scheme and the kind of file stay.
    pub(super) fn uri(&mut self, uri: &str) -> Option<String> {
        let (scheme, rest) = uri.split_once("://").filter(|(scheme, _)| is_scheme(scheme))?;
        let kept = rest.rsplit_once('.').filter(|(_, ending)| ENDINGS.contains(ending));
        Some(match kept {
            Some((before, ending)) => format!("{scheme}://{}.{ending}", self.text(before)),
            None => format!("{scheme}://{}", self.text(rest)),
        })
    }

    /// Letters, with their capitals.
    fn word(&mut self, run: &str) -> String {
        let lower: String = run.chars().filter_map(|character| character.to_lowercase().next()).collect();
        let base = self.of(&lower, false);
        let cased = base
            .chars()
            .zip(run.chars())
            .map(|(new, old)| if old.is_uppercase() { new.to_ascii_uppercase() } else { new });
        cased.collect()
    }

    fn of(&mut self, run: &str, is_digits: bool) -> String {
        if let Some(given) = self.given.get(run) {
            return given.clone();
        }
        let length = run.chars().count();
        let count = self.counts.entry((length, is_digits)).or_default();
        let made = if is_digits { digits(*count, length) } else { letters(*count, length) };
        *count = count.saturating_add(1);
        self.given.insert(run.to_owned(), made.clone());
        made
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// The word of this number: syllables, which count from their end. There are only so many of a length; then they come
/// round.
fn letters(mut number: usize, length: usize) -> String {
    let mut made: Vec<u8> = Vec::with_capacity(length);
    for place in (0..length).rev() {
        // A word of one letter can be any of them.
        let alphabet: &[u8] = match place % 2 {
            _ if length == 1 => b"abcdefghijklmnopqrstuvwxyz",
            0 => CONSONANTS,
            _ => VOWELS,
        };
        made.extend(alphabet.get(number % alphabet.len()));
        number /= alphabet.len();
    }
    made.iter().rev().map(|byte| char::from(*byte)).collect()
}

/// The number of this number, with so many digits, of which the first is not zero.
fn digits(mut number: usize, length: usize) -> String {
    let mut made: Vec<_> = Vec::with_capacity(length);
    for place in (0..length).rev() {
        let (first, count) = if place == 0 { (1, 9) } else { (0, 10) };
        made.push(
            char::from_digit(u32::try_from(number % count + first).unwrap_or_default(), 10).unwrap_or('0'),
        );
        number /= count;
    }
    made.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_stays_and_the_same_word_is_the_same() {
        let mut words = Words::default();
        let neutral = words.text("Hello, I'm Alice; HELLO  again -- order 5501, not 5502!");
        assert_eq!(neutral, "Babab, A'b Babad; BABAB  babaf -- babag 1000, bab 1001!");
        assert_eq!(words.text("alice,"), "babad,");
        let shape = |text: &str| text.chars().map(|c| (kind(c) as u8, c.is_uppercase())).collect::<Vec<_>>();
        let original = "Ärger über größere Beträge — 12,50 €";
        assert_eq!(shape(&Words::default().text(original)), shape(original));
        assert_eq!(words.text(""), "");
    }

    #[test]
    fn words_differ_as_long_as_there_are_enough() {
        for length in 1..5 {
            let made: std::collections::HashSet<String> =
                (0..26).map(|number| letters(number, length)).collect();
            assert_eq!(made.len(), 26, "{length}");
        }
        let made: std::collections::HashSet<String> = (0..900).map(|number| digits(number, 3)).collect();
        assert_eq!(made.len(), 900);
        assert_eq!(digits(9, 1), "1", "they come round");
    }

    #[test]
    fn uris_keep_scheme_and_kind() {
        let mut words = Words::default();
        assert_eq!(words.uri("gs://acme-calls/2026/alice.json").unwrap(), "gs://baba-babab/1000/babad.json");
        assert_eq!(words.uri("gs://acme-calls/x.secret").unwrap(), "gs://baba-babab/a.bababa");
        assert_eq!(words.uri("see acme://x"), None);
        assert_eq!(words.uri("plain"), None);
    }
}
