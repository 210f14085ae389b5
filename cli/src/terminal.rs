//! What reaches the user: data on stdout, words on stderr, and commands that can be pasted into a shell.

use std::borrow::Cow;
use std::env;
use std::fmt;
use std::io::{self, ErrorKind, Write as _};

use crate::exit::Exit;
use crate::failure::Failure;

/// Prints data. A reader that has left (`| head -1`) is no error: it has what it wanted.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::because(Exit::Api, "cannot write the output", error))
        }
        _ => Ok(()),
    }
}

/// Says a line on stderr. If nobody listens there, there is no one to tell.
pub(crate) fn say(line: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// The text on one line, without the control characters that a terminal would obey: servers are not to move
/// the cursor.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").into()
    } else {
        text.into()
    }
}

/// `cci` with these arguments, quoted for a shell, and called as this process was: what is suggested works
/// where it is read, even if `cci` is not installed.
pub(crate) fn command<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let program = env::args_os().next().map(|name| name.to_string_lossy().into_owned());
    let program = program.unwrap_or_else(|| "cci".to_owned());
    arguments.into_iter().fold(quoted(&program).into_owned(), |line, word| line + " " + &quoted(word))
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
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(plain("in\u{1b}[31m red\r\n"), "in [31m red");
        assert_eq!(plain("größer"), "größer");
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("projects/p/locations/l/operations/1"), "projects/p/locations/l/operations/1");
        assert_eq!(quoted("$(rm) it's"), r"'$(rm) it'\''s'");
        assert_eq!(quoted(""), "''");
        assert!(command(["operations", "a b"]).ends_with(" operations 'a b'"));
    }
}
