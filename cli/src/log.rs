//! The log on stderr, as `RUST_LOG` asks for it.

use std::env;
use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

use crate::escape;
use crate::terminal::has_colors;

/// Logs what `RUST_LOG` asks for, else what passes `default`, else nothing.
pub(crate) fn start(default: Option<&str>) {
    let asked = env::var_os(EnvFilter::DEFAULT_ENV).map(|_| EnvFilter::from_default_env());
    let Some(filter) = asked.or_else(|| default.map(EnvFilter::new)) else { return };
    let has_colors = has_colors();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(has_colors)
        .with_writer(move || Escaping { inner: io::stderr(), has_colors })
        .init();
}

/// Escapes what a terminal would obey: events repeat the words of servers. They come a whole event at a time.
struct Escaping<W> {
    inner: W,
    has_colors: bool,
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        if self.has_colors {
            // The escape character itself is escaped by the formatter, where it is not its own.
            self.inner.write_all(escape::colored_lines(&text).as_bytes())?;
        } else {
            self.inner.write_all(escape::lines(&text).as_bytes())?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_escaped() {
        for (has_colors, written) in
            [(false, "\\u001b[2m \\u202eöno\\u0007\n"), (true, "\u{1b}[2m \\u202eöno\\u0007\n")]
        {
            let mut log = Escaping { inner: Vec::new(), has_colors };
            log.write_all("\u{1b}[2m \u{202e}öno\u{7}\n".as_bytes()).unwrap();
            assert_eq!(String::from_utf8(log.inner).unwrap(), written);
        }
    }
}
