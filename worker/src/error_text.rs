//! What an error and its causes say, in one line.

use std::error::Error;
use std::fmt::Write as _;

/// The longest text that is kept of an error.
const LONGEST: usize = 2_000;

/// Each level that adds something, without control characters.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            let _ = write!(text, ": {said}");
        }
        next = cause.source();
    }
    shortened(&text)
}

/// `text` as a store keeps it: at most 2,000 characters, none of them a control character.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn every_level_is_said_once_and_zero_bytes_are_not_kept() {
        let error = Outer(std::io::Error::other("inner\0x"));
        assert_eq!(chain(&error), "outer: inner x");
        assert_eq!(shortened(&"x".repeat(5_000)).len(), LONGEST);
    }
}
