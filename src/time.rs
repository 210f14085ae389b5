//! Arithmetic on time that saturates, since no value from the wire or from a user may break it: a server can ask for a
//! delay of `i64::MAX` seconds, and a caller can wait for `Duration::MAX`.

use std::time::Duration;

use tokio::time::Instant;

/// What stands for "never", as in tokio's own timers: far enough for every program, and near enough for every clock.
const THIRTY_YEARS: Duration = Duration::from_hours(30 * 365 * 24);

/// The moment `wait` after `now`, at most thirty years after it.
pub(crate) fn later(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait.min(THIRTY_YEARS)).unwrap_or(now)
}

/// The moment `wait` before `now`, or the earliest that the clock has.
pub(crate) fn earlier(now: Instant, wait: Duration) -> Instant {
    now.checked_sub(wait).unwrap_or(now)
}

/// `wait` times `factor`; at most `Duration::MAX`, and zero where the factor is negative or not a number.
pub(crate) fn scaled(wait: Duration, factor: f64) -> Duration {
    if factor > 0.0 {
        Duration::try_from_secs_f64(wait.as_secs_f64() * factor).unwrap_or(Duration::MAX)
    } else {
        Duration::ZERO
    }
}

/// A span of time as it came over the wire; `None` if it is negative. prost's own conversion overflows on extremes.
pub(crate) fn duration(wire: &prost_types::Duration) -> Option<Duration> {
    const NANOS: i128 = 1_000_000_000;
    let nanos = i128::from(wire.seconds).saturating_mul(NANOS).saturating_add(i128::from(wire.nanos));
    let (seconds, rest) = (u64::try_from(nanos.div_euclid(NANOS)).ok()?, nanos.rem_euclid(NANOS));
    Some(Duration::new(seconds, u32::try_from(rest).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_the_wire_are_read_whole_or_not_at_all() {
        let read = |seconds, nanos| duration(&prost_types::Duration { seconds, nanos });
        assert_eq!(read(1, 500_000_000), Some(Duration::from_millis(1500)));
        assert_eq!(read(2, -500_000_000), Some(Duration::from_millis(1500)));
        assert_eq!(read(0, i32::MAX), Some(Duration::new(2, 147_483_647)));
        assert_eq!(read(i64::MAX, i32::MAX), Some(Duration::new(i64::MAX as u64 + 2, 147_483_647)));
        for (seconds, nanos) in [(-1, 0), (0, -1), (i64::MIN, i32::MIN), (i64::MIN, 0), (-1, 999_999_999)] {
            assert_eq!(read(seconds, nanos), None, "{seconds} {nanos}");
        }
    }

    #[test]
    fn extremes_saturate() {
        let now = Instant::now();
        assert_eq!(later(now, Duration::from_secs(1)).duration_since(now), Duration::from_secs(1));
        assert_eq!(later(now, Duration::MAX).duration_since(now), THIRTY_YEARS);
        assert_eq!(earlier(now, Duration::MAX), now);
        assert_eq!(later(later(now, Duration::MAX), Duration::MAX).duration_since(now), THIRTY_YEARS * 2);
        assert_eq!(scaled(Duration::MAX, 3.0), Duration::MAX);
        assert_eq!(scaled(Duration::from_secs(2), 1.5), Duration::from_secs(3));
        for factor in [-1.0, 0.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(scaled(Duration::MAX, factor), Duration::ZERO, "{factor}");
        }
        assert_eq!(scaled(Duration::from_secs(1), f64::INFINITY), Duration::MAX);
    }
}
