//! Durations on the command line: `90`, `500ms`, `1.5s`, `1h30m`, `1d`.

use std::time::Duration;

/// In nanoseconds; each fits into the next.
const UNITS: [(&str, u128); 5] = [
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];
const FORMS: &str = "a duration is a number and a unit, such as 500ms, 1.5s, 5m, 1h30m or 1d";

/// Reads a duration; a bare number is seconds. Larger units come first.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let nanos = if text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        part(text, 1_000_000_000)
    } else {
        parts(text)
    };
    nanos.and_then(from_nanos).ok_or_else(|| FORMS.to_owned())
}

fn parts(mut text: &str) -> Option<u128> {
    let (mut sum, mut smallest) = (0_u128, u128::MAX);
    while !text.is_empty() {
        let (number, rest) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(end);
        let (_, nanos) = *UNITS.iter().find(|(name, nanos)| *name == unit && *nanos < smallest)?;
        sum = sum.checked_add(part(number, nanos)?)?;
        (text, smallest) = (rest, nanos);
    }
    Some(sum)
}

/// A number of units, with nine digits after the point at most.
fn part(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction = fraction.parse::<u128>().ok()?.checked_mul(unit)? / scale;
    whole.parse::<u128>().ok()?.checked_mul(unit)?.checked_add(fraction)
}

fn from_nanos(nanos: u128) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    Some(Duration::new(u64::try_from(nanos / SECOND).ok()?, u32::try_from(nanos % SECOND).ok()?))
}

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// As long as it takes.
    None,
    /// At most this long.
    Of(Duration),
}

impl Limit {
    /// Prints it so that it is read back as the same.
    pub(crate) fn print(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Of(duration) => print(duration),
        }
    }
}

/// Reads a limit: a duration, or `none`. In no time nothing can be done.
pub(crate) fn parse_limit(text: &str) -> Result<Limit, String> {
    match text {
        "none" => Ok(Limit::None),
        _ => match parse(text)? {
            Duration::ZERO => {
                Err("within 0s no call can succeed; give a longer time, or `none` for no limit".to_owned())
            }
            duration => Ok(Limit::Of(duration)),
        },
    }
}

/// The shortest time between two questions about an operation.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// Reads an interval at which a server is asked.
pub(crate) fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse(text)?;
    if interval < SHORTEST_INTERVAL {
        let shortest = print(SHORTEST_INTERVAL);
        return Err(format!(
            "asking more often than every {shortest} only loads the server; give {shortest} or more"
        ));
    }
    Ok(interval)
}

/// Prints a duration so that it is read back as the same, to the millisecond.
pub(crate) fn print(duration: Duration) -> String {
    let millis = duration.as_millis() * 1_000_000;
    let fitting = UNITS.iter().rev().find(|(_, unit)| millis > 0 && millis.is_multiple_of(*unit));
    let (name, unit) = fitting.copied().unwrap_or(("s", 1_000_000_000));
    format!("{}{name}", millis / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_printed() {
        let cases = [
            ("0", 0, "0s"),
            ("90", 90_000, "90s"),
            ("500ms", 500, "500ms"),
            ("5m", 300_000, "5m"),
            ("7200s", 7_200_000, "2h"),
            ("1h30m", 5_400_000, "90m"),
            ("1.5s", 1_500, "1500ms"),
            ("0.25", 250, "250ms"),
            ("1d", 86_400_000, "1d"),
            ("1d2h3m4s5ms", 93_784_005, "93784005ms"),
        ];
        for (text, millis, printed) in cases {
            let duration = parse(text).unwrap();
            assert_eq!((duration, print(duration).as_str()), (Duration::from_millis(millis), printed));
            assert_eq!(parse(printed).unwrap(), duration);
        }
    }

    #[test]
    fn no_time_at_all_is_refused_with_what_to_give_instead() {
        for busy in ["0", "0s", "99ms", "1ms"] {
            assert!(parse_interval(busy).unwrap_err().contains("100ms or more"), "{busy}");
        }
        assert_eq!(parse_interval("100ms"), Ok(Duration::from_millis(100)));
        for nothing in ["0", "0ms", "0h"] {
            assert!(parse_limit(nothing).unwrap_err().contains("`none`"), "{nothing}");
        }
        assert_eq!(
            (parse_limit("none"), parse_limit("5s")),
            (Ok(Limit::None), Ok(Limit::Of(Duration::from_secs(5))))
        );
        assert_eq!([Limit::None, Limit::Of(Duration::from_secs(5))].map(Limit::print), ["none", "5s"]);
    }

    #[test]
    fn anything_else_is_answered_with_examples() {
        let long = "9".repeat(60);
        for bad in [
            "",
            "s",
            "-1",
            "1.s",
            ".5s",
            "5w",
            "1h30",
            "30m1h",
            "1m1m",
            "1.0000000001s",
            "1 h",
            "é",
            &long,
            "18446744073709551615h",
        ] {
            assert!(parse(bad).unwrap_err().contains("such as 500ms"), "{bad}");
        }
    }
}
