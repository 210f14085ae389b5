//! The routes of all methods, and which of them a path is of.

use std::sync::OnceLock;

use super::template::Template;
use crate::contract::{Contract, Method};
use crate::edit_distance::edit_distance;

/// How many templates are named to a caller whose path is unknown.
const NEAREST: usize = 3;

/// One `google.api.http` binding of one method.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: &'static Method,
    /// Empty, `*`, or the field that the body is.
    pub(super) body: String,
    verb: String,
    text: String,
    template: Template,
}

impl Route {
    /// The fields that a path of this route binds.
    pub(super) fn variables<'a>(&'a self, path: &'a str) -> Vec<(&'a str, &'a str)> {
        self.template.matches(path).unwrap_or_default()
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Routes(Vec<Route>);

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// A method, with the fields that the path binds.
    Route(&'static Route, Vec<(&'a str, &'a str)>),
    /// Methods with other verbs, which are given.
    WrongVerb(Vec<&'a str>),
    /// Nothing; these come nearest.
    Nothing(Vec<String>),
}

impl Routes {
    pub(super) fn get() -> &'static Self {
        static ROUTES: OnceLock<Routes> = OnceLock::new();
        ROUTES.get_or_init(|| {
            let routes = Contract::get().methods().flat_map(|method| {
                method.bindings.iter().map(move |binding| Route {
                    method,
                    body: binding.body.clone(),
                    verb: binding.verb.clone(),
                    text: binding.template.clone(),
                    template: Template::parse(&binding.template),
                })
            });
            Self(routes.collect())
        })
    }

    pub(super) fn find<'a>(&'static self, verb: &str, path: &'a str) -> Found<'a> {
        let mut allowed = Vec::new();
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        let may_match =
            |route: &&Route| route.template.may_match(segments.len()) && route.template.is_like(&segments);
        for route in self.0.iter().filter(may_match) {
            let Some(variables) = route.template.matches(path) else { continue };
            if route.verb == verb {
                return Found::Route(route, variables);
            }
            allowed.push(route.verb.as_str());
        }
        if allowed.is_empty() { Found::Nothing(self.nearest(path)) } else { Found::WrongVerb(allowed) }
    }

    /// Those that share the longest beginning with `path`; among them, those whose ends are most alike.
    fn nearest(&self, path: &str) -> Vec<String> {
        let found: Vec<&str> = path.trim_matches('/').split('/').collect();
        let rank = |route: &Route| {
            let fit = route.template.common(&found);
            let tail = found.get(fit..).unwrap_or_default().join("/");
            (usize::MAX - fit, edit_distance(&tail, &route.template.tail(fit)))
        };
        let mut ranked: Vec<_> = self.0.iter().map(|route| (rank(route), route)).collect();
        ranked.retain(|((unfit, _), _)| *unfit < usize::MAX);
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.iter().take(NEAREST).map(|(_, route)| format!("{} {}", route.verb, route.text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(verb: &str, path: &str) -> String {
        match Routes::get().find(verb, path) {
            Found::Route(route, _) => route.method.name.clone(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn methods_are_found_by_verb_and_path() {
        let l = "/v1/projects/p/locations/l";
        for (verb, path, name) in [
            ("GET", "/conversations", "ListConversations"),
            ("POST", "/conversations", "CreateConversation"),
            ("POST", "/conversations:upload", "UploadConversation"),
            ("GET", "/conversations:calculateStats", "CalculateStats"),
            ("GET", "/authorizedViewSet/s/authorizedView/v:calculateStats", "CalculateStats"),
            ("POST", "/encryptionSpec:initialize", "InitializeEncryptionSpec"),
            ("PATCH", "/qaScorecards/q/revisions/r/qaQuestions/x", "UpdateQaQuestion"),
            ("GET", "/operations", "ListOperations"),
            ("GET", "/operations/1", "GetOperation"),
            ("POST", "/operations/1:cancel", "CancelOperation"),
            ("POST", ":queryMetrics", "QueryMetrics"),
        ] {
            assert_eq!(method(verb, &format!("{l}{path}")), name);
        }
    }

    #[test]
    fn every_route_is_found_by_its_own_path() {
        for route in &Routes::get().0 {
            let path = route.text.replace("**", "x/y").replace('*', "x");
            let path: String = path
                .split_inclusive('}')
                .map(|part| match part.split_once('{') {
                    Some((before, variable)) => {
                        let pattern = variable.trim_end_matches('}').split('=').nth(1).unwrap_or("x");
                        format!("{before}{pattern}")
                    }
                    None => part.to_owned(),
                })
                .collect();
            assert_eq!(method(&route.verb, &path), route.method.name, "{path}");
        }
    }

    #[test]
    fn unknown_paths_are_answered_with_the_nearest() {
        let Found::Nothing(nearest) = Routes::get().find("GET", "/v1/projects/p/locations/l/issueModel")
        else {
            panic!("found");
        };
        assert_eq!(nearest.len(), NEAREST);
        assert!(
            nearest.contains(&"GET /v1/{parent=projects/*/locations/*}/issueModels".to_owned()),
            "{nearest:?}"
        );
        let path = "/v1/projects/p/locations/l/operations/1";
        assert!(
            matches!(Routes::get().find("DELETE", path), Found::WrongVerb(allowed) if allowed == ["GET"])
        );
    }
}
