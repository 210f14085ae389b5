//! How long a caller gives a call, as it says in its headers.

use std::time::Duration;

use http::HeaderMap;

/// Of gRPC: at most eight digits and a unit. Of REST: seconds.
pub(super) fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(timeout) = text("grpc-timeout") {
        let (number, unit) = timeout.split_at_checked(timeout.len().checked_sub(1)?)?;
        let number: u64 = number.parse().ok()?;
        return match unit {
            "H" => Some(Duration::from_secs(number.checked_mul(3600)?)),
            "M" => Some(Duration::from_secs(number.checked_mul(60)?)),
            "S" => Some(Duration::from_secs(number)),
            "m" => Some(Duration::from_millis(number)),
            "u" => Some(Duration::from_micros(number)),
            "n" => Some(Duration::from_nanos(number)),
            _ => None,
        };
    }
    let seconds: f64 = text("x-server-timeout")?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn deadlines_are_read_in_every_unit() {
        let seconds = Duration::from_secs;
        for (header, value, wanted) in [
            ("grpc-timeout", "2H", Some(seconds(7200))),
            ("grpc-timeout", "3M", Some(seconds(180))),
            ("grpc-timeout", "4S", Some(seconds(4))),
            ("grpc-timeout", "5000m", Some(seconds(5))),
            ("grpc-timeout", "6000000u", Some(seconds(6))),
            ("grpc-timeout", "7n", Some(Duration::from_nanos(7))),
            ("grpc-timeout", "", None),
            ("grpc-timeout", "7", None),
            ("x-server-timeout", "60", Some(seconds(60))),
            ("x-server-timeout", "-1", None),
        ] {
            assert_eq!(deadline(&headers(&[(header, value)])), wanted, "{value}");
        }
        assert_eq!(deadline(&HeaderMap::new()), None);
    }
}
