//! Reads the options that the descriptors carry as extensions.

use prost_reflect::{DescriptorPool, DynamicMessage, Value};

/// One `google.api.http` binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) verb: String,
    pub(crate) template: String,
    /// Empty, `*`, or the field that the body is.
    pub(crate) body: String,
}

/// The value of an extension that is a message, if it is set.
pub(super) fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let extension = pool.get_extension_by_name(name)?;
    let value = options.has_extension(&extension).then(|| options.get_extension(&extension))?;
    value.as_message().cloned()
}

/// A string inside such a message; empty if it is not there.
pub(super) fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A list of strings inside such a message.
pub(super) fn texts(message: &DynamicMessage, field: &str) -> Vec<String> {
    let value = message.get_field_by_name(field);
    let list = value.iter().filter_map(|value| value.as_list()).flatten();
    list.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The numbers of an extension that is a list of enum values.
pub(super) fn numbers(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Vec<i32> {
    let Some(extension) = pool.get_extension_by_name(name) else { return Vec::new() };
    let value = options.get_extension(&extension);
    value.as_list().into_iter().flatten().filter_map(Value::as_enum_number).collect()
}

/// A `google.api.http` rule and its additional bindings.
pub(super) fn bindings(rule: &DynamicMessage) -> Vec<Binding> {
    let own = ["get", "put", "post", "delete", "patch"]
        .iter()
        .filter(|verb| rule.has_field_by_name(verb))
        .map(|verb| Binding {
            verb: verb.to_uppercase(),
            template: text(rule, verb),
            body: text(rule, "body"),
        });
    let additional = rule.get_field_by_name("additional_bindings");
    let additional = additional.iter().filter_map(|value| value.as_list()).flatten();
    own.chain(additional.filter_map(Value::as_message).flat_map(bindings)).collect()
}
