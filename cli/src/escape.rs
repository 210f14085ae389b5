//! Text from servers and users made safe to show: nothing in it moves the cursor, hides or reorders other text, or
//! fills the screen.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether the character does something other than being seen: control characters (C0, DEL, C1), the controls of
/// Unicode's bidirectional algorithm (UAX #9) with the deprecated ones beside them, and line separators.
pub(crate) fn is_unsafe(c: char) -> bool {
    let is_bidirectional = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
    );
    c.is_control() || is_bidirectional
}

/// The text on one line: line breaks and tabs become spaces, other unsafe characters escapes such as `\u202e`.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return text.into();
    }
    let is_space = |c: char| c.is_whitespace() && is_unsafe(c);
    let words = text.split(is_space).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    escaped(&words, is_unsafe).into()
}

/// As [`line()`], but at most so many characters long, and how many were left out.
pub(crate) fn line_within(text: &str, most: usize) -> String {
    let text = line(text);
    let Some((end, _)) = text.char_indices().nth(most) else { return text.into_owned() };
    let (kept, rest) = text.split_at(end);
    let count = rest.chars().count();
    format!("{kept}… ({})", counted(count, "more character", "more characters"))
}

/// The text with its lines and tabs as they are. Within JSON the escapes are those of JSON, so that the document stays
/// the same.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| is_unsafe(c) && c != '\n' && c != '\t';
    if text.contains(is_escaped) { escaped(text, is_escaped).into() } else { text.into() }
}

/// The same for text that is coloured already, by one who escapes what is not his own.
pub(crate) fn colored_lines(text: &str) -> String {
    escaped(text, |c| is_unsafe(c) && !matches!(c, '\n' | '\t' | '\u{1b}'))
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, c| {
        if is_escaped(c) {
            // Writing to a string does not fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
        safe
    })
}

/// `1 object`, `2 objects`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(line("in\u{1b}[31m red\r\n"), "in\\u001b[31m red");
        assert_eq!(line("a\u{202e}b\u{2066}c\u{9b}d\u{7f}\0"), "a\\u202eb\\u2066c\\u009bd\\u007f\\u0000");
        assert_eq!(line("one\u{2028}two\u{85}three"), "one two three");
        assert_eq!(lines("a\n\tb\u{200f}\r"), "a\n\tb\\u200f\\u000d");
        assert_eq!(colored_lines("\u{1b}[32m DEBUG\u{202e}\u{7}\n"), "\u{1b}[32m DEBUG\\u202e\\u0007\n");
        for harmless in ["größer", "שלום", "👩‍🚀", "日本"] {
            assert_eq!((line(harmless), lines(harmless)), (harmless.into(), harmless.into()));
        }
    }

    #[test]
    fn json_stays_the_same_document() {
        let document = serde_json::json!({ "a\u{202e}": "\u{7f}\u{9b}\u{2029}x\n\u{1b}" });
        let text = serde_json::to_string_pretty(&document).unwrap();
        let safe = lines(&text);
        assert!(!safe.contains(|c| is_unsafe(c) && c != '\n'), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), document);
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(line_within("größer", 6), "größer");
        assert_eq!(line_within("größer", 5), "größe… (1 more character)");
        assert_eq!(line_within("größer\u{7}", 2), "gr… (10 more characters)");
    }
}
