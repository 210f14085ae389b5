//! The signals that reach `cci emulator`: they end it, or are passed on to the command that it runs.

use std::io;

use crate::exit::Exit;
use crate::failure::Failure;

/// Watches from now on.
pub(super) fn watch() -> Result<Signals, Failure> {
    Signals::new().map_err(|error| Failure::because(Exit::Api, "cannot watch for signals", error))
}

/// Those that are watched for.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Signals(Vec<(rustix::process::Signal, tokio::signal::unix::Signal)>);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use rustix::process::Signal;

        let watched = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];
        let watch = |signal: Signal| {
            let kind = tokio::signal::unix::SignalKind::from_raw(signal.as_raw());
            Ok((signal, tokio::signal::unix::signal(kind)?))
        };
        watched.into_iter().map(watch).collect::<io::Result<_>>().map(Self)
    }

    /// The next signal, whichever it is.
    pub(super) async fn next(&mut self) -> rustix::process::Signal {
        std::future::poll_fn(|cx| {
            for (signal, watched) in &mut self.0 {
                if watched.poll_recv(cx).is_ready() {
                    return std::task::Poll::Ready(*signal);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }

    /// Until one comes that ends a server well.
    pub(super) async fn next_end(&mut self) {
        use rustix::process::Signal;

        while !matches!(self.next().await, Signal::INT | Signal::TERM | Signal::HUP | Signal::QUIT) {}
    }
}

#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next_end(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
