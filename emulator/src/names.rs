//! The `names` room: resource names and the patterns they follow.

use contact_center_insights::Status;

use crate::fault;

/// What a name looks like: `projects/{project}/locations/{location}`, with a segment in braces for any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(pub(crate) &'static str);

pub(crate) const LOCATION: Pattern = Pattern("projects/{project}/locations/{location}");
pub(crate) const OPERATION: Pattern =
    Pattern("projects/{project}/locations/{location}/operations/{operation}");

impl Pattern {
    /// Whether `name` follows the pattern. A segment may be anything that is not empty.
    pub(crate) fn matches(self, name: &str) -> bool {
        let mut segments = name.split('/');
        let fits = self.0.split('/').all(|wanted| {
            segments.next().is_some_and(|found| {
                if wanted.starts_with('{') { !found.is_empty() } else { found == wanted }
            })
        });
        fits && segments.next().is_none()
    }

    /// `INVALID_ARGUMENT` that shows the pattern, if `name` in `field` does not follow it.
    pub(crate) fn check(self, field: &str, name: &str) -> Result<(), Status> {
        if self.matches(name) {
            return Ok(());
        }
        Err(fault::invalid(field, &format!("`{name}` is not of the form `{}`", self.0)))
    }
}

/// `projects/P/locations/L` of a resource's name, as the caller wrote it.
pub(crate) fn location(name: &str) -> &str {
    let mut cuts = name.match_indices('/').map(|(at, _)| at);
    cuts.nth(3).and_then(|at| name.get(..at)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_segment_by_segment() {
        for good in
            ["projects/p/locations/l/operations/1", "projects/a.com:b/locations/eu/operations/OPERATION_ID"]
        {
            assert!(OPERATION.matches(good), "{good}");
        }
        for bad in [
            "",
            "projects/p/locations/l",
            "projects//locations/l/operations/1",
            "projects/p/locations/l/operations/",
            "projects/p/locations/l/operations/1/x",
            "/projects/p/locations/l/operations/1",
            "folders/p/locations/l/operations/1",
        ] {
            assert!(!OPERATION.matches(bad), "{bad}");
        }
    }

    #[test]
    fn the_error_shows_the_pattern() {
        let error = OPERATION.check("name", "operations/1").unwrap_err();
        assert!(error.message().contains("projects/{project}/locations/{location}/operations/{operation}"));
    }

    #[test]
    fn a_location_is_as_it_was_written() {
        let name = "projects/p/locations/l/conversations/c/analyses/a";
        assert_eq!(location(name), "projects/p/locations/l");
        assert_eq!(location("projects/p/locations/l"), "projects/p/locations/l");
    }
}
