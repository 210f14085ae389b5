//! Times of messages as those of `jiff` or `chrono`, and back (features `jiff` and `chrono`).
//!
//! Nothing is rounded, cut or wrapped on the way: a value that the other type cannot hold is an error, and so is one
//! that protobuf does not allow, which a server may send all the same.
//!
//! ```
//! # #[cfg(feature = "jiff")] {
//! use contact_center_insights::proto::protobuf::{Duration, Timestamp};
//! use contact_center_insights::proto::times::{DurationExt, TimestampExt};
//!
//! let created = Timestamp { seconds: 1_780_000_000, nanos: 500_000_000 };
//! assert_eq!(created.to_jiff()?.to_string(), "2026-05-28T20:26:40.5Z");
//! assert_eq!(Timestamp::from_jiff(created.to_jiff()?)?, created);
//! assert_eq!(Duration::from_jiff(jiff::SignedDuration::from_millis(-1_500))?, Duration { seconds: -1, nanos: -500_000_000 });
//! assert!(Timestamp { seconds: i64::MAX, nanos: -1 }.to_jiff().is_err());
//! # }
//! # Ok::<(), contact_center_insights::proto::times::TimeError>(())
//! ```
//!
//! ```
//! # #[cfg(feature = "chrono")] {
//! use contact_center_insights::proto::protobuf::{Duration, Timestamp};
//! use contact_center_insights::proto::times::{DurationExt, TimestampExt};
//!
//! let created = Timestamp { seconds: 1_780_000_000, nanos: 500_000_000 };
//! assert_eq!(created.to_chrono()?.to_string(), "2026-05-28 20:26:40.500 UTC");
//! assert_eq!(Timestamp::from_chrono(created.to_chrono()?)?, created);
//! assert_eq!(Duration::from_chrono(chrono::TimeDelta::milliseconds(-1_500))?, Duration { seconds: -1, nanos: -500_000_000 });
//! # }
//! # Ok::<(), contact_center_insights::proto::times::TimeError>(())
//! ```

use std::fmt;

use prost_types::{Duration, Timestamp};

const NANOS: i32 = 1_000_000_000;
/// From the year 1 to the end of the year 9999 (google/protobuf/timestamp.proto).
const TIMESTAMPS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// About 10,000 years each way (google/protobuf/duration.proto).
const DURATIONS: std::ops::RangeInclusive<i64> = -315_576_000_000..=315_576_000_000;

/// A time that one of the two types cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeError {
    given: String,
    reason: &'static str,
}

impl TimeError {
    fn new(given: impl fmt::Debug, reason: &'static str) -> Self {
        Self { given: format!("{given:?}"), reason }
    }
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.given, self.reason)
    }
}

impl std::error::Error for TimeError {}

const BAD_TIMESTAMP: &str =
    "is not a valid google.protobuf.Timestamp: years 1 to 9999, and 0 to 999999999 ns";
const BAD_DURATION: &str =
    "is not a valid google.protobuf.Duration: at most 315576000000 s and 999999999 ns, with the same sign";
#[cfg(feature = "jiff")]
const NOT_JIFF: &str = "is past what jiff can hold";
#[cfg(feature = "chrono")]
const NOT_CHRONO: &str = "is past what chrono can hold";
#[cfg(feature = "chrono")]
const LEAP_SECOND: &str = "is within a leap second, which google.protobuf.Timestamp does not have";

mod sealed {
    pub trait Sealed {}
    impl Sealed for prost_types::Timestamp {}
    impl Sealed for prost_types::Duration {}
}

/// Conversions of [`Timestamp`]; not to be implemented elsewhere.
pub trait TimestampExt: sealed::Sealed + Sized {
    /// The same moment for jiff.
    ///
    /// # Errors
    /// [`TimeError`] if it is not a valid timestamp, or within the last 26 hours of the year 9999, which jiff does not
    /// reach.
    #[cfg(feature = "jiff")]
    fn to_jiff(&self) -> Result<jiff::Timestamp, TimeError>;

    /// The same moment for protobuf.
    ///
    /// # Errors
    /// [`TimeError`] if it is before the year 1.
    #[cfg(feature = "jiff")]
    fn from_jiff(time: jiff::Timestamp) -> Result<Self, TimeError>;

    /// The same moment for chrono.
    ///
    /// # Errors
    /// [`TimeError`] if it is not a valid timestamp.
    #[cfg(feature = "chrono")]
    fn to_chrono(&self) -> Result<chrono::DateTime<chrono::Utc>, TimeError>;

