//! The emulator's clock: the system's, or one that tests move by hand.

use std::fmt::Debug;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost_types::Timestamp;

use crate::time;

/// Where the emulator reads the time: for timestamps, and for profiles of the form `time:D`.
pub trait Clock: Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> SystemTime;

    /// The clock as one that can be moved from outside, if it is such: the admin API moves it.
    fn as_manual(&self) -> Option<&ManualClock> {
        None
    }
}

/// The clock of the machine; the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is told otherwise, so that an hour of training takes no time in a test.
///
/// Clones share their time: keep one, and give the other to the emulator.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use contact_center_insights_emulator::{Clock, ManualClock};
///
/// let clock = ManualClock::new(UNIX_EPOCH);
/// let given_away = clock.clone();
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(given_away.now(), UNIX_EPOCH + Duration::from_secs(90));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<SystemTime>>);

impl ManualClock {
    /// A clock that shows `start`, or what is nearest to it in the years 1 to 9999, which are all that a `Timestamp` has.
    #[must_use]
    pub fn new(start: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(time::bounded(start))))
    }

    /// Sets the clock, backwards too: an operation never gets younger than its start. The years are 1 to 9999.
    pub fn set(&self, now: SystemTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time::bounded(now);
    }

    /// Moves the clock on. A time after the year 9999 leaves it where it was.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = time::later(*now, by).unwrap_or(*now);
    }
}

/// Starts at 2026-01-01T00:00:00Z.
impl Default for ManualClock {
    fn default() -> Self {
        Self::new(UNIX_EPOCH.checked_add(Duration::from_hours(490_896)).unwrap_or(UNIX_EPOCH))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn as_manual(&self) -> Option<&ManualClock> {
        Some(self)
    }
}

/// What a clock shows, as a `Timestamp` can have it: a clock of a user's own may show anything.
pub(crate) fn read(clock: &dyn Clock) -> SystemTime {
    time::bounded(clock.now())
}

/// From a time as RFC 3339 has it, such as `2026-11-24T09:00:00Z`.
impl FromStr for ManualClock {
    type Err = ClockError;

    fn from_str(text: &str) -> Result<Self, ClockError> {
        let time = text.parse::<Timestamp>().ok().and_then(|time| time::moment(&time));
        time.map(Self::new).ok_or_else(|| ClockError(text.to_owned()))
    }
}

/// A text that is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time as RFC 3339 has it, such as `2026-11-24T09:00:00Z`")]
pub struct ClockError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still() {
        let clock = ManualClock::default();
        assert_eq!(clock.now(), clock.now());
        clock.set(UNIX_EPOCH);
        assert_eq!(clock.now(), UNIX_EPOCH);
    }

    #[test]
    fn an_absurd_step_changes_nothing() {
        let clock = ManualClock::default();
        let before = clock.now();
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), before);
    }
}
