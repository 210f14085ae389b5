//! Times and spans as text, with 0, 3, 6 or 9 digits after the point.

use super::super::wire::{Cursor, Torn, Wire};
use super::sink::{push_int, push_uint};

const DAY: i64 = 24 * 60 * 60;
const NANOS: i32 = 1_000_000_000;
/// From the year 1 to the end of the year 9999.
const TIMESTAMPS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// About ten thousand years.
const LONGEST_DURATION: i64 = 315_576_000_000;

/// Seconds and nanoseconds, as both messages have them.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "numbers travel as the bits of a wider or an unsigned one"
)]
pub(super) fn read(bytes: &[u8]) -> Result<(i64, i32), Torn> {
    let (mut seconds, mut nanos) = (0, 0);
    let mut cursor = Cursor::new(bytes);
    while let Some((number, value)) = cursor.field()? {
        match (number, value) {
            (1, Wire::Varint(value)) => seconds = value as i64,
            (2, Wire::Varint(value)) => nanos = value as i32,
            (1 | 2, _) => return Err(Torn("a field has the wire type of another kind")),
            _ => {}
        }
    }
    Ok((seconds, nanos))
}

/// `None` if there is no such time in JSON.
pub(super) fn timestamp(seconds: i64, nanos: i32) -> Option<String> {
    if !TIMESTAMPS.contains(&seconds) || !(0..NANOS).contains(&nanos) {
        return None;
    }
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let mut out = String::with_capacity(32);
    pad(&mut out, year, 1000);
    for (before, value) in
        [('-', month), ('-', day), ('T', second / 3600), (':', second / 60 % 60), (':', second % 60)]
    {
        out.push(before);
        pad(&mut out, value, 10);
    }
    fraction(&mut out, nanos.unsigned_abs());
    out.push('Z');
    Some(out)
}

/// `None` if it is too long, or its parts differ in sign.
pub(super) fn duration(seconds: i64, nanos: i32) -> Option<String> {
    let is_long = !(-LONGEST_DURATION..=LONGEST_DURATION).contains(&seconds);
    let is_mixed = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
    if is_long || is_mixed || nanos.unsigned_abs() >= NANOS.unsigned_abs() {
        return None;
    }
    let mut out = String::with_capacity(24);
    if seconds == 0 && nanos < 0 {
        out.push('-');
    }
    push_int(&mut out, seconds);
    fraction(&mut out, nanos.unsigned_abs());
    out.push('s');
    Some(out)
}

fn fraction(out: &mut String, nanos: u32) {
    let (value, largest) = match nanos {
        0 => return,
        nanos if nanos % 1_000_000 == 0 => (nanos / 1_000_000, 100),
        nanos if nanos % 1000 == 0 => (nanos / 1000, 100_000),
        nanos => (nanos, 100_000_000),
    };
    out.push('.');
    pad(out, value.into(), largest);
}

/// Appends a number with as many digits as `largest` has.
fn pad(out: &mut String, value: i64, mut largest: i64) {
    while largest > 1 && value < largest {
        out.push('0');
        largest /= 10;
    }
    push_uint(out, value.unsigned_abs());
}

/// Year, month and day of a day since 1970, after Howard Hinnant's `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_protobuf_prints_them() {
        for (seconds, nanos, wanted) in [
            (0, 0, Some("1970-01-01T00:00:00Z")),
            (1_611_137_410, 123_000_000, Some("2021-01-20T10:10:10.123Z")),
            (-1, 5, Some("1969-12-31T23:59:59.000000005Z")),
            (951_782_400, 1_000, Some("2000-02-29T00:00:00.000001Z")),
            (*TIMESTAMPS.start(), 0, Some("0001-01-01T00:00:00Z")),
            (*TIMESTAMPS.end(), 999_999_999, Some("9999-12-31T23:59:59.999999999Z")),
            (*TIMESTAMPS.end() + 1, 0, None),
            (*TIMESTAMPS.start() - 1, 0, None),
            (0, -1, None),
            (0, NANOS, None),
            (i64::MIN, i32::MIN, None),
        ] {
            assert_eq!(timestamp(seconds, nanos).as_deref(), wanted, "{seconds} {nanos}");
        }
    }

    #[test]
    fn spans_are_as_protobuf_prints_them() {
        for (seconds, nanos, wanted) in [
            (0, 0, Some("0s")),
            (3, 120_000_000, Some("3.120s")),
            (0, -500_000_000, Some("-0.500s")),
            (-3, -1, Some("-3.000000001s")),
            (LONGEST_DURATION, 999_999_999, Some("315576000000.999999999s")),
            (LONGEST_DURATION + 1, 0, None),
            (1, -1, None),
            (-1, 1, None),
            (0, NANOS, None),
            (0, i32::MIN, None),
            (i64::MIN, 0, None),
        ] {
            assert_eq!(duration(seconds, nanos).as_deref(), wanted, "{seconds} {nanos}");
        }
    }
}
