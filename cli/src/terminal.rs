//! What reaches the user: data on stdout, words on stderr, and how much the terminal there can show.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use crate::escape;
use crate::exit::Exit;
use crate::failure::Failure;

/// Prints data. A reader that has left (`| head -1`) is not an error: it has what it wanted.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::because(Exit::Api, "cannot write the output", error))
        }
        _ => Ok(()),
    }
}

/// Prints a message on stderr, without characters that a terminal would obey. If nobody reads it, there is no one to
/// tell.
pub(crate) fn eprint_line(message: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{}", escape::lines(&message.to_string()));
}

/// Whether a line on stderr can be written over, as progress is.
pub(crate) fn can_redraw() -> bool {
    Stderr::now().can_redraw()
}

/// Whether words on stderr can have colours.
pub(crate) fn has_colors() -> bool {
    Stderr::now().has_colors()
}

/// What is known of stderr.
#[derive(Debug)]
struct Stderr {
    is_terminal: bool,
    /// `TERM`
    kind: Option<OsString>,
    /// `NO_COLOR`, see <https://no-color.org>.
    no_color: Option<OsString>,
}

impl Stderr {
    fn now() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            kind: env::var_os("TERM"),
            no_color: env::var_os("NO_COLOR"),
        }
    }

    fn can_redraw(&self) -> bool {
        self.is_terminal && self.kind.as_ref().is_none_or(|kind| kind != "dumb")
    }

    fn has_colors(&self) -> bool {
        self.can_redraw() && self.no_color.as_ref().is_none_or(|value| value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_capable_terminal_gets_more_than_text() {
        let cases = [
            (true, Some("xterm"), None, (true, true)),
            (true, None, Some(""), (true, true)),
            (true, Some("xterm"), Some("1"), (true, false)),
            (true, Some("dumb"), None, (false, false)),
            (false, Some("xterm"), None, (false, false)),
        ];
        for (is_terminal, kind, no_color, expected) in cases {
            let stderr =
                Stderr { is_terminal, kind: kind.map(Into::into), no_color: no_color.map(Into::into) };
            assert_eq!((stderr.can_redraw(), stderr.has_colors()), expected, "{stderr:?}");
        }
    }
}
