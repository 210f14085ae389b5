//! Reads out of the descriptors what the generator needs: methods, their options, and the messages of `Any`.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, MethodDescriptor, Value};

/// The API as its descriptors state it.
#[derive(Debug)]
pub(crate) struct Contract {
    /// Every RPC, in the order of the proto.
    pub(crate) methods: Vec<Method>,
    /// Every message that an `Any` of this API can hold, by full name.
    pub(crate) payloads: BTreeMap<String, MessageDescriptor>,
    /// The API's own resources, in the order of the protos.
    pub(crate) resources: Vec<Resource>,
}

/// A resource, from `google.api.resource` (AIP-123).
#[derive(Debug)]
pub(crate) struct Resource {
    /// Name of the message, without its package.
    pub(crate) message: String,
    /// The resource type, `service/Kind`.
    pub(crate) kind: String,
    pub(crate) patterns: Vec<String>,
}

/// One RPC.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) service: String,
    pub(crate) name: String,
    /// The proto's comment, a line each.
    pub(crate) comment: Vec<String>,
    pub(crate) input: MessageDescriptor,
    pub(crate) output: MessageDescriptor,
    /// From `google.api.http`: `GET`, `POST`, …; an RPC without binding is taken for a mutation.
    pub(crate) verb: String,
    /// The URI template of the first binding.
    pub(crate) template: String,
    /// Fields of the request, dotted, that `google.api.http` binds in the path.
    pub(crate) routing: Vec<String>,
    /// From `google.longrunning.operation_info`: response and metadata.
    pub(crate) operation: Option<(MessageDescriptor, MessageDescriptor)>,
    /// What a `List` method pages over.
    pub(crate) page: Option<Page>,
    /// How a resource is created whose id the caller may choose.
    pub(crate) create: Option<Create>,
}

/// A `Create` method with a client-chosen id (AIP-133), and how to look whether the resource is there.
#[derive(Debug)]
pub(crate) struct Create {
    /// The field of the request that holds the id, and the one that holds the resource.
    pub(crate) id: String,
    pub(crate) body: String,
    /// The segment between parent and id in the resource's name.
    pub(crate) collection: String,
    /// The method that gets the resource, and the number of `name` in its request.
    pub(crate) get: (String, u32),
    /// Fields that the server sets, or does not give back: they say nothing of who created the resource.
    pub(crate) ignored: Vec<u32>,
}

/// How a `List` method pages (AIP-158).
#[derive(Debug)]
pub(crate) struct Page {
    /// The repeated field of the response, and its type.
    pub(crate) items: (String, MessageDescriptor),
    /// Numbers of `page_size` and `page_token` in the request; none where the method gives all in one page.
    pub(crate) fields: Option<(u32, u32)>,
}

impl Method {
    /// Whether the call may be retried without changing what it does: AIP-131 and AIP-132, HTTP GET.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.verb == "GET"
    }
}

impl Contract {
    /// Reads a serialized descriptor set.
    pub(crate) fn read(set: &[u8], services: &[&str]) -> Result<Self, String> {
        let pool = DescriptorPool::decode(set).map_err(|e| e.to_string())?;
        let mut methods = Vec::new();
        for name in services {
            let service = pool.get_service_by_name(name).ok_or_else(|| format!("no service {name}"))?;
            for method in service.methods() {
                methods.push(read_method(&pool, &method)?);
            }
        }
        Ok(Self { payloads: payloads(&pool, &methods), resources: resources(&pool), methods })
    }
}

fn read_method(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<Method, String> {
    let http = option(pool, &method.options(), "google.api.http");
    let (verb, template) = http.as_ref().and_then(binding).unwrap_or_default();
    let comment = method
        .parent_file()
        .file_descriptor_proto()
        .source_code_info
        .iter()
        .flat_map(|info| &info.location)
        .find(|location| location.path == method.path())
        .and_then(|location| location.leading_comments.clone())
        .unwrap_or_default();
    Ok(Method {
        service: method.parent_service().full_name().to_owned(),
        name: method.name().to_owned(),
        comment: comment.lines().map(|line| line.trim().to_owned()).collect(),
        input: method.input(),
        output: method.output(),
        routing: variables(&template),
        verb,
        template,
        operation: operation_info(pool, method)?,
        create: create(pool, method, http.as_ref()),
        page: page(method),
    })
}

fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let extension = pool.get_extension_by_name(name)?;
    let value = options.has_extension(&extension).then(|| options.get_extension(&extension))?;
    value.as_message().cloned()
}

fn binding(http: &DynamicMessage) -> Option<(String, String)> {
    ["get", "put", "post", "delete", "patch"].iter().find_map(|verb| {
        let template = http.has_field_by_name(verb).then(|| http.get_field_by_name(verb))?;
        Some((verb.to_uppercase(), template?.as_str()?.to_owned()))
    })
}

