//! Which of many: shares and samples that are the same every time.

use sha2::{Digest as _, Sha256};

/// Whether `name` is in the share of `percentage` of a hundred that `seed` draws. The same names are in every larger
/// share.
pub(crate) fn chosen(name: &str, seed: u64, percentage: f64) -> bool {
    let drawn = rank(name, seed) >> 11;
    // 53 bits are what a double holds exactly.
    let at = super::averages::real(i64::try_from(drawn).unwrap_or(i64::MAX)) / super::averages::real(1 << 53);
    at * 100.0 < percentage
}

/// The first `count` of `names` in the order that `seed` draws, back in their own order.
pub(crate) fn sample(names: &[String], seed: u64, count: usize) -> Vec<&String> {
    let mut drawn: Vec<&String> = names.iter().collect();
    drawn.sort_by_key(|name| rank(name, seed));
    drawn.truncate(count);
    drawn.sort();
    drawn
}

fn rank(name: &str, seed: u64) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(name).finalize();
    digest.first_chunk::<8>().map_or(0, |head| u64::from_be_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        (0..1000).map(|index| format!("n{index:04}")).collect()
    }

    #[test]
    fn a_share_is_as_large_as_it_says_and_grows() {
        let share =
            |percentage| names().into_iter().filter(|name| chosen(name, 7, percentage)).collect::<Vec<_>>();
        assert_eq!((share(0.0).len(), share(100.0).len()), (0, 1000));
        let (small, large) = (share(10.0), share(50.0));
        assert!((60..140).contains(&small.len()) && (430..570).contains(&large.len()));
        assert!(small.iter().all(|name| large.contains(name)));
        assert!(names().into_iter().filter(|name| chosen(name, 8, 10.0)).collect::<Vec<_>>() != small);
    }

    #[test]
    fn a_sample_is_in_order_and_of_its_size() {
        let names = names();
        let drawn = sample(&names, 7, 10);
        assert!(drawn.len() == 10 && drawn.is_sorted());
        assert_eq!(sample(&names, 7, 2000).len(), 1000);
    }
}
