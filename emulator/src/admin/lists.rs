//! What the lists of the admin API have in common: how long they may be, and which text is looked for.

/// How many entries a list has, unless another number is asked for.
const USUAL: u32 = 100;
/// How many it has at most.
const MOST: u32 = 1000;

/// How many entries are answered; 0 asks for the usual number.
pub(super) fn limit(asked: u32) -> usize {
    let asked = if asked == 0 { USUAL } else { asked };
    usize::try_from(asked.min(MOST)).unwrap_or_default()
}

/// A text that is looked for, whatever its case.
#[derive(Debug)]
pub(super) struct Needle(String);

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        Self(text.trim().to_lowercase())
    }

    /// Whether one of the texts has it; an empty one is in all.
    pub(super) fn is_in(&self, texts: &[&str]) -> bool {
        self.0.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_bounded_whatever_is_asked_for() {
        assert_eq!([0, 1, 100_000].map(limit), [100, 1, 1000]);
    }

    #[test]
    fn the_case_does_not_matter_and_nothing_is_in_all() {
        assert!(Needle::new(" issueMODEL").is_in(&["", "CreateIssueModel"]));
        assert!(!Needle::new("view").is_in(&["CreateIssueModel"]));
        assert!(Needle::new("").is_in(&[]));
    }
}
