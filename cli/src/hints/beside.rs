//! The command that lists what stands beside a name, for one who asked for what is not there.

use crate::api::{Api, Place, kebab};
use crate::name::parent;

/// The words of the command: that of the resource, or else the call of REST. None for an operation, a location, and what
/// has no form.
pub(super) fn list(name: &str) -> Option<Vec<String>> {
    let (above, collection) = beside(name).filter(|(_, collection)| *collection != "operations")?;
    let words = match group(collection) {
        Some(group) => [group.as_slice(), &["list", above, "-o", "name"]].concat(),
        None => return Some(vec!["rest".into(), "GET".into(), format!("v1/{above}/{collection}")]),
    };
    Some(words.into_iter().map(str::to_owned).collect())
}

/// The collection that a name below a location is of, or is, and what it is in; none of a location.
fn beside(name: &str) -> Option<(&str, &str)> {
    let below = name.strip_prefix(parent(name).as_str())?.trim_matches('/');
    // What a path has behind its name, such as `:undeploy`.
    let path = name.split(':').next().filter(|path| path.contains("/locations/")).unwrap_or(name);
    let is_resource = below.split('/').count() % 2 == 0;
    let collection = if is_resource { path.rsplit_once('/')?.0 } else { path };
    collection.rsplit_once('/').filter(|_| !below.is_empty())
}

/// The group of commands that lists a collection, if one does.
fn group(collection: &str) -> Option<Vec<&'static str>> {
    let name = kebab(collection);
    let places = Api::get().rpcs().iter().filter_map(|rpc| Place::of(rpc.name()));
    let mut found = places.filter(|place| place.verb == "list" && place.group == [name.as_str()]);
    found.next().map(|place| place.group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_answered_by_what_is_beside_it() {
        let here = "projects/p/locations/l";
        for (name, command) in [
            ("/views/1", "views list projects/p/locations/l -o name"),
            ("/views", "views list projects/p/locations/l -o name"),
            ("/conversations/1/analyses/2", "analyses list projects/p/locations/l/conversations/1 -o name"),
            ("/issueModels/7:undeploy", "issue-models list projects/p/locations/l -o name"),
            ("/qaScorecards/7", "rest GET v1/projects/p/locations/l/qaScorecards"),
            ("/newThings/7/parts/8", "rest GET v1/projects/p/locations/l/newThings/7/parts"),
        ] {
            let words = list(&format!("{here}{name}")).unwrap_or_default();
            assert_eq!(words.join(" "), command, "{name}");
        }
        for other in ["", "projects/p", here, "projects/p/locations/l/operations/1", "views/1"] {
            assert_eq!(list(other), None, "{other}");
        }
    }
}
