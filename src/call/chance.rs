//! Chance for jitter: it spreads clients out, and need not be unpredictable.

use std::sync::atomic::{AtomicU64, Ordering};

/// The next number from 0 to 1 (splitmix64).
pub(crate) fn chance() -> f64 {
    static STATE: AtomicU64 = AtomicU64::new(0);
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    // Where the static lies differs from process to process.
    let seed = (&raw const STATE).addr() as u64 ^ u64::from(std::process::id()) << 32;
    let mut z = STATE.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP) ^ seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_stays_in_its_range_and_varies() {
        let drawn: Vec<_> = (0..1000).map(|_| chance()).collect();
        assert!(drawn.iter().all(|x| (0.0..=1.0).contains(x)));
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}
