//! What reaches the user: data on stdout, words on stderr, and how much the terminals there can show.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::sync::{Mutex, OnceLock, PoisonError};

use clap::ValueEnum;

use crate::escape;
use crate::exit::Exit;
use crate::failure::Failure;

/// Prints data. A reader that has left (`| head -1`) is not an error: it has what it wanted.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_while_read(text).map(|_| ())
}

type GetAside = Box<dyn Fn(&mut dyn FnMut()) + Send>;

static SHOWN: Mutex<Option<GetAside>> = Mutex::new(None);

/// What is on the terminal for now, such as a bar: until this is dropped, it gets out of the way of what is written.
#[derive(Debug)]
pub(crate) struct Shown(());

impl Shown {
    /// `aside` calls what it is given while nothing is in its way.
    pub(crate) fn new(aside: impl Fn(&mut dyn FnMut()) + Send + 'static) -> Self {
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(aside));
        Self(())
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Writes something, while nothing else is in its way. Within, nothing may be written by the functions of this module.
pub(crate) fn aside(mut write: impl FnMut()) {
    match &*SHOWN.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(aside) => aside(&mut write),
        None => write(),
    }
}

/// Prints data; whether there is still a reader.
pub(crate) fn print_while_read(text: &str) -> Result<bool, Failure> {
    if text.is_empty() {
        return Ok(true);
    }
    let mut written = Ok(());
    aside(|| {
        let mut stdout = io::stdout().lock();
        written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    });
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::because(Exit::Api, "cannot write the output", error)),
    }
}

/// Whether the reader of stdout has left, as far as that can be told without writing.
pub(crate) fn reader_has_left() -> bool {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        let stdout = io::stdout();
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let is_known = poll(&mut watched, Some(&at_once)).is_ok();
        let [stdout] = watched;
        is_known && stdout.revents().intersects(PollFlags::ERR | PollFlags::HUP)
    }
    #[cfg(not(unix))]
    false
}

/// Prints a message on stderr, without characters that a terminal would obey. If nobody reads it, there is no one to
/// tell.
pub(crate) fn eprint_line(message: impl fmt::Display) {
    let text = escape::lines(&message.to_string()).into_owned() + "\n";
    // In one go: lines of others do not come in between.
    aside(|| _ = io::stderr().lock().write_all(text.as_bytes()));
}

/// Whether a line on stderr can be written over, as progress is.
pub(crate) fn can_redraw() -> bool {
    Stderr::now().can_redraw()
}

/// Whether words on stderr can have colours.
pub(crate) fn has_colors() -> bool {
    Stderr::now().has_colors()
}

/// When words and tables have colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Also in a file or a pipe.
    Always,
    /// Nowhere.
    Never,
}

static COLOR: OnceLock<Color> = OnceLock::new();

/// Settles when there are colours, once.
pub(crate) fn set_color(color: Color) {
    let _ = COLOR.set(color);
}

/// Whether data on stdout is for a terminal that can be drawn over.
pub(crate) fn stdout_redraws() -> bool {
    Stderr::of(io::stdout().is_terminal()).can_redraw()
}

/// Whether data on stdout has colours.
pub(crate) fn stdout_has_colors() -> bool {
    Stderr::of(io::stdout().is_terminal()).has_colors()
}

/// The size of the terminal on stdout, columns and rows; else `COLUMNS` and `LINES`, as far as they are set.
pub(crate) fn size() -> (Option<usize>, Option<usize>) {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(io::stdout())
        && size.ws_col > 0
    {
        return (Some(size.ws_col.into()), Some(usize::from(size.ws_row)).filter(|rows| *rows > 0));
    }
    let number = |name| env::var(name).ok()?.parse().ok().filter(|number| *number > 0);
    (number("COLUMNS"), number("LINES"))
}

/// The terminal on stdout, drawn over from its upper left corner on a screen of its own: whatever its size becomes, no
/// line is left behind. Dropped, what was there before is there again.
#[derive(Debug)]
pub(crate) struct Screen(());

impl Screen {
    pub(crate) fn enter() -> Self {
        Self::write("\u{1b}[?1049h\u{1b}[?25l");
        Self(())
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> Option<usize> {
        let Self(()) = self;
        size().1
    }

    /// Shows this and nothing else.
    pub(crate) fn draw(&self, text: &str) {
        let Self(()) = self;
        // Each line is cleared behind its end, so that nothing flickers.
        Self::write(&format!("\u{1b}[H{}\u{1b}[J", text.replace('\n', "\u{1b}[K\r\n")));
    }

    /// A terminal that is gone needs no picture.
    fn write(text: &str) {
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        Self::write("\u{1b}[?25h\u{1b}[?1049l");
    }
}

/// Whether the locale has more than ASCII: the first of these that is set decides (POSIX). Where none is, as on Windows,
/// UTF-8 is the likelier.
pub(crate) fn is_utf8() -> bool {
    let set = |name: &&str| env::var(name).ok().filter(|value| !value.is_empty());
    says_utf8(["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).as_deref())
}

fn says_utf8(locale: Option<&str>) -> bool {
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// What is known of stderr, or of stdout.
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
        Self::of(io::stderr().is_terminal())
    }

    fn of(is_terminal: bool) -> Self {
        Self { is_terminal, kind: env::var_os("TERM"), no_color: env::var_os("NO_COLOR") }
    }

    fn can_redraw(&self) -> bool {
        self.is_terminal && self.kind.as_ref().is_none_or(|kind| kind != "dumb")
    }

    fn has_colors(&self) -> bool {
        match COLOR.get().copied().unwrap_or_default() {
            Color::Auto => self.may_have_colors(),
            Color::Always => true,
            Color::Never => false,
        }
    }

    fn may_have_colors(&self) -> bool {
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
            assert_eq!((stderr.can_redraw(), stderr.may_have_colors()), expected, "{stderr:?}");
        }
    }

    #[test]
    fn what_is_shown_for_now_gets_out_of_the_way_of_lines() {
        let (tell, told) = std::sync::mpsc::channel();
        let shown = Shown::new(move |write| {
            tell.send("hidden").unwrap();
            write();
            tell.send("shown").unwrap();
        });
        eprint_line("a line");
        drop(shown);
        let told: Vec<_> = told.iter().collect();
        assert!(told.starts_with(&["hidden", "shown"]), "{told:?}");
    }

    #[test]
    fn a_locale_without_utf8_gets_ascii() {
        for (locale, expected) in [
            (None, true),
            (Some("C.UTF-8"), true),
            (Some("de_DE.utf8"), true),
            (Some("C"), false),
            (Some("POSIX"), false),
            (Some("de_DE@euro"), false),
        ] {
            assert_eq!(says_utf8(locale), expected, "{locale:?}");
        }
    }
}
