//! One method: its request and response, where its names stand, and how it pages.

use contact_center_insights::call::{Method, Routing};
use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor, MethodDescriptor};
use serde_json::Value;

use crate::http_rule::{self, HttpRule};

const OPERATION: &str = "google.longrunning.Operation";
/// The patterns of names of the service configuration; `operations.proto` has those of any service.
const LOCATION: &str = "projects/*/locations/*";
const SOME_OPERATION: &str = "projects/*/locations/*/operations/*";

/// One method.
#[derive(Debug)]
pub(crate) struct Rpc {
    method: &'static Method,
    descriptor: MethodDescriptor,
    rule: Option<HttpRule>,
}

/// What a call is about: the field of the request that the path begins with, and the pattern of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Dotted, as the proto spells it: `parent`, `view.name`.
    pub(crate) field: String,
    /// Such as `projects/*/locations/*/views/*`.
    pub(crate) pattern: String,
}

impl Target {
    /// What its name has below the location, where a location has only one such: nothing for the location itself.
    pub(crate) fn fixed_end(&self) -> Option<&str> {
        self.pattern.strip_prefix(LOCATION).filter(|below| !below.contains('*'))
    }
}

impl Rpc {
    pub(super) fn new(pool: &DescriptorPool, method: &'static Method, descriptor: MethodDescriptor) -> Self {
        let rule = http_rule::of(pool, &descriptor).into_iter().next();
        Self { method, descriptor, rule }
    }

    /// The name of the method within its service.
    pub(crate) fn name(&self) -> &'static str {
        self.method.name()
    }

    pub(crate) fn method(&self) -> &'static Method {
        self.method
    }

    pub(crate) fn request(&self) -> MessageDescriptor {
        self.descriptor.input()
    }

    pub(crate) fn response(&self) -> MessageDescriptor {
        self.descriptor.output()
    }

    /// Whether it starts an operation.
    pub(crate) fn is_long_running(&self) -> bool {
        self.response().full_name() == OPERATION && !self.is_of_operations()
    }

    /// Whether it is one of `google.longrunning.Operations`.
    pub(crate) fn is_of_operations(&self) -> bool {
        self.descriptor.parent_service().full_name() == "google.longrunning.Operations"
    }

    /// Whether it deletes something at once, so that a slip cannot be undone.
    pub(crate) fn deletes(&self) -> bool {
        self.name().contains("Delete")
    }

    /// The field of the request that the body over REST is; none where it is all of the request, or nothing.
    pub(crate) fn body(&self) -> Option<FieldDescriptor> {
        let body = &self.rule.as_ref()?.body;
        self.request().get_field_by_name(body).filter(|field| field.kind().as_message().is_some())
    }

    /// What the call is about.
    pub(crate) fn target(&self) -> Option<Target> {
        if self.is_of_operations() {
            let pattern = if self.name() == "ListOperations" { LOCATION } else { SOME_OPERATION };
            return Some(Target { field: "name".into(), pattern: pattern.into() });
        }
        let (field, pattern) = self.rule.as_ref()?.variables().next()?;
        Some(Target { field: field.to_owned(), pattern: pattern.to_owned() })
    }

    /// The header that routes the call, from the fields of the request that its path binds.
    pub(crate) fn routing(&self, request: &Value) -> Routing {
        let Some(target) = self.target() else { return Routing::default() };
        Routing::new(&[(&target.field, self.text(request, &target.field))])
    }

    /// The text of a dotted field in a request in JSON, in whichever spelling it is there.
    pub(crate) fn text<'a>(&self, request: &'a Value, field: &str) -> &'a str {
        let (mut message, mut value) = (Some(self.request()), Some(request));
        for name in field.split('.') {
            let known = message.as_ref().and_then(|message| message.get_field_by_name(name));
            let json = known.as_ref().map_or(name, |field| field.json_name());
            value = value.and_then(|value| value.get(name).or_else(|| value.get(json)));
            message = known.and_then(|field| field.kind().as_message().cloned());
        }
        value.and_then(Value::as_str).unwrap_or_default()
    }

    /// The repeated field of the response that a `List` method gives; none for other methods.
    pub(crate) fn items(&self) -> Option<FieldDescriptor> {
        if !self.name().starts_with("List") {
            return None;
        }
        self.response().fields().find(|field| field.is_list() && field.kind().as_message().is_some())
    }

    /// Whether the response may be one page of many.
    pub(crate) fn is_paged(&self) -> bool {
        self.request().get_field_by_name("page_token").is_some()
            && self.response().get_field_by_name("next_page_token").is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Api;

    #[test]
    fn every_method_says_what_it_is_about() {
        let api = Api::get();
        assert_eq!(api.rpcs().len(), contact_center_insights::call::methods::ALL.len());
        for rpc in api.rpcs().iter().filter(|rpc| !rpc.is_of_operations()) {
            let target = rpc.target().unwrap();
            assert!(target.pattern.starts_with("projects/*/locations/*"), "{}: {target:?}", rpc.name());
            assert_eq!(rpc.items().is_some(), rpc.name().starts_with("List"), "{}", rpc.name());
        }
    }

    #[test]
    fn a_name_is_found_in_either_spelling() {
        let api = Api::get();
        let rpc = api.rpc("updateissuemodel").unwrap();
        assert_eq!(rpc.target().unwrap().field, "issue_model.name");
        for request in [json!({"issueModel": {"name": "x"}}), json!({"issue_model": {"name": "x"}})] {
            assert_eq!(rpc.text(&request, "issue_model.name"), "x");
        }
        assert_eq!(rpc.text(&json!({"issueModel": 7}), "issue_model.name"), "");
        assert_eq!(rpc.body().unwrap().name(), "issue_model");
    }
}
