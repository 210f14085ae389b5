//! The signals that end the waiting, and not what is waited for.

use crate::exit::Exit;

/// Returns when `cci` is asked to end: by Ctrl-C, and on Unix by SIGTERM and SIGHUP. A signal that was ignored from the
/// start stays so, as `nohup` wants it.
///
/// They are watched from this call on, not only from the first poll: none that comes between is lost. Cancel safe.
#[cfg(unix)]
pub(super) fn asked() -> impl Future<Output = Exit> {
    use std::future::poll_fn;
    use std::task::Poll;

    use tokio::signal::unix::{SignalKind, signal};

    let ignored = ignored();
    let kinds = [
        (SignalKind::interrupt(), Exit::Interrupted),
        (SignalKind::terminate(), Exit::Terminated),
        (SignalKind::hangup(), Exit::HungUp),
    ];
    let mut watched: Vec<_> = kinds
        .into_iter()
        .filter(|(kind, _)| !is_in(ignored, kind.as_raw_value()))
        .filter_map(|(kind, exit)| Some((signal(kind).ok()?, exit)))
        .collect();
    poll_fn(move |cx| {
        for (signal, exit) in &mut watched {
            if signal.poll_recv(cx).is_ready() {
                return Poll::Ready(*exit);
            }
        }
        Poll::Pending
    })
}

/// The mask of ignored signals, where the system shows it (Linux); else of none.
#[cfg(unix)]
fn ignored() -> u64 {
    mask_in(&std::fs::read_to_string("/proc/self/status").unwrap_or_default())
}

#[cfg(unix)]
fn mask_in(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(unix)]
fn is_in(mask: u64, signal: i32) -> bool {
    let bit = u32::try_from(signal).ok().and_then(|signal| signal.checked_sub(1));
    bit.and_then(|bit| mask.checked_shr(bit)).is_some_and(|shifted| shifted & 1 == 1)
}

#[cfg(not(unix))]
pub(super) async fn asked() -> Exit {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Exit::Interrupted,
        Err(_) => std::future::pending().await,
    }
}

/// Why the waiting ended.
pub(super) fn reason(exit: Exit) -> &'static str {
    match exit {
        Exit::Terminated => "terminated",
        Exit::HungUp => "the terminal is gone",
        _ => "interrupted",
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let mask = mask_in("Name:\tcci\nSigIgn:\t0000000000001001\nSigCgt:\t0\n");
        assert_eq!([1, 2, 13, 15].map(|signal| is_in(mask, signal)), [true, false, true, false]);
        assert!(!is_in(mask_in(""), 1) && !is_in(u64::MAX, 0) && !is_in(u64::MAX, 200));
    }
}