    /// The same moment for protobuf.
    ///
    /// # Errors
    /// [`TimeError`] if it is not in the years 1 to 9999, or is within a leap second.
    #[cfg(feature = "chrono")]
    fn from_chrono(time: chrono::DateTime<chrono::Utc>) -> Result<Self, TimeError>;
}

/// Conversions of [`Duration`]; not to be implemented elsewhere.
pub trait DurationExt: sealed::Sealed + Sized {
    /// The same length for jiff.
    ///
    /// # Errors
    /// [`TimeError`] if it is not a valid duration.
    #[cfg(feature = "jiff")]
    fn to_jiff(&self) -> Result<jiff::SignedDuration, TimeError>;

    /// The same length for protobuf.
    ///
    /// # Errors
    /// [`TimeError`] if it is longer than 315,576,000,000 s (10,000 years).
    #[cfg(feature = "jiff")]
    fn from_jiff(length: jiff::SignedDuration) -> Result<Self, TimeError>;

    /// The same length for chrono.
    ///
    /// # Errors
    /// [`TimeError`] if it is not a valid duration.
    #[cfg(feature = "chrono")]
    fn to_chrono(&self) -> Result<chrono::TimeDelta, TimeError>;

    /// The same length for protobuf.
    ///
    /// # Errors
    /// [`TimeError`] if it is longer than 315,576,000,000 s (10,000 years).
    #[cfg(feature = "chrono")]
    fn from_chrono(length: chrono::TimeDelta) -> Result<Self, TimeError>;
}

impl TimestampExt for Timestamp {
    #[cfg(feature = "jiff")]
    fn to_jiff(&self) -> Result<jiff::Timestamp, TimeError> {
        check_timestamp(self, self)?;
        jiff::Timestamp::new(self.seconds, self.nanos).map_err(|_| TimeError::new(self, NOT_JIFF))
    }

    #[cfg(feature = "jiff")]
    fn from_jiff(time: jiff::Timestamp) -> Result<Self, TimeError> {
        // Before the epoch both are negative there; here the nanoseconds count forwards always.
        let (seconds, nanos) = floored(time.as_second(), time.subsec_nanosecond());
        check_timestamp(&Self { seconds, nanos }, time)
    }

    #[cfg(feature = "chrono")]
    fn to_chrono(&self) -> Result<chrono::DateTime<chrono::Utc>, TimeError> {
        check_timestamp(self, self)?;
        let nanos = u32::try_from(self.nanos).ok();
        nanos
            .and_then(|nanos| chrono::DateTime::from_timestamp(self.seconds, nanos))
            .ok_or_else(|| TimeError::new(self, NOT_CHRONO))
    }

    #[cfg(feature = "chrono")]
    fn from_chrono(time: chrono::DateTime<chrono::Utc>) -> Result<Self, TimeError> {
        let nanos = i32::try_from(time.timestamp_subsec_nanos()).ok().filter(|nanos| *nanos < NANOS);
        let nanos = nanos.ok_or_else(|| TimeError::new(time, LEAP_SECOND))?;
        check_timestamp(&Self { seconds: time.timestamp(), nanos }, time)
    }
}

impl DurationExt for Duration {
    #[cfg(feature = "jiff")]
    fn to_jiff(&self) -> Result<jiff::SignedDuration, TimeError> {
        check_duration(self, self)?;
        // Checked: it cannot overflow, which is where `new` panics.
        Ok(jiff::SignedDuration::new(self.seconds, self.nanos))
    }

    #[cfg(feature = "jiff")]
    fn from_jiff(length: jiff::SignedDuration) -> Result<Self, TimeError> {
        check_duration(&Self { seconds: length.as_secs(), nanos: length.subsec_nanos() }, length)
    }

    #[cfg(feature = "chrono")]
    fn to_chrono(&self) -> Result<chrono::TimeDelta, TimeError> {
        check_duration(self, self)?;
        let (seconds, nanos) = floored(self.seconds, self.nanos);
        let nanos = u32::try_from(nanos).ok();
        nanos
            .and_then(|nanos| chrono::TimeDelta::new(seconds, nanos))
            .ok_or_else(|| TimeError::new(self, NOT_CHRONO))
    }

    #[cfg(feature = "chrono")]
    fn from_chrono(length: chrono::TimeDelta) -> Result<Self, TimeError> {
        check_duration(&Self { seconds: length.num_seconds(), nanos: length.subsec_nanos() }, length)
    }
}

