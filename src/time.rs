//! Arithmetic on time that saturates, since no value from the wire or from a user may break it: a server can ask for a
//! delay of `i64::MAX` seconds, and a caller can wait for `Duration::MAX`.

use std::time::Duration;

use tokio::time::Instant;

/// What stands for "never", as in tokio's own timers: far enough for every program, and near enough for every clock.
const THIRTY_YEARS: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

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

#[cfg(test)]
mod tests {
    use super::*;

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
