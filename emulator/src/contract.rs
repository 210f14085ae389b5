//! The `contract` room: what the descriptors state about methods, read once per process.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor};

/// The service that the API defines.
pub(crate) const INSIGHTS: &str = "google.cloud.contactcenterinsights.v1.ContactCenterInsights";
/// The service that operations are read through.
pub(crate) const OPERATIONS: &str = "google.longrunning.Operations";

/// Where the service answers operations over HTTP. `operations.proto` states patterns for any service; which of
/// them a service has, and where, is stated by its service configuration, and these three are all of this one's.
const OPERATION_BINDINGS: [(&str, &str, &str); 3] = [
    ("GetOperation", "GET", "/v1/{name=projects/*/locations/*/operations/*}"),
    ("ListOperations", "GET", "/v1/{name=projects/*/locations/*}/operations"),
    ("CancelOperation", "POST", "/v1/{name=projects/*/locations/*/operations/*}:cancel"),
];

/// Both services, as their descriptors state them.
#[derive(Debug)]
pub(crate) struct Contract {
    methods: BTreeMap<String, Method>,
    field_behavior: Option<prost_reflect::ExtensionDescriptor>,
}

/// One RPC.
#[derive(Debug)]
pub(crate) struct Method {
    /// `package.Service/Method`.
    pub(crate) path: String,
    /// The name without service.
    pub(crate) name: String,
    pub(crate) input: MessageDescriptor,
    pub(crate) output: MessageDescriptor,
    pub(crate) bindings: Vec<Binding>,
    /// Full names of the types of response and metadata, of a long-running method.
    pub(crate) operation: Option<(String, String)>,
}

/// One `google.api.http` binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) verb: String,
    pub(crate) template: String,
    /// Empty, `*`, or the field that the body is.
    pub(crate) body: String,
}

/// What `google.api.field_behavior` says about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    Required = 2,
    OutputOnly = 3,
}

impl Contract {
    /// The contract; read when first asked for.
    pub(crate) fn get() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(Self::read)
    }

    /// The method at `package.Service/Method`.
    pub(crate) fn method(&self, path: &str) -> Option<&Method> {
        self.methods.get(path)
    }

    /// Every method, in order of path.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.methods.values()
    }

    /// The names of the long-running methods, in order.
    pub(crate) fn long_running(&self) -> impl Iterator<Item = &str> {
        self.methods().filter(|method| method.operation.is_some()).map(|method| method.name.as_str())
    }

    /// Whether `field` is annotated so.
    pub(crate) fn behaves(&self, field: &FieldDescriptor, behavior: Behavior) -> bool {
        let Some(extension) = &self.field_behavior else { return false };
        field
            .options()
            .get_extension(extension)
            .as_list()
            .is_some_and(|list| list.iter().any(|value| value.as_enum_number() == Some(behavior as i32)))
    }

    /// Empty if the embedded descriptors were broken, which they cannot be: the library was built from them, and
    /// a test counts what is read here.
    fn read() -> Self {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
        let services =
            pool.services().filter(|service| [INSIGHTS, OPERATIONS].contains(&service.full_name()));
        let methods = services
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .map(|method| read_method(&pool, &method))
            .map(|method| (method.path.clone(), method))
            .collect();
        Self { methods, field_behavior: pool.get_extension_by_name("google.api.field_behavior") }
    }
}

fn read_method(pool: &DescriptorPool, method: &MethodDescriptor) -> Method {
    let service = method.parent_service().full_name().to_owned();
    let bindings = if service == OPERATIONS {
        OPERATION_BINDINGS
            .iter()
            .filter(|(name, ..)| *name == method.name())
            .map(|(_, verb, template)| Binding {
                verb: (*verb).to_owned(),
                template: (*template).to_owned(),
                body: String::new(),
            })
            .collect()
    } else {
        option(pool, &method.options(), "google.api.http").map(|rule| bindings(&rule)).unwrap_or_default()
    };
    let operation = option(pool, &method.options(), "google.longrunning.operation_info").map(|info| {
        let package = method.parent_file().package_name().to_owned();
        // A name without a dot is one of the method's own package (google/longrunning/operations.proto).
        let full = |name: String| if name.contains('.') { name } else { format!("{package}.{name}") };
        (full(text(&info, "response_type")), full(text(&info, "metadata_type")))
    });
    Method {
        path: format!("{service}/{}", method.name()),
        name: method.name().to_owned(),
        input: method.input(),
        output: method.output(),
        bindings,
        operation,
    }
}

fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let extension = pool.get_extension_by_name(name)?;
    let value = options.has_extension(&extension).then(|| options.get_extension(&extension))?;
    value.as_message().cloned()
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn bindings(rule: &DynamicMessage) -> Vec<Binding> {
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
    own.chain(additional.filter_map(prost_reflect::Value::as_message).flat_map(bindings)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_and_binding_of_the_api_is_read() {
        let contract = Contract::get();
        let of = |service: &str| contract.methods().filter(|m| m.path.starts_with(service)).count();
        assert_eq!((of(INSIGHTS), of(OPERATIONS)), (74, 5));
        assert_eq!(contract.long_running().count(), 17);
        assert_eq!(contract.methods().map(|method| method.bindings.len()).sum::<usize>(), 76 + 3);
    }

    #[test]
    fn r09_delete_and_wait_have_no_route() {
        for name in ["DeleteOperation", "WaitOperation"] {
            let method = Contract::get().method(&format!("{OPERATIONS}/{name}")).unwrap();
            assert!(method.bindings.is_empty(), "{name}");
        }
    }

    #[test]
    fn operation_types_are_full_names() {
        let method = Contract::get().method(&format!("{INSIGHTS}/DeleteIssueModel")).unwrap();
        let (response, metadata) = method.operation.clone().unwrap();
        assert_eq!(response, "google.protobuf.Empty");
        assert_eq!(metadata, "google.cloud.contactcenterinsights.v1.DeleteIssueModelMetadata");
    }

    #[test]
    fn behaviors_are_read() {
        let method = Contract::get().method(&format!("{INSIGHTS}/CreateConversation")).unwrap();
        let field = method.input.get_field_by_name("parent").unwrap();
        assert!(Contract::get().behaves(&field, Behavior::Required));
        assert!(!Contract::get().behaves(&field, Behavior::OutputOnly));
    }
}
