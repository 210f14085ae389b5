//! Commands that can be pasted into a shell.

use std::borrow::Cow;
use std::env;

/// `cci` with these arguments, quoted for a shell, and called as this process was: what is suggested works
/// where it is read, even if `cci` is not installed.
pub(crate) fn command<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let program = env::args_os().next().map(|name| name.to_string_lossy().into_owned());
    let program = program.unwrap_or_else(|| "cci".to_owned());
    arguments.into_iter().fold(quoted(&program).into_owned(), |line, word| format!("{line} {}", quoted(word)))
}

fn quoted(word: &str) -> Cow<'_, str> {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(is_safe) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''")).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("projects/p/locations/l/operations/1"), "projects/p/locations/l/operations/1");
        assert_eq!(quoted("$(rm) it's"), r"'$(rm) it'\''s'");
        assert_eq!(quoted(""), "''");
        assert!(command(["operations", "a b"]).ends_with(" operations 'a b'"));
    }
}
