//! Times and spans, as protobuf-python reads them: it leaves their numbers to Python's `int`, `float` and `strptime`,
//! so that `2024-1-1T1:1:1+1:0` is a time.

use super::super::number::{float, int};

const NANOS: f64 = 1e9;
/// From the year 1 to the end of the year 9999.
const TIMESTAMPS: std::ops::RangeInclusive<i128> = -62_135_596_800..=253_402_300_799;
const LONGEST_DURATION: i128 = 315_576_000_000;

/// Seconds and nanoseconds of a time with its offset.
pub(super) fn timestamp(text: &str) -> Option<(i64, i32)> {
    let zone = text.find('Z').or_else(|| text.find('+')).or_else(|| text.rfind('-'))?;
    let (time, zone) = text.split_at_checked(zone)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    if fraction.chars().count() > 9 {
        return None;
    }
    let nanos = match whole_nanos(fraction) {
        Some(nanos) => nanos,
        None => nanos(&format!("0.{fraction}"))?,
    };
    let offset = match zone.split_at_checked(1)? {
        ("Z", "") => 0,
        ("Z", _) => return None,
        (sign, clock) => {
            let (hours, minutes) = clock.split_once(':')?;
            let minutes = int(hours)?.checked_mul(60)?.checked_add(int(minutes)?)?;
            minutes.checked_mul(if sign == "+" { 60 } else { -60 })?
        }
    };
    let seconds = i128::from(clock_time(time)?).checked_sub(offset)?;
    if !TIMESTAMPS.contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
        return None;
    }
    Some((i64::try_from(seconds).ok()?, nanos))
}

/// Seconds and nanoseconds of a span that ends in `s`.
pub(super) fn duration(text: &str) -> Option<(i64, i32)> {
    let span = text.strip_suffix('s')?;
    let (whole, fraction) = match span.find('.') {
        Some(point) => span.split_at_checked(point)?,
        None => (span, ""),
    };
    let seconds = int(whole)?;
    let digits = fraction.strip_prefix('.').unwrap_or(fraction);
    let nanos = match (whole_nanos(digits), text.starts_with('-')) {
        (Some(nanos), true) => -nanos,
        (Some(nanos), false) => nanos,
        (None, true) => nanos(&format!("-0{fraction}"))?,
        (None, false) => nanos(&format!("0{fraction}"))?,
    };
    let is_mixed = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
    if is_mixed || seconds.abs() > LONGEST_DURATION || nanos.unsigned_abs() >= 1_000_000_000 {
        return None;
    }
    Some((i64::try_from(seconds).ok()?, nanos))
}

/// A fraction of nothing but digits, nine at most, as almost all are.
fn whole_nanos(fraction: &str) -> Option<i32> {
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = fraction.bytes().fold(0, |value, byte| value * 10 + i32::from(byte - b'0'));
    (fraction.len()..9).try_fold(value, |value: i32, _| value.checked_mul(10))
}

/// Rounded as Python rounds: halves to even.
fn nanos(text: &str) -> Option<i32> {
    let value = (float(text)? * NANOS).round_ties_even();
    // The cast saturates, beyond what is taken.
    #[allow(clippy::cast_possible_truncation, reason = "saturates, and what is not a number is left out")]
    value.is_finite().then_some(value as i32)
}

/// Seconds since 1970 of `%Y-%m-%dT%H:%M:%S`.
fn clock_time(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once('T')?;
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let mut clock = clock.split(':');
    let (hour, minute, second) = (clock.next()?, clock.next()?, clock.next()?);
    if date.next().is_some() || clock.next().is_some() || year.len() != 4 {
        return None;
    }
    let day = day.strip_prefix(' ').filter(|rest| rest.len() == 1).unwrap_or(day);
    let (year, month, day) = (digits(year, 1, 9999)?, digits(month, 1, 12)?, digits(day, 1, 31)?);
    let (hour, minute, second) = (digits(hour, 0, 23)?, digits(minute, 0, 59)?, digits(second, 0, 59)?);
    if day > days_in(year, month) {
        return None;
    }
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// One or two digits, or the four of a year.
fn digits(text: &str, least: i64, most: i64) -> Option<i64> {
    let is_short = text.len() <= 2 || most > 99;
    let value: i64 = text.parse().ok().filter(|_| is_short && text.bytes().all(|b| b.is_ascii_digit()))?;
    (least..=most).contains(&value).then_some(value)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970, after Howard Hinnant's `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_python_reads_them() {
        for (text, wanted) in [
            ("2024-01-01T00:00:00Z", Some((1_704_067_200, 0))),
            ("2024-1-1T1:1:1Z", Some((1_704_070_861, 0))),
            ("2024-01- 1T00:00:00Z", Some((1_704_067_200, 0))),
            ("0001-01-01T00:00:00Z", Some((-62_135_596_800, 0))),
            ("9999-12-31T23:59:59.999999999Z", Some((253_402_300_799, 999_999_999))),
            ("2024-01-01T00:00:00+01:00", Some((1_704_063_600, 0))),
            ("2024-01-01T00:00:00-01:00", Some((1_704_070_800, 0))),
            ("2024-01-01T00:00:00+1:-1", Some((1_704_063_660, 0))),
            ("2024-01-01T00:00:00+99:99", Some((1_703_704_860, 0))),
            ("2024-01-01T00:00:00.Z", Some((1_704_067_200, 0))),
            ("2024-01-01T00:00:00.5e-1Z", Some((1_704_067_200, 50_000_000))),
            ("1969-12-31T23:59:59.000000005Z", Some((-1, 5))),
            ("2024-02-29T00:00:00Z", Some((1_709_164_800, 0))),
            ("2023-02-29T00:00:00Z", None),
            ("0000-01-01T00:00:00Z", None),
            ("10000-01-01T00:00:00Z", None),
            ("2024-01-01T00:00:60Z", None),
            ("2024-01-01T24:00:00Z", None),
            ("2024-01-01t00:00:00Z", None),
            ("2024-01-01T00:00:00z", None),
            ("2024-01-01T00:00:00", None),
            ("2024-01-01T00:00:00+0100", None),
            ("2024-01-01T00:00:00.1234567891Z", None),
            ("2024-01-01T00:00:00Z ", None),
            ("0001-01-01T00:00:00+01:00", None),
            ("20240101", None),
            ("2024-001-01T00:00:00Z", None),
            ("2024-01-01T00:00:00+999999999999999999999999999999999999999:0", None),
            ("é", None),
        ] {
            assert_eq!(timestamp(text), wanted, "{text}");
        }
    }

    #[test]
    fn spans_are_read_as_python_reads_them() {
        for (text, wanted) in [
            ("1s", Some((1, 0))),
            ("-0.5s", Some((0, -500_000_000))),
            ("1.1234567891s", Some((1, 123_456_789))),
            ("1.s", Some((1, 0))),
            (" 1s", Some((1, 0))),
            ("1 s", Some((1, 0))),
            ("+1s", Some((1, 0))),
            ("1_0s", Some((10, 0))),
            ("-0s", Some((0, 0))),
            ("-315576000000.999999999s", Some((-315_576_000_000, -999_999_999))),
            ("315576000001s", None),
            ("0.9999999999s", None),
            ("1.5e1s", None),
            (".5s", None),
            ("1e3s", None),
            ("-s", None),
            ("s", None),
            ("", None),
            ("10ms", None),
            ("1", None),
            ("1.nans", None),
        ] {
            assert_eq!(duration(text), wanted, "{text}");
        }
    }
}
