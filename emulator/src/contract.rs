//! What the descriptors state about methods, resources and fields, read once per process.

mod options;
mod resource;
mod shape;

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor, MethodDescriptor};

pub(crate) use self::options::Binding;
use self::options::{bindings, option, text};
pub(crate) use self::resource::{ResourceType, fits};
pub(crate) use self::shape::{Shape, Trait};

/// The service that the API defines.
pub(crate) const INSIGHTS: &str = "google.cloud.contactcenterinsights.v1.ContactCenterInsights";
/// The service that operations are read through.
pub(crate) const OPERATIONS: &str = "google.longrunning.Operations";

/// What references to locations say that they refer to.
const LOCATION_TYPE: &str = "locations.googleapis.com/Location";

/// Where the service answers operations over HTTP. `operations.proto` states patterns for any service; which of
/// them a service has, and where, is stated by its service configuration, and these three are all of this one's.
const OPERATION_BINDINGS: [(&str, &str, &str); 3] = [
    ("GetOperation", "GET", "/v1/{name=projects/*/locations/*/operations/*}"),
    ("ListOperations", "GET", "/v1/{name=projects/*/locations/*}/operations"),
    ("CancelOperation", "POST", "/v1/{name=projects/*/locations/*/operations/*}:cancel"),
];

/// Both services, their resources, and how the fields of every message behave.
#[derive(Debug)]
pub(crate) struct Contract {
    methods: HashMap<String, Method>,
    /// Paths in order, for whoever goes through them all.
    order: Vec<String>,
    resources: Vec<ResourceType>,
    shapes: HashMap<String, Shape>,
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
    /// The standard method that it is, and the place of its resource among [`Contract::resources`].
    pub(crate) standard: Option<(Standard, usize)>,
    /// The place of the resource that `parent` names, unless it names a location.
    pub(crate) parent: Option<usize>,
}

/// The five methods that most resources have (AIP-131 to AIP-135).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standard {
    Get,
    List,
    Create,
    Update,
    Delete,
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
        self.order.iter().filter_map(|path| self.methods.get(path))
    }

    /// The names of the long-running methods, in order.
    pub(crate) fn long_running(&self) -> impl Iterator<Item = &str> {
        self.methods().filter(|method| method.operation.is_some()).map(|method| method.name.as_str())
    }

    /// The API's own resources, in order of the names of their messages.
    pub(crate) fn resources(&self) -> &[ResourceType] {
        &self.resources
    }

    /// The resource of this message, such as `IssueModel`.
    pub(crate) fn resource(&self, message: &str) -> Option<&ResourceType> {
        self.resources.iter().find(|resource| resource.message.name() == message)
    }

    /// The resource that has names of this form, and no other has.
    pub(crate) fn resource_named(&self, name: &str) -> Option<&ResourceType> {
        let depth = name.split('/').count();
        self.resources.iter().find(|resource| resource.may_match(depth) && resource.matches(name))
    }

    /// Whether a string of a request addresses something of this API: a resource, a location or an operation.
    pub(crate) fn is_address(field: &FieldDescriptor) -> bool {
        let reference = option(field.parent_pool(), &field.options(), "google.api.resource_reference");
        let is_own = |kind: String| kind.starts_with(resource::OWN) || kind == LOCATION_TYPE;
        match reference {
            Some(reference) => is_own(text(&reference, "type")) || is_own(text(&reference, "child_type")),
            None => ["name", "parent", "location"].contains(&field.name()),
        }
    }

    /// How the fields of a message behave, by its full name.
    pub(crate) fn shape(&self, message: &str) -> Option<&Shape> {
        self.shapes.get(message)
    }

    /// Whether `google.api.field_behavior` says so of a field.
    pub(crate) fn behaves(&self, field: &FieldDescriptor, behavior: Trait) -> bool {
        self.shape(field.parent_message().full_name())
            .is_some_and(|shape| shape.has(field.number(), behavior))
    }

    /// Empty if the embedded descriptors were broken, which they cannot be: the library was built from them, and
    /// a test counts what is read here.
    fn read() -> Self {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
        let resources = resource::read(&pool);
        let services =
            pool.services().filter(|service| [INSIGHTS, OPERATIONS].contains(&service.full_name()));
        let methods: BTreeMap<String, Method> = services
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .map(|method| read_method(&pool, &resources, &method))
            .map(|method| (method.path.clone(), method))
            .collect();
        let order = methods.keys().cloned().collect();
        Self { shapes: shape::read(&pool), order, methods: methods.into_iter().collect(), resources }
    }
}

