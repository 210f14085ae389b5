//! Edit distance between names, to answer a wrong one with the nearest right one.

/// No name is as long; a text that is counts as its beginning, so that the work is bounded.
const MAX_CHARS: usize = 100;

/// Levenshtein's distance, whatever the case.
pub(crate) fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().take(MAX_CHARS).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().take(MAX_CHARS).enumerate() {
        let mut next = vec![i + 1];
        for (y, pair) in b.iter().zip(row.windows(2)) {
            if let ([up_left, up], Some(left)) = (pair, next.last()) {
                next.push((up_left + usize::from(x != *y)).min(up + 1).min(left + 1));
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, edits) in [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("Deploy", "dEPLOY", 0)] {
            assert_eq!(edit_distance(a, b), edits, "{a} {b}");
            assert_eq!(edit_distance(b, a), edits, "{b} {a}");
        }
    }
}
