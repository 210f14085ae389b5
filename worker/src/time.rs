//! Times as stores keep them: microseconds since 1970, in 64 bits; and spans of time, whose arithmetic cannot overflow.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub(crate) type Micros = i64;

const A_SECOND: Micros = 1_000_000;
const SECONDS_A_DAY: Micros = 86_400;

pub(crate) fn micros(time: SystemTime) -> Micros {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => span(since),
        Err(error) => span(error.duration()).saturating_neg(),
    }
}

/// As the standard library has it; `None` if its clock does not reach so far.
pub(crate) fn system_time(time: Micros) -> Option<SystemTime> {
    let distance = Duration::from_micros(time.unsigned_abs());
    if time < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

pub(crate) fn now() -> Micros {
    micros(SystemTime::now())
}

/// A time of a message; `None` if it is none that 64 bits of microseconds hold.
pub(crate) fn of_timestamp(time: &prost_types::Timestamp) -> Option<Micros> {
    let nanos = Micros::from(time.nanos);
    (0..1_000_000_000).contains(&nanos).then_some(())?;
    time.seconds.checked_mul(A_SECOND)?.checked_add(nanos / 1_000)
}

/// As a message has it.
pub(crate) fn to_timestamp(time: Micros) -> prost_types::Timestamp {
    let nanos = i32::try_from(time.rem_euclid(A_SECOND).saturating_mul(1_000)).unwrap_or_default();
    prost_types::Timestamp { seconds: time.div_euclid(A_SECOND), nanos }
}

/// A span in microseconds.
pub(crate) fn span(span: Duration) -> Micros {
    Micros::try_from(span.as_micros()).unwrap_or(Micros::MAX)
}

/// From `then` to `now`; zero if that lies ahead.
pub(crate) fn since(then: Micros, now: Micros) -> Duration {
    Duration::from_micros(u64::try_from(now.saturating_sub(then)).unwrap_or_default())
}

/// The number of the day, since 1970.
pub(crate) fn day(time: Micros) -> i32 {
    i32::try_from(time.div_euclid(A_SECOND.saturating_mul(SECONDS_A_DAY))).unwrap_or(i32::MAX)
}

/// `wait` times `factor`, from zero to what a `Duration` holds.
pub(crate) fn scaled(wait: Duration, factor: f64) -> Duration {
    let seconds = wait.as_secs_f64() * factor;
    if seconds > 0.0 { Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX) } else { Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_way_there_and_back() {
        for time in [0, 1, -1, 1_790_000_000_123_456, -1_790_000_000_123_456] {
            assert_eq!(of_timestamp(&to_timestamp(time)), Some(time));
        }
        assert_eq!(micros(UNIX_EPOCH - Duration::from_secs(1)), -1_000_000);
        assert_eq!((day(-1), day(0), day(86_400_000_000)), (-1, 0, 1));
    }

    #[test]
    fn extremes_are_bounded() {
        let extreme = |seconds, nanos| of_timestamp(&prost_types::Timestamp { seconds, nanos });
        assert_eq!((extreme(i64::MAX, 0), extreme(0, -1), extreme(0, i32::MAX)), (None, None, None));
        assert_eq!(span(Duration::MAX), Micros::MAX);
        assert_eq!(since(Micros::MAX, Micros::MIN), Duration::ZERO);
        assert_eq!(scaled(Duration::MAX, 2.0), Duration::MAX);
        assert_eq!(scaled(Duration::MAX, f64::NAN), Duration::ZERO);
    }
}