fn read_method(pool: &DescriptorPool, resources: &[ResourceType], method: &MethodDescriptor) -> Method {
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
        standard: standard(resources, method),
        parent: parent(pool, resources, &method.input()),
        operation,
    }
}

/// What the field `parent` refers to, if that is a resource of this API.
fn parent(pool: &DescriptorPool, resources: &[ResourceType], input: &MessageDescriptor) -> Option<usize> {
    let field = input.get_field_by_name("parent")?;
    let reference = option(pool, &field.options(), "google.api.resource_reference")?;
    let stated = text(&reference, "type");
    let name = stated.strip_prefix(resource::OWN)?;
    resources.iter().position(|resource| resource.message.name() == name)
}

/// A standard method answers at once, and its name is a verb and a resource.
fn standard(resources: &[ResourceType], method: &MethodDescriptor) -> Option<(Standard, usize)> {
    let verbs = [
        ("Get", Standard::Get),
        ("List", Standard::List),
        ("Create", Standard::Create),
        ("Update", Standard::Update),
        ("Delete", Standard::Delete),
    ];
    let (noun, verb) =
        verbs.iter().find_map(|(prefix, verb)| Some((method.name().strip_prefix(prefix)?, *verb)))?;
    let message = match verb {
        Standard::List => listed(&method.output())?.name().to_owned(),
        _ => noun.to_owned(),
    };
    let place = resources.iter().position(|resource| resource.message.name() == message)?;
    let answer = method.output();
    let fits = match verb {
        Standard::Get | Standard::Create | Standard::Update => answer.name() == message,
        Standard::List => method.input().get_field_by_name("parent").is_some(),
        Standard::Delete => answer.full_name() == "google.protobuf.Empty",
    };
    fits.then_some((verb, place))
}

/// The message that a page is made of: its items are its first field (AIP-132).
fn listed(page: &MessageDescriptor) -> Option<MessageDescriptor> {
    let items = page.get_field(1).filter(FieldDescriptor::is_list)?;
    items.kind().as_message().cloned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use contact_center_insights::call;

    use super::*;

    #[test]
    fn every_method_and_binding_of_the_api_is_read() {
        let contract = Contract::get();
        let read = contract.methods().map(|method| method.path.as_str()).collect::<BTreeSet<_>>();
        let known = call::methods::ALL.iter().map(|method| method.path().trim_start_matches('/'));
        assert_eq!(read, known.collect());
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
    fn r19_lists_have_the_verb_get_no_body_and_their_items_first() {
        let is_list = |m: &&Method| m.name.starts_with("List");
        let lists: Vec<&Method> = Contract::get().methods().filter(is_list).collect();
        assert_eq!(lists.len(), 12 + 1);
        for method in lists {
            assert!(listed(&method.output).is_some(), "{}", method.name);
            assert!(method.bindings.iter().all(|binding| binding.verb == "GET" && binding.body.is_empty()));
        }
    }

    #[test]
    fn r44_nothing_has_an_etag_so_that_none_is_compared() {
        let pool = Contract::get().methods().next().unwrap().input.parent_pool().clone();
        assert!(pool.all_messages().all(|message| message.get_field_by_name("etag").is_none()));
    }

    #[test]
    fn standard_methods_are_known_by_their_descriptors() {
        let of = |wanted: Standard| {
            let methods = Contract::get().methods();
            methods.filter(|m| m.standard.is_some_and(|(found, _)| found == wanted)).count()
        };
        let kinds = [Standard::Get, Standard::List, Standard::Create, Standard::Update, Standard::Delete];
        assert_eq!(kinds.map(of), [13, 12, 8, 10, 10]);
    }

    #[test]
    fn parents_are_those_that_the_fields_refer_to() {
        let parent = |name: &str| {
            let index = Contract::get().method(&format!("{INSIGHTS}/{name}")).unwrap().parent?;
            Some(Contract::get().resources()[index].message.name().to_owned())
        };
        assert_eq!(parent("ListFeedbackLabels").as_deref(), Some("Conversation"));
        assert_eq!(parent("ListAllFeedbackLabels"), None);
    }

    #[test]
    fn operation_types_are_full_names() {
        let method = Contract::get().method(&format!("{INSIGHTS}/DeleteIssueModel")).unwrap();
        let (response, metadata) = method.operation.as_ref().unwrap();
        assert_eq!(response, "google.protobuf.Empty");
        assert_eq!(metadata, "google.cloud.contactcenterinsights.v1.DeleteIssueModelMetadata");
    }
}
