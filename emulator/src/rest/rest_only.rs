//! The methods that the REST API has and no published proto: they are told apart from paths that are misspelt.
//!
//! `rest_only.tsv` has them from the API's discovery document of revision 20261104: verb, path, and name below
//! `projects.locations`, with tabs between.

use std::sync::OnceLock;

use contact_center_insights::Status;

use super::reply;
use super::template::Template;
use crate::contract::OPERATIONS;
use crate::errors;

const METHODS: &str = include_str!("rest_only.tsv");

/// Of the interface of operations, and not of this service.
const UNSUPPORTED: [(&str, &str, &str); 2] = [
    ("DELETE", "/v1/projects/*/locations/*/operations/*", "DeleteOperation"),
    ("POST", "/v1/projects/*/locations/*/operations/*:wait", "WaitOperation"),
];

/// One that is not served.
struct Unserved {
    verb: &'static str,
    template: Template,
    name: &'static str,
    is_own: bool,
}

/// Why a request cannot be served, if the REST API has a method for it, or could have.
pub(super) fn refusal(verb: &str, path: &str) -> Option<Status> {
    static UNSERVED: OnceLock<Vec<Unserved>> = OnceLock::new();
    let unserved = UNSERVED.get_or_init(|| {
        let own = listed().map(|line| (line, true));
        let all = own.chain(UNSUPPORTED.into_iter().map(|line| (line, false)));
        let unserved =
            |((verb, path, name), is_own)| Unserved { verb, template: Template::parse(path), name, is_own };
        all.map(unserved).collect()
    });
    let found =
        unserved.iter().find(|method| method.verb == verb && method.template.matches(path).is_some())?;
    Some(if found.is_own {
        reply::rest_only(found.name)
    } else {
        errors::operations_lack(&format!("{OPERATIONS}/{}", found.name))
    })
}

fn listed() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    METHODS.lines().filter_map(|line| match line.split('\t').collect::<Vec<_>>().as_slice() {
        [verb, path, name] => Some((*verb, *path, *name)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use contact_center_insights::Code;

    use super::super::routes::{Found, Routes};
    use super::*;

    #[test]
    fn p30_each_of_106_methods_is_known_and_none_is_served() {
        assert_eq!(listed().count(), 106);
        for (verb, path, name) in listed() {
            let path = path.replace('*', "x");
            let refusal = refusal(verb, &path).unwrap_or_else(|| panic!("{verb} {path}"));
            assert_eq!(refusal.code(), Code::Unimplemented);
            assert!(
                refusal.message().contains(name) && refusal.message().contains("no published proto"),
                "{refusal}"
            );
            assert!(!matches!(Routes::get().find(verb, &path), Found::Route(..)), "{verb} {path}");
        }
    }

    #[test]
    fn p30_what_is_misspelt_is_none_of_them() {
        for (verb, path) in [
            ("GET", "/v1/projects/p/locations/l/dashboard"),
            ("PUT", "/v1/projects/p/locations/l/dashboards"),
            ("POST", "/v1/projects/p/locations/l:generativeInsight"),
            ("GET", "/v1/projects/p/locations/l/conversations"),
        ] {
            assert_eq!(refusal(verb, path), None, "{verb} {path}");
        }
    }

    #[test]
    fn r09_operations_cannot_be_deleted_or_waited_for() {
        let path = "/v1/projects/p/locations/l/operations/1";
        for (verb, path) in [("DELETE", path.to_owned()), ("POST", format!("{path}:wait"))] {
            let refusal = refusal(verb, &path).unwrap();
            assert!(refusal.message().contains("CancelOperation"), "{refusal}");
        }
    }
}
