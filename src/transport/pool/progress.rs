//! How far a request has come: what an attempt says of itself when its time is over.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::Fault;

/// How far a request has come, and how long it waited for a place on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) stage: Stage,
    /// For a connection to open, or for a place on one. To the millisecond.
    pub(crate) waited: Duration,
}

impl Progress {
    /// What is to be said of a request that got no whole reply within `after`, and what that tells.
    pub(crate) fn at_the_deadline(self, after: Duration) -> (String, Fault) {
        let waited = self.waited;
        match self.stage {
            // Of which it is worth to know why so little was left.
            Stage::Sent if waited.saturating_mul(10) >= after && !waited.is_zero() => (
                format!(
                    "no whole reply within {after:.1?}, of which {waited:.1?} passed before the request had a place on a \
                     connection"
                ),
                Fault::DEADLINE,
            ),
            Stage::Sent => (format!("no whole reply within {after:.1?}"), Fault::DEADLINE),
            Stage::Queued { connections } => {
                let connections = match connections {
                    1 => "the only connection carries".to_owned(),
                    many => format!("all {many} connections carry"),
                };
                let message = format!(
                    "waited {waited:.1?} in the client's own queue, and nothing was sent: {connections} as many calls as \
                     allowed; make fewer calls at once, or raise `TransportBuilder::with_max_connections` or \
                     `with_max_streams`"
                );
                (message, Fault::UNSENT_IN_TIME)
            }
            Stage::Connecting | Stage::Unready => (
                format!("neither token nor connection within {after:.1?}: nothing was sent"),
                Fault::UNSENT_IN_TIME,
            ),
        }
    }
}

/// Where a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for an access token, or has not been looked at.
    #[default]
    Unready,
    /// It waits for the first connection to open.
    Connecting,
    /// It waits for a place: so many connections are open, and each carries as many calls as it may.
    Queued { connections: usize },
    /// A connection has taken it, or a service of the caller's, of which nobody knows: it may have left.
    Sent,
}

impl Stage {
    /// Whether the request may have left.
    pub(crate) fn is_sent(self) -> bool {
        self == Self::Sent
    }
}

/// Keeps the progress of a request, and the number of its token, where they can be read after its future is gone.
#[derive(Debug, Default)]
pub(crate) struct ProgressCell {
    packed: AtomicU64,
    /// One more than the number; 0 if there is none.
    token: AtomicU64,
}

const CONNECTING: u64 = 1;
const SENT: u64 = 2;
const QUEUED: u64 = 3;
/// The lowest 16 bits are the stage: `QUEUED` and what is above it count connections. Above them are milliseconds.
const STAGE_BITS: u32 = 16;
const STAGE_MASK: u64 = (1 << STAGE_BITS) - 1;

impl ProgressCell {
    pub(crate) fn set(&self, progress: Progress) {
        let stage = match progress.stage {
            Stage::Unready => 0,
            Stage::Connecting => CONNECTING,
            Stage::Sent => SENT,
            Stage::Queued { connections } => {
                u64::try_from(connections).unwrap_or(u64::MAX).min(STAGE_MASK - QUEUED) + QUEUED
            }
        };
        let millis = u64::try_from(progress.waited.as_millis()).unwrap_or(u64::MAX);
        self.packed.store(millis.min(u64::MAX >> STAGE_BITS) << STAGE_BITS | stage, Ordering::Relaxed);
    }

    pub(crate) fn set_token(&self, generation: Option<u64>) {
        self.token.store(generation.map_or(0, |number| number.saturating_add(1)), Ordering::Relaxed);
    }

    pub(crate) fn token(&self) -> Option<u64> {
        self.token.load(Ordering::Relaxed).checked_sub(1)
    }

    pub(crate) fn get(&self) -> Progress {
        let packed = self.packed.load(Ordering::Relaxed);
        let stage = match packed & STAGE_MASK {
            0 => Stage::Unready,
            CONNECTING => Stage::Connecting,
            SENT => Stage::Sent,
            queued => {
                let connections = queued.saturating_sub(QUEUED);
                Stage::Queued { connections: usize::try_from(connections).unwrap_or(usize::MAX) }
            }
        };
        Progress { stage, waited: Duration::from_millis(packed >> STAGE_BITS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_was_put_in() {
        let cell = ProgressCell::default();
        assert_eq!((cell.get(), cell.token()), (Progress::default(), None));
        for number in [0, 1, u64::MAX - 1] {
            cell.set_token(Some(number));
            assert_eq!(cell.token(), Some(number));
        }
        let stages = [Stage::Unready, Stage::Connecting, Stage::Sent, Stage::Queued { connections: 0 }];
        for stage in stages.into_iter().chain([1, 8, 65_532].map(|connections| Stage::Queued { connections }))
        {
            for waited in [0, 1, 60_000, (1 << 48) - 1].map(Duration::from_millis) {
                cell.set(Progress { stage, waited });
                assert_eq!(cell.get(), Progress { stage, waited });
            }
        }
        cell.set(Progress { stage: Stage::Queued { connections: usize::MAX }, waited: Duration::MAX });
        assert_eq!(cell.get().stage, Stage::Queued { connections: 65_532 });
        assert_eq!(cell.get().waited, Duration::from_millis((1 << 48) - 1));
    }
}
