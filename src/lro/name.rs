//! Names of operations, checked before anything is sent.

use crate::error::Error;

/// What an operation of this API is called. Those of an authorized view have two more pairs in the middle.
const PATTERN: &str = "projects/{project}/locations/{location}/operations/{operation}";

/// Accepts the two forms that the API serves; ids are any characters that a path segment can hold.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    let segments: Vec<&str> = name.split('/').collect();
    let collections: Vec<&str> = segments.iter().copied().step_by(2).collect();
    let is_known = matches!(
        collections.as_slice(),
        ["projects", "locations", "operations"]
            | ["projects", "locations", "authorizedViewSets", "authorizedViews", "operations"]
    );
    let is_id = |id: &&str| !id.is_empty() && !id.contains(|c: char| c.is_whitespace() || c.is_control());
    if is_known && segments.len().is_multiple_of(2) && segments.iter().skip(1).step_by(2).all(is_id) {
        Ok(())
    } else {
        Err(Error::Name { name: name.to_owned(), pattern: PATTERN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_pass() {
        for good in [
            "projects/p/locations/us-central1/operations/123",
            "projects/example.com:p/locations/l/operations/OPERATION_ID",
            "projects/p/locations/l/authorizedViewSets/s/authorizedViews/v/operations/1",
        ] {
            check(good).unwrap();
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_pattern() {
        for bad in [
            "",
            "123",
            "/projects/p/locations/l/operations/1",
            "projects/p/locations/l/operations/",
            "projects/p/locations/l/operations",
            "projects//locations/l/operations/1",
            "projects/p/locations/l/operations/1/",
            "projects/p/locations/l/operations/a b",
            "projects/p/locations/l/issueModels/1",
            "projects/p/locations/l/operations/1\n",
        ] {
            let error = check(bad).unwrap_err().to_string();
            assert!(error.contains(PATTERN) && error.contains(bad), "{error}");
        }
    }
}
