//! Times and spans from the wire or from a user, checked: prost's own conversions panic at their extremes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The first and the last second that a `Timestamp` may have: the years 1 to 9999.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;
/// The most seconds that a `Duration` may have, about ten thousand years.
const LONGEST: u64 = 315_576_000_000;
const NANOS: u32 = 1_000_000_000;

/// A time as it came over the wire; `None` if it is not a value of `google.protobuf.Timestamp`.
pub(crate) fn moment(wire: &prost_types::Timestamp) -> Option<SystemTime> {
    let nanos = u32::try_from(wire.nanos).ok().filter(|nanos| *nanos < NANOS)?;
    if !(FIRST..=LAST).contains(&wire.seconds) {
        return None;
    }
    let seconds = Duration::from_secs(wire.seconds.unsigned_abs());
    let whole =
        if wire.seconds < 0 { UNIX_EPOCH.checked_sub(seconds) } else { UNIX_EPOCH.checked_add(seconds) };
    whole?.checked_add(Duration::from_nanos(nanos.into()))
}

/// A span as it came over the wire; `None` if it is negative, or not a value of `google.protobuf.Duration`.
pub(crate) fn span(wire: &prost_types::Duration) -> Option<Duration> {
    let seconds = u64::try_from(wire.seconds).ok().filter(|seconds| *seconds <= LONGEST)?;
    let nanos = u32::try_from(wire.nanos).ok().filter(|nanos| *nanos < NANOS)?;
    Some(Duration::new(seconds, nanos))
}

/// A span as it can go over the wire: what is longer than a `Duration` can be is cut off.
pub(crate) fn wire(span: Duration) -> prost_types::Duration {
    let span = span.min(Duration::from_secs(LONGEST));
    let seconds = i64::try_from(span.as_secs()).unwrap_or_default();
    prost_types::Duration { seconds, nanos: i32::try_from(span.subsec_nanos()).unwrap_or_default() }
}

/// The time `by` after `now`; `None` if that is after the year 9999.
pub(crate) fn later(now: SystemTime, by: Duration) -> Option<SystemTime> {
    now.checked_add(by).filter(|time| bounded(*time) == *time)
}

/// The time without parts of a microsecond: the service's own times have six digits at most.
pub(crate) fn micros(time: SystemTime) -> SystemTime {
    let over = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.subsec_nanos() % 1000,
        Err(before) => (1000 - before.duration().subsec_nanos() % 1000) % 1000,
    };
    time.checked_sub(Duration::from_nanos(over.into())).unwrap_or(time)
}

/// The nearest time that a `Timestamp` can have.
pub(crate) fn bounded(time: SystemTime) -> SystemTime {
    let first = UNIX_EPOCH.checked_sub(Duration::from_secs(FIRST.unsigned_abs())).unwrap_or(UNIX_EPOCH);
    let last = UNIX_EPOCH.checked_add(Duration::new(LAST.unsigned_abs(), 999_999_999)).unwrap_or(UNIX_EPOCH);
    time.clamp(first, last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any value, and more often than not one at an edge.
    fn seconds() -> impl Strategy<Value = i64> {
        let edges =
            [i64::MIN, i64::MIN + 1, FIRST - 1, FIRST, -1, 0, 1, LAST, LAST + 1, i64::MAX - 1, i64::MAX];
        prop_oneof![any::<i64>(), proptest::sample::select(edges.to_vec())]
    }

    fn nanos() -> impl Strategy<Value = i32> {
        let edges = [i32::MIN, -1_000_000_000, -999_999_999, -1, 0, 1, 999_999_999, 1_000_000_000, i32::MAX];
        prop_oneof![any::<i32>(), proptest::sample::select(edges.to_vec())]
    }

    proptest! {
        #[test]
        fn times_are_read_and_written_back_or_refused(seconds in seconds(), nanos in nanos()) {
            let wire = prost_types::Timestamp { seconds, nanos };
            let valid = (FIRST..=LAST).contains(&seconds) && (0..1_000_000_000).contains(&nanos);
            let read = moment(&wire);
            prop_assert_eq!(read.is_some(), valid);
            if let Some(time) = read {
                prop_assert_eq!(prost_types::Timestamp::from(time), wire);
                prop_assert_eq!(bounded(time), time);
            }
        }

        #[test]
        fn spans_are_read_or_refused(seconds in seconds(), nanos in nanos()) {
            let given = prost_types::Duration { seconds, nanos };
            let valid = (0..=315_576_000_000).contains(&seconds) && (0..1_000_000_000).contains(&nanos);
            prop_assert_eq!(span(&given).is_some(), valid);
            if let Some(span) = span(&given).filter(|span| span.as_secs() < LONGEST) {
                prop_assert_eq!(wire(span), given);
            }
        }

        #[test]
        fn every_span_can_be_written(seconds in any::<u64>(), nanos in 0..NANOS) {
            let span = Duration::new(seconds, nanos);
            prop_assert_eq!(super::span(&wire(span)), Some(span.min(Duration::from_secs(LONGEST))));
        }

        #[test]
        fn what_is_later_can_be_written(start in seconds(), by in any::<u64>(), nanos in 0..NANOS) {
            let start = start.clamp(FIRST, LAST);
            let start = moment(&prost_types::Timestamp { seconds: start, nanos: 0 }).unwrap();
            if let Some(time) = later(start, Duration::new(by, nanos)) {
                prop_assert!(time >= start);
                prop_assert_eq!(moment(&time.into()), Some(time));
            }
        }
    }

    #[test]
    fn parts_of_a_microsecond_are_cut_off() {
        for (seconds, given, left) in
            [(5, 123_456_789, 123_456_000), (-5, 1, 0), (-5, 999_999_999, 999_999_000), (0, 0, 0)]
        {
            let time = moment(&prost_types::Timestamp { seconds, nanos: given }).unwrap();
            assert_eq!(
                prost_types::Timestamp::from(micros(time)),
                prost_types::Timestamp { seconds, nanos: left }
            );
        }
    }

    #[test]
    fn every_time_of_the_system_is_bounded() {
        let far = Duration::from_secs(i64::MAX.unsigned_abs());
        let earliest = UNIX_EPOCH.checked_sub(far).and_then(|time| time.checked_sub(Duration::from_secs(1)));
        for time in [UNIX_EPOCH.checked_add(far), UNIX_EPOCH.checked_sub(far), earliest].into_iter().flatten()
        {
            let seconds = prost_types::Timestamp::from(bounded(time)).seconds;
            assert!([FIRST, LAST].contains(&seconds), "{seconds}");
        }
    }
}