fn check_timestamp(time: &Timestamp, given: impl fmt::Debug) -> Result<Timestamp, TimeError> {
    let is_valid = TIMESTAMPS.contains(&time.seconds) && (0..NANOS).contains(&time.nanos);
    is_valid.then_some(*time).ok_or_else(|| TimeError::new(given, BAD_TIMESTAMP))
}

fn check_duration(length: &Duration, given: impl fmt::Debug) -> Result<Duration, TimeError> {
    let Duration { seconds, nanos } = *length;
    let has_one_sign = (seconds <= 0 || nanos >= 0) && (seconds >= 0 || nanos <= 0);
    let is_valid = DURATIONS.contains(&seconds) && (-NANOS + 1..NANOS).contains(&nanos) && has_one_sign;
    is_valid.then_some(*length).ok_or_else(|| TimeError::new(given, BAD_DURATION))
}

/// The same time with nanoseconds that count forwards.
fn floored(seconds: i64, nanos: i32) -> (i64, i32) {
    if nanos < 0 { (seconds.saturating_sub(1), nanos.saturating_add(NANOS)) } else { (seconds, nanos) }
}

#[cfg(all(test, feature = "jiff", feature = "chrono"))]
mod tests {
    use super::*;

    const LAST: i32 = NANOS - 1;

    #[test]
    fn what_protobuf_allows_comes_back_as_it_was() {
        for (seconds, nanos) in [
            (0, 0),
            (-1, 1),
            (-1, LAST),
            (1, LAST),
            (*TIMESTAMPS.start(), 0),
            (*TIMESTAMPS.end() - 100_000, LAST),
        ] {
            let time = Timestamp { seconds, nanos };
            assert_eq!(Timestamp::from_jiff(time.to_jiff().unwrap()), Ok(time));
            assert_eq!(Timestamp::from_chrono(time.to_chrono().unwrap()), Ok(time));
        }
        let (least, most) = (*DURATIONS.start(), *DURATIONS.end());
        for (seconds, nanos) in [(0, 0), (0, -1), (0, LAST), (-1, -LAST), (least, -LAST), (most, LAST)] {
            let length = Duration { seconds, nanos };
            assert_eq!(Duration::from_jiff(length.to_jiff().unwrap()), Ok(length));
            assert_eq!(Duration::from_chrono(length.to_chrono().unwrap()), Ok(length));
        }
    }

    #[test]
    fn what_protobuf_forbids_is_an_error_and_no_panic() {
        let bounds = [i64::MIN, *TIMESTAMPS.start() - 1, *TIMESTAMPS.end() + 1, i64::MAX];
        let seconds = bounds.map(|seconds| (seconds, 0));
        for (seconds, nanos) in seconds.into_iter().chain([(0, -1), (0, NANOS), (0, i32::MIN), (5, i32::MAX)])
        {
            let time = Timestamp { seconds, nanos };
            assert!(time.to_jiff().is_err() && time.to_chrono().is_err(), "{time:?}");
        }
        let bounds = [i64::MIN, *DURATIONS.start() - 1, *DURATIONS.end() + 1, i64::MAX];
        let seconds = bounds.map(|seconds| (seconds, 0));
        for (seconds, nanos) in seconds.into_iter().chain([(1, -1), (-1, 1), (0, NANOS), (0, i32::MIN)]) {
            let length = Duration { seconds, nanos };
            assert!(length.to_jiff().is_err() && length.to_chrono().is_err(), "{length:?}");
        }
    }

    #[test]
    fn what_protobuf_cannot_hold_is_an_error() {
        assert!(Timestamp::from_jiff(jiff::Timestamp::MIN).is_err());
        assert!(Duration::from_jiff(jiff::SignedDuration::MAX).is_err());
        assert!(Timestamp::from_chrono(chrono::DateTime::<chrono::Utc>::MAX_UTC).is_err());
        assert!(Duration::from_chrono(chrono::TimeDelta::MAX).is_err());
        let leap = chrono::DateTime::from_timestamp(1_483_228_799, 1_500_000_000).unwrap();
        assert!(Timestamp::from_chrono(leap).unwrap_err().to_string().contains("leap second"));
        // The end of the year 9999 is past jiff's last day.
        let end = Timestamp { seconds: *TIMESTAMPS.end(), nanos: 0 };
        assert!(end.to_jiff().unwrap_err().to_string().ends_with("jiff can hold"));
        assert_eq!(Timestamp::from_chrono(end.to_chrono().unwrap()), Ok(end));
    }
}
