//! Resource names and the forms they have.

use contact_center_insights::Status;

use crate::contract::{ResourceType, fits};
use crate::errors;

/// What a name looks like: `projects/{project}/locations/{location}`, with a segment in braces for any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(pub(crate) &'static str);

pub(crate) const LOCATION: Pattern = Pattern("projects/{project}/locations/{location}");
pub(crate) const OPERATION: Pattern =
    Pattern("projects/{project}/locations/{location}/operations/{operation}");

/// Where the service is, by its page on regions; and `global`, where users have resources too.
const LOCATIONS: [&str; 18] = [
    "global",
    "us",
    "us-central1",
    "us-east1",
    "us-west1",
    "northamerica-northeast1",
    "eu",
    "europe-west1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "asia-northeast1",
    "asia-northeast3",
    "asia-south1",
    "asia-southeast1",
    "asia-southeast2",
    "australia-southeast1",
];

/// The hosts of the API, as clients ask for them: for all locations, with a client certificate, and for one location.
pub(crate) fn api_hosts() -> impl Iterator<Item = String> {
    const DOMAIN: &str = "googleapis.com";
    let regional = LOCATIONS.iter().filter(|location| **location != "global");
    let regional = regional.map(|location| format!("{location}-contactcenterinsights.{DOMAIN}"));
    ["contactcenterinsights", "contactcenterinsights.mtls"]
        .map(|name| format!("{name}.{DOMAIN}"))
        .into_iter()
        .chain(regional)
}

/// `PERMISSION_DENIED` if a name is in a location that the service is not in. What is not the name of a resource is left
/// to others.
pub(crate) fn check_location(name: &str) -> Result<(), Status> {
    let location = match name.split('/').collect::<Vec<_>>().as_slice() {
        ["projects", _, "locations", location, ..] => (*location).to_owned(),
        _ => return Ok(()),
    };
    if location.is_empty() || LOCATIONS.contains(&location.as_str()) {
        return Ok(());
    }
    Err(errors::no_location(project(name), &location))
}

impl Pattern {
    /// Whether `name` follows the pattern. A segment may be anything that is not empty.
    pub(crate) fn matches(self, name: &str) -> bool {
        fits(self.0, name)
    }

    /// `INVALID_ARGUMENT` that shows the pattern, if `name` in `field` does not follow it.
    pub(crate) fn check(self, field: &str, name: &str) -> Result<(), Status> {
        if self.matches(name) { Ok(()) } else { Err(malformed(field, name, self.0)) }
    }
}

/// `INVALID_ARGUMENT` that shows the form, if `name` in `field` is not one of this resource.
pub(crate) fn check(resource: &ResourceType, field: &str, name: &str) -> Result<(), Status> {
    if resource.matches(name) { Ok(()) } else { Err(malformed(field, name, resource.pattern())) }
}

/// The same for the parent of such a resource.
pub(crate) fn check_parent(resource: &ResourceType, field: &str, name: &str) -> Result<(), Status> {
    let below =
        if resource.is_singleton() { name.to_owned() } else { format!("{name}/{}/x", resource.collection()) };
    if resource.matches(&below) { Ok(()) } else { Err(malformed(field, name, resource.parent_pattern())) }
}

fn malformed(field: &str, name: &str, pattern: &str) -> Status {
    errors::invalid(field, &format!("`{name}` is not of the form `{pattern}`"))
}

/// `projects/P/locations/L` of a resource's name, as the caller wrote it.
pub(crate) fn location(name: &str) -> &str {
    split(name).0
}

/// What is below a location: `conversations/C` of `projects/P/locations/L/conversations/C`.
pub(crate) fn below(name: &str) -> &str {
    split(name).1
}

/// `P` of `projects/P/locations/L`.
pub(crate) fn project(name: &str) -> &str {
    name.split('/').nth(1).unwrap_or_default()
}

/// `L` of `projects/P/locations/L`.
pub(crate) fn location_id(name: &str) -> &str {
    name.split('/').nth(3).unwrap_or_default()
}

/// The name of what a resource lies below: two segments less.
pub(crate) fn above(name: &str) -> &str {
    let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
    parent.rsplit_once('/').map_or("", |(above, _)| above)
}

/// The last segment.
pub(crate) fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn split(name: &str) -> (&str, &str) {
    let mut cuts = name.bytes().enumerate().filter(|(_, byte)| *byte == b'/').map(|(at, _)| at);
    let cut = cuts.nth(3).and_then(|at| Some((name.get(..at)?, name.get(at + 1..)?)));
    cut.unwrap_or((name, ""))
}

/// An id as users choose them for conversations and what belongs to quality assurance.
pub(crate) fn check_id(field: &str, id: &str) -> Result<(), Status> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (4..=64).contains(&id.len()) && id.chars().all(allowed) {
        return Ok(());
    }
    Err(errors::invalid(field, &format!("`{id}` does not match `^[a-z0-9-]{{4,64}}$`")))
}

#[cfg(test)]
mod tests {
    use crate::contract::Contract;

    use super::*;

    #[test]
    fn the_error_shows_the_pattern() {
        let error = OPERATION.check("name", "operations/1").unwrap_err();
        assert!(error.message().contains("projects/{project}/locations/{location}/operations/{operation}"));
        let issue = Contract::get().resource("Issue").unwrap();
        let error = check_parent(issue, "parent", "projects/p/locations/l").unwrap_err();
        assert!(
            error.message().ends_with("`projects/{project}/locations/{location}/issueModels/{issue_model}`")
        );
        assert!(check_parent(issue, "parent", "projects/p/locations/l/issueModels/m").is_ok());
        assert!(check(issue, "name", "projects/p/locations/l/issueModels/m/issues/i").is_ok());
    }

    #[test]
    fn a_name_is_cut_below_its_location() {
        let name = "projects/p/locations/l/conversations/c/analyses/a";
        assert_eq!((location(name), below(name)), ("projects/p/locations/l", "conversations/c/analyses/a"));
        assert_eq!((project(name), id(name)), ("p", "a"));
        assert_eq!((location_id(name), above(name)), ("l", "projects/p/locations/l/conversations/c"));
        assert_eq!((location("projects/p/locations/l"), below("x")), ("projects/p/locations/l", ""));
    }

    #[test]
    fn p24_the_service_is_in_some_locations() {
        for there in [
            "projects/p/locations/eu/views/1",
            "projects/p/locations/global",
            "",
            "x",
            "projects/p/locations/",
        ] {
            assert_eq!(check_location(there), Ok(()), "{there}");
        }
        let error = check_location("projects/p/locations/mars/views/1").unwrap_err();
        assert_eq!(error.message(), "Permission denied on 'locations/mars' (or it may not exist).");
    }

    #[test]
    fn r30_ids_have_four_to_sixty_four_of_few_characters() {
        for bad in ["abc", "A234", "a_bc", &"a".repeat(65), "abc/", "äbcd"] {
            assert!(check_id("conversation_id", bad).unwrap_err().message().contains("{4,64}"), "{bad}");
        }
        assert!(check_id("conversation_id", "a-12").is_ok());
    }
}
