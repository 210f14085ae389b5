//! Durations on the command line: `90`, `500ms`, `90s`, `5m`, `2h`.

use std::time::Duration;

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

/// Reads a duration; a bare number is seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = if unit.is_empty() { "s" } else { unit };
    let millis = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, millis)| *millis);
    millis
        .and_then(|millis| number.parse::<u64>().ok()?.checked_mul(millis))
        .map(Duration::from_millis)
        .ok_or_else(|| "a duration is a whole number and a unit, such as 500ms, 90s, 5m or 2h".to_owned())
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
    let millis = duration.as_millis();
    let fitting = UNITS.iter().rev().find(|(_, unit)| millis > 0 && millis.is_multiple_of((*unit).into()));
    let (name, unit) = fitting.copied().unwrap_or(("s", 1000));
    format!("{}{name}", millis / u128::from(unit))
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
        for bad in ["", "s", "-1", "1.5s", "5d", "1h30m", "99999999999999999999", "18446744073709551615h"] {
            assert!(parse(bad).unwrap_err().contains("such as 500ms"), "{bad}");
        }
    }
}
