//! Averages and shares.

/// The mean of what was added.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    /// Adds one value.
    pub(crate) fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    /// The mean, if anything was added.
    pub(crate) fn get(self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }

    /// How many values were added.
    pub(crate) fn count(self) -> f64 {
        self.count
    }

    /// The sum.
    pub(crate) fn sum(self) -> f64 {
        self.sum
    }
}

impl Extend<f64> for Mean {
    fn extend<T: IntoIterator<Item = f64>>(&mut self, values: T) {
        values.into_iter().for_each(|value| self.add(value));
    }
}

/// `part` of `whole`, and zero of nothing.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// As a double; exact up to 2^53.
#[allow(clippy::cast_precision_loss, reason = "counts and nanoseconds, of which a share is taken")]
pub(crate) fn real(number: i64) -> f64 {
    number as f64
}

/// For the fields that are single precision.
#[allow(clippy::cast_possible_truncation, reason = "the field holds no more")]
pub(crate) fn single(number: f64) -> f32 {
    number as f32
}

/// A count for a field of 32 bits.
pub(crate) fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A count for a field of 64 bits.
pub(crate) fn long(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_of_nothing_is_none() {
        let mut mean = Mean::default();
        assert_eq!(mean.get(), None);
        mean.extend([1.0, 2.0]);
        assert_eq!((mean.get(), mean.sum()), (Some(1.5), 3.0));
        assert_eq!((share(1.0, 0.0), share(1.0, 4.0)), (0.0, 0.25));
    }
}
