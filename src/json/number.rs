//! Numbers in text, as Python's `int` and `float` read them, which protobuf-python leaves this to; and floats as it
//! writes them.

use std::{fmt, io};

use serde_json::ser::{CompactFormatter, Formatter as _};

/// A whole number: space around it, a sign, and digits with single underscores between them. What has more than 128
/// bits becomes the largest, which no field can hold.
pub(super) fn int(text: &str) -> Option<i128> {
    let text = trim(text);
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = without_underscores(digits)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<i128>().unwrap_or(i128::MAX);
    Some(if is_negative { -value } else { value })
}

/// A number with point or exponent, `inf`, `infinity` or `nan` in either case; space and underscores as in [`int`].
pub(super) fn float(text: &str) -> Option<f64> {
    without_underscores(trim(text))?.parse().ok()
}

/// A double as the whole number that it is.
pub(super) fn whole(value: f64) -> Option<i128> {
    #[allow(clippy::cast_possible_truncation, reason = "a cast saturates, far beyond what any field holds")]
    (value.is_finite() && value.fract() == 0.0).then_some(value as i128)
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

/// `None` if an underscore does not stand between two digits.
fn without_underscores(text: &str) -> Option<std::borrow::Cow<'_, str>> {
    if !text.contains('_') {
        return Some(text.into());
    }
    let is_digit =
        |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
    let is_sound =
        text.match_indices('_').all(|(at, _)| is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1)));
    is_sound.then(|| text.replace('_', "").into())
}

/// A finite number as Python has it: the fewest digits that read back to it, of two such that are equally near those
/// with an even last one, which the standard library does not choose. A float has six digits at least, which it needs at
/// powers of two and below the normal ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shortest<T>(pub(super) T);

impl fmt::Display for Shortest<f64> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        CompactFormatter.write_f64(&mut Ascii(f), self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Display for Shortest<f32> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MANTISSA: u32 = 0x7f_ffff;
        let Self(value) = *self;
        if value.is_normal() && value.to_bits() & MANTISSA != 0 {
            CompactFormatter.write_f32(&mut Ascii(f), value).map_err(|_| fmt::Error)
        } else {
            Shortest(six_digits_at_least(value)).fmt(f)
        }
    }
}

/// Where `serde_json` writes digits to.
struct Ascii<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl io::Write for Ascii<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.write_str(text).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shortest<f32> {
    /// The double that has these digits.
    pub(super) fn double(self) -> f64 {
        self.to_string().parse().unwrap_or_else(|_| self.0.into())
    }
}

fn six_digits_at_least(value: f32) -> f64 {
    for digits in 5..9 {
        let rounded: Option<f64> = format!("{:.digits$e}", f64::from(value)).parse().ok();
        #[allow(clippy::cast_possible_truncation, reason = "the question is whether it comes back")]
        if let Some(rounded) = rounded.filter(|rounded| (*rounded as f32).to_bits() == value.to_bits()) {
            return rounded;
        }
    }
    value.into()
}

#[cfg(test)]
#[allow(clippy::excessive_precision, reason = "clippy counts the digits that the standard library writes")]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_as_python_has_them() {
        for (text, wanted) in [
            ("5", Some(5)),
            ("-0", Some(0)),
            ("+5", Some(5)),
            ("\t005\n", Some(5)),
            ("1_000", Some(1000)),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("1.0", None),
            ("0x10", None),
        ] {
            assert_eq!(int(text), wanted, "{text:?}");
        }
        assert_eq!(int(&"9".repeat(100)), Some(i128::MAX));
    }

    #[test]
    fn other_numbers_are_as_python_has_them() {
        for (text, wanted) in [
            (" 1.5 ", Some(1.5)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1_0.5", Some(10.5)),
            ("1e3", Some(1000.0)),
            ("1e999", Some(f64::INFINITY)),
            ("-INF", Some(f64::NEG_INFINITY)),
            ("iNfinity", Some(f64::INFINITY)),
            ("1_e3", None),
            ("1e", None),
            ("0x10", None),
            ("", None),
            ("infinit", None),
        ] {
            assert_eq!(float(text), wanted, "{text:?}");
        }
        assert!(float("NaN").is_some_and(f64::is_nan));
        assert_eq!(whole(1e3), Some(1000));
        assert_eq!(whole(1.5), None);
        assert_eq!(whole(f64::INFINITY), None);
    }

    #[test]
    fn floats_print_the_digits_that_tell_them_apart() {
        for (value, wanted) in [
            (0.1, 0.1),
            (1.0, 1.0),
            (2_800_140.25, 2_800_140.2),
            (-2_800_140.25, -2_800_140.2),
            (2_800_140.5, 2_800_140.5),
            (2_800_140.75, 2_800_140.8),
            (1_253_178.25, 1_253_178.2),
            (f32::MAX, 3.402_823_5e38),
            (f32::MIN_POSITIVE, 1.175_494_4e-38),
            (f32::from_bits(1), 1.4013e-45),
            (0.0, 0.0),
        ] {
            assert_eq!(Shortest(value).double().to_bits(), f64::to_bits(wanted), "{value}");
        }
        assert!(Shortest(-0.0_f32).double().is_sign_negative());
    }

    #[test]
    fn of_two_numbers_equally_near_the_even_one_is_printed() {
        for (value, wanted) in [
            (1_125_899_906_842_624.0, "1125899906842624.0"),
            (1_125_899_906_842_624.25, "1125899906842624.2"),
            (-1_125_899_906_842_625.25, "-1125899906842625.2"),
            (1_125_899_906_842_624.75, "1125899906842624.8"),
            (2_251_799_813_685_247.75, "2251799813685247.8"),
            (2_251_799_813_685_248.5, "2251799813685248.5"),
            (706_523_252_362_062.25, "706523252362062.2"),
            (263_577_251.041_015_625, "263577251.04101562"),
            (0.1, "0.1"),
            (f64::from_bits(1), "5e-324"),
        ] {
            assert_eq!(Shortest(value).to_string(), wanted);
        }
    }
}
