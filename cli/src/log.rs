//! The log on stderr: as `RUST_LOG` asks for it, and a line a call as `-v` does; and what is told of waiting.

mod calls;
mod outages;

use std::env;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU8, Ordering};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

pub(crate) use self::outages::FailedPolls;
use crate::escape;
use crate::terminal::{aside, has_colors};

/// How much `-v` asks for: calls; with headers.
static VERBOSE: AtomicU8 = AtomicU8::new(0);
const HEADERS: u8 = 2;

/// Where the library's events of calls and of waiting come from.
const TARGET: &str = "contact_center_insights::call";

/// Logs what `RUST_LOG` asks for, else what passes `default`, else nothing; and the calls, if `-v` asks for them.
pub(crate) fn start(default: Option<&str>, verbose: u8) {
    VERBOSE.store(verbose, Ordering::Relaxed);
    let asked = env::var_os(EnvFilter::DEFAULT_ENV).map(|_| EnvFilter::from_default_env());
    let filter = asked.or_else(|| default.map(EnvFilter::new));
    if filter.is_none() && verbose == 0 {
        return;
    }
    let has_colors = has_colors();
    let log = filter.map(|filter| {
        let writer = move || Escaping { inner: io::stderr(), has_colors };
        fmt::layer().with_ansi(has_colors).with_writer(writer).with_filter(filter)
    });
    let calls = (verbose > 0).then(calls::layer);
    tracing_subscriber::registry().with(log).with(calls).with(outages::layer()).init();
}

/// The polls that fail from now on.
pub(crate) fn failed_polls() -> FailedPolls {
    // There is a log already, if one was asked for.
    let _ = tracing_subscriber::registry().with(outages::layer()).try_init();
    FailedPolls::listen()
}

/// Whether `-vv` asks for the headers of calls.
pub(crate) fn shows_headers() -> bool {
    VERBOSE.load(Ordering::Relaxed) >= HEADERS
}

/// Escapes what a terminal would obey: events repeat the words of servers. They come a whole event at a time.
struct Escaping<W> {
    inner: W,
    has_colors: bool,
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = if self.has_colors {
            // The escape character itself is escaped by the formatter, where it is not its own.
            escape::colored_lines(&text).into()
        } else {
            escape::lines(&text)
        };
        let mut written = Ok(());
        aside(|| written = self.inner.write_all(text.as_bytes()));
        written.map(|()| event.len())
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
