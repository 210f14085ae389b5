//! What `google.api.http` says of a method: its verbs and paths over REST, and its body.

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

/// One binding of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpRule {
    /// `GET`, `POST`, …
    pub(crate) verb: String,
    /// The path, with its variables: `/v1/{name=projects/*/locations/*/views/*}`.
    pub(crate) template: String,
    /// `*` for all of the request, the name of a field, or nothing.
    pub(crate) body: String,
}

impl HttpRule {
    /// The variables of the path: each a field of the request, dotted, and the pattern of its value.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let parts = self.template.split(['{', '}']).skip(1).step_by(2);
        parts.map(|variable| variable.split_once('=').unwrap_or((variable, "*")))
    }
}

/// The bindings of a method, the main one first.
pub(crate) fn of(pool: &DescriptorPool, method: &MethodDescriptor) -> Vec<HttpRule> {
    let Some(http) = pool.get_extension_by_name("google.api.http") else { return Vec::new() };
    let rule = method.options().get_extension(&http).into_owned();
    let rules = rule.as_message().map(with_additional).unwrap_or_default();
    rules.iter().filter_map(read).collect()
}

fn read(rule: &DynamicMessage) -> Option<HttpRule> {
    let verb =
        ["get", "put", "post", "delete", "patch"].into_iter().find(|verb| rule.has_field_by_name(verb))?;
    Some(HttpRule { verb: verb.to_uppercase(), template: text(rule, verb), body: text(rule, "body") })
}

/// A rule and its additional bindings.
fn with_additional(rule: &DynamicMessage) -> Vec<DynamicMessage> {
    let more = rule.get_field_by_name("additional_bindings");
    let more = more.iter().filter_map(|value| value.as_list()).flatten();
    std::iter::once(rule.clone()).chain(more.filter_map(Value::as_message).cloned()).collect()
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::FILE_DESCRIPTOR_SET;

    use super::*;

    #[test]
    fn bindings_are_read_with_their_variables() {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
        let service = pool.services().find(|service| service.name() == "ContactCenterInsights").unwrap();
        let rules = |name: &str| of(&pool, &service.methods().find(|method| method.name() == name).unwrap());
        let update = &rules("UpdateView")[0];
        assert_eq!((update.verb.as_str(), update.body.as_str()), ("PATCH", "view"));
        let variables: Vec<_> = update.variables().collect();
        assert_eq!(variables, [("view.name", "projects/*/locations/*/views/*")]);
        assert_eq!(rules("CalculateStats").len(), 2);
    }
}
