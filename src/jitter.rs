//! Random numbers for jitter: it spreads clients out in time, and need not be unpredictable.

use std::sync::atomic::{AtomicU64, Ordering};

/// A sequence of numbers, shared by all who draw from it (splitmix64).
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    /// The sequence of `seed`: the same every time.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// A sequence that differs from process to process, and from client to client.
    pub(crate) fn from_process() -> Self {
        static CLIENTS: AtomicU64 = AtomicU64::new(0);
        let client = CLIENTS.fetch_add(1, Ordering::Relaxed);
        // Where a static lies is random wherever programs are loaded at random addresses.
        let address = (&raw const CLIENTS).addr() as u64;
        Self::seeded(address ^ u64::from(std::process::id()).rotate_left(32) ^ client.rotate_left(16))
    }

    /// The next number from 0 to 1.
    pub(crate) fn next(&self) -> f64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_range_and_vary() {
        let chance = Jitter::from_process();
        let drawn: Vec<_> = (0..1000).map(|_| chance.next()).collect();
        assert!(drawn.iter().all(|x| (0.0..=1.0).contains(x)));
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }

    #[test]
    fn a_seed_fixes_the_sequence() {
        let draw = |chance: &Jitter| (0..5).map(|_| chance.next()).collect::<Vec<_>>();
        assert_eq!(draw(&Jitter::seeded(7)), draw(&Jitter::seeded(7)));
        assert_ne!(draw(&Jitter::seeded(7)), draw(&Jitter::seeded(8)));
        assert_ne!(draw(&Jitter::from_process()), draw(&Jitter::from_process()));
    }
}