/// `/v1/{a.b=projects/*}/c/{d}` binds `a.b` and `d`.
fn variables(template: &str) -> Vec<String> {
    template.split('{').skip(1).filter_map(|part| part.split(['=', '}']).next()).map(str::to_owned).collect()
}

fn operation_info(
    pool: &DescriptorPool,
    method: &MethodDescriptor,
) -> Result<Option<(MessageDescriptor, MessageDescriptor)>, String> {
    let Some(info) = option(pool, &method.options(), "google.longrunning.operation_info") else {
        return Ok(None);
    };
    let resolve = |field: &str| {
        let value = info.get_field_by_name(field);
        let name = value.as_deref().and_then(Value::as_str).unwrap_or_default();
        // A name without a dot is one of the method's own package (google/longrunning/operations.proto).
        let full = if name.contains('.') {
            name.to_owned()
        } else {
            format!("{}.{name}", method.parent_file().package_name())
        };
        pool.get_message_by_name(&full)
            .ok_or_else(|| format!("{}: operation_info names unknown {full}", method.full_name()))
    };
    Ok(Some((resolve("response_type")?, resolve("metadata_type")?)))
}

fn create(pool: &DescriptorPool, method: &MethodDescriptor, http: Option<&DynamicMessage>) -> Option<Create> {
    let resource = method.output();
    let pattern = patterns(pool, &resource)?.into_iter().next()?;
    let collection = pattern.rsplit('/').nth(1)?.to_owned();
    let body = http?.get_field_by_name("body")?.as_str()?.to_owned();
    let id = format!("{body}_id");
    let service = method.parent_service();
    let get = service.methods().find(|get| get.name() == format!("Get{}", resource.name()))?;
    let name = get.input().get_field_by_name("name")?.number();
    let has_id = method.name().starts_with("Create") && method.input().get_field_by_name(&id).is_some();
    has_id.then(|| Create {
        id,
        body,
        collection,
        get: (get.name().to_owned(), name),
        ignored: ignored(pool, &resource),
    })
}

/// The name, and what `google.api.field_behavior` calls `OUTPUT_ONLY`, `INPUT_ONLY` or `IDENTIFIER`.
fn ignored(pool: &DescriptorPool, resource: &MessageDescriptor) -> Vec<u32> {
    const NOT_COMPARED: [i32; 3] = [3, 4, 8];
    let behavior = pool.get_extension_by_name("google.api.field_behavior");
    let is_ignored = |field: &prost_reflect::FieldDescriptor| {
        let Some(behavior) = &behavior else { return false };
        let options = field.options();
        let values = options.get_extension(behavior);
        field.name() == "name"
            || values.as_list().is_some_and(|list| {
                list.iter().filter_map(Value::as_enum_number).any(|number| NOT_COMPARED.contains(&number))
            })
    };
    resource.fields().filter(is_ignored).map(|field| field.number()).collect()
}

fn page(method: &MethodDescriptor) -> Option<Page> {
    if !method.name().starts_with("List") {
        return None;
    }
    let output = method.output();
    let mut repeated = output.fields().filter(prost_reflect::FieldDescriptor::is_list).filter_map(|field| {
        let Kind::Message(item) = field.kind() else { return None };
        Some((field.name().to_owned(), item))
    });
    let number = |field: &str| Some(method.input().get_field_by_name(field)?.number());
    Some(Page { items: repeated.next()?, fields: number("page_size").zip(number("page_token")) })
}

fn patterns(pool: &DescriptorPool, message: &MessageDescriptor) -> Option<Vec<String>> {
    let resource = option(pool, &message.options(), "google.api.resource")?;
    let patterns = resource.get_field_by_name("pattern")?;
    Some(patterns.as_list()?.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn resources(pool: &DescriptorPool) -> Vec<Resource> {
    let read = |message: MessageDescriptor| {
        let resource = option(pool, &message.options(), "google.api.resource")?;
        let patterns = patterns(pool, &message)?;
        let kind = resource.get_field_by_name("type")?.as_str()?.to_owned();
        Some(Resource { message: message.name().to_owned(), kind, patterns })
    };
    pool.files().flat_map(|file| file.messages().filter_map(read).collect::<Vec<_>>()).collect()
}

/// Results and metadata of operations; resources, which operations that the published protos lack end in;
/// `google.rpc`, which the details of a status hold.
fn payloads(pool: &DescriptorPool, methods: &[Method]) -> BTreeMap<String, MessageDescriptor> {
    let promised = methods.iter().filter_map(|method| method.operation.clone());
    let resources = pool.all_messages().filter(|message| {
        message.parent_message().is_none()
            && option(pool, &message.options(), "google.api.resource").is_some()
    });
    let details = pool
        .all_messages()
        .filter(|message| message.parent_message().is_none() && message.package_name() == "google.rpc");
    promised
        .flat_map(|(response, metadata)| [response, metadata])
        .chain(resources)
        .chain(details)
        .map(|message| (message.full_name().to_owned(), message))
        .collect()
}
