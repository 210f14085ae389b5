//! How often a connection is pinged: by its host, as the caller says, and less often after a server has complained.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::transport::endpoint::DEFAULT_UNIVERSE;

/// Towards Google's front ends, which answer more frequent pings with GOAWAY.
const INTERVAL_AT_GOOGLE: Duration = Duration::from_mins(1);
/// gRPC's own servers allow no more pings while they have nothing to say, unless they are told to (gRFC A8).
pub(super) const INTERVAL_ELSEWHERE: Duration = Duration::from_mins(5);

/// Between pings while calls are in flight, where the caller sets nothing: `host` is Google's if it is in `universe`, or in
/// Google's own.
pub(in crate::transport) fn default_interval(host: &str, universe: &str) -> Duration {
    let host = host.to_ascii_lowercase();
    let is_within = |domain: &str| host.strip_suffix(domain).is_some_and(|name| name.ends_with('.'));
    if is_within(DEFAULT_UNIVERSE) || is_within(universe) { INTERVAL_AT_GOOGLE } else { INTERVAL_ELSEWHERE }
}

/// The interval that a pool's next connection starts with, in milliseconds.
#[derive(Debug)]
pub(super) struct Interval(AtomicU64);

impl Interval {
    pub(super) fn new(interval: Duration) -> Self {
        // A ping without a pause would be a busy loop.
        Self(AtomicU64::new(millis(interval).max(1)))
    }

    pub(super) fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Acquire))
    }

    /// `used` was too short. Connections that end for the same interval lengthen it once.
    pub(super) fn double(&self, used: Duration) {
        self.0.fetch_max(millis(used).saturating_mul(2), Ordering::AcqRel);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_is_pinged_each_minute_and_others_each_five() {
        for (host, universe, minutes) in [
            ("contactcenterinsights.googleapis.com", "googleapis.com", 1),
            ("europe-west1-contactcenterinsights.GoogleAPIs.com", "googleapis.com", 1),
            ("contactcenterinsights.mtls.googleapis.com", "googleapis.com", 1),
            ("contactcenterinsights.example.cloud", "example.cloud", 1),
            ("contactcenterinsights.googleapis.com", "example.cloud", 1),
            ("contactcenterinsights.example.cloud", "googleapis.com", 5),
            ("evilgoogleapis.com", "googleapis.com", 5),
            ("googleapis.com.example.org", "googleapis.com", 5),
            ("localhost", "googleapis.com", 5),
            ("127.0.0.1", "googleapis.com", 5),
        ] {
            assert_eq!(default_interval(host, universe), Duration::from_mins(minutes), "{host}");
        }
    }

    #[test]
    fn the_interval_is_doubled_once_for_all_connections_that_used_it() {
        let interval = Interval::new(Duration::from_mins(1));
        for _ in 0..8 {
            interval.double(Duration::from_mins(1));
        }
        assert_eq!(interval.get(), Duration::from_mins(2));
        interval.double(Duration::from_mins(2));
        assert_eq!(interval.get(), Duration::from_mins(4));
        interval.double(Duration::MAX);
        assert_eq!(interval.get(), Duration::from_millis(u64::MAX), "as far as it goes");
        assert_eq!(Interval::new(Duration::ZERO).get(), Duration::from_millis(1));
    }
}
