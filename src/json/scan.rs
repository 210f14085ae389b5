//! How far a string of JSON goes on without anything to look at.

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = ONES << 7;

/// How many bytes come before a quote, a backslash or a control character; eight are looked at at once.
#[inline]
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    let mut run = 0;
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return run + found.trailing_zeros() as usize / 8;
        }
        run += 8;
        rest = after;
    }
    run + rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}

/// The lowest bit that is set is the highest of the first byte that is looked for; those above it mean nothing.
#[inline]
fn special(word: u64) -> u64 {
    let equal = |byte: u8| {
        let differs = word ^ (ONES.wrapping_mul(u64::from(byte)));
        differs.wrapping_sub(ONES) & !differs
    };
    let control = word.wrapping_sub(ONES << 5) & !word;
    (equal(b'"') | equal(b'\\') | control) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte on each of 20 places, before and behind others that are looked for.
    #[test]
    fn the_first_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                for behind in *b"a\"\\\x1f\xff " {
                    let mut bytes = vec![b'x'; place];
                    bytes.push(byte);
                    bytes.extend([behind; 9]);
                    let wanted =
                        bytes.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
                    assert_eq!(plain_run(&bytes), wanted, "{byte} at {place} before {behind}");
                }
            }
        }
        assert_eq!(plain_run(b""), 0);
    }
}
