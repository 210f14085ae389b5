//! Writes Rust from the contract, as text: small enough to be read beside what it writes.

use std::fmt::Write as _;

use prost_reflect::MessageDescriptor;

use crate::contract::{Contract, Create, Method};

const OPERATIONS: &str = "google.longrunning.Operations";

/// `methods.rs`: one constant an RPC, for the module `call`.
pub(crate) fn method_table(contract: &Contract) -> String {
    let mut out = String::new();
    for method in &contract.methods {
        let (service, name, idempotent) = (&method.service, &method.name, method.is_idempotent());
        let _ = writeln!(
            out,
            "/// `{service}/{name}`.\npub const {}: Method = Method::new(\"/{service}/{name}\", {idempotent});",
            snake(name).to_uppercase()
        );
    }
    let _ = writeln!(out, "\n/// Every RPC of the contract.\npub const ALL: &[&Method] = &[");
    for method in &contract.methods {
        let _ = writeln!(out, "    &{},", snake(&method.name).to_uppercase());
    }
    out + "];\n"
}

/// `client.rs`: the methods of `Client`. Those of the operations service are written by hand, since they
/// answer with types of our own.
pub(crate) fn client_methods(contract: &Contract) -> String {
    let mut out = String::from("impl Client {\n");
    for method in contract.methods.iter().filter(|method| method.service != OPERATIONS) {
        for line in documentation(method) {
            let _ = writeln!(out, "    ///{}{line}", if line.is_empty() { "" } else { " " });
        }
        let (input, answer) = (rust_path(&method.input), answer(method));
        let constant = snake(&method.name).to_uppercase();
        let _ =
            writeln!(out, "    pub fn {}(&self, request: {input}) -> Call<{answer}> {{", snake(&method.name));
        let pairs: Vec<_> =
            method.routing.iter().map(|path| format!("({path:?}, {})", accessor(path))).collect();
        let _ = writeln!(out, "        let routing = Routing::new(&[{}]);", pairs.join(", "));
        let _ = write!(out, "        self.caller().call(&methods::{constant}, routing, &request)");
        if let Some(create) = &method.create {
            let Create { id, body, collection, get: (get, name), ignored } = create;
            let get = snake(get).to_uppercase();
            let _ = write!(
                out,
                "\n            .reconciled_by(|| Reconcile::new(&methods::{get}, {name}, \
                 [&request.parent, {collection:?}, &request.{id}], request.{body}.as_ref(), &{ignored:?}))"
            );
        }
        out += "\n    }\n\n";
    }
    out + "}\n"
}

/// `pages.rs`: how each `List` response is taken apart.
pub(crate) fn pages(contract: &Contract) -> String {
    let mut out = String::new();
    for method in &contract.methods {
        let Some(page) = &method.page else { continue };
        let (field, item) = (&page.items.0, rust_path(&page.items.1));
        let (fields, token) = match page.fields {
            Some((size, token)) => {
                (format!("Some(PageFields::new({size}, {token}))"), "&self.next_page_token")
            }
            None => ("None".to_owned(), "\"\""),
        };
        let _ = writeln!(
            out,
            "#[allow(clippy::unnecessary_literal_bound, reason = \"a method without paging has no token\")]\n\
             impl Page for {} {{\n    type Item = {item};\n    const FIELDS: Option<PageFields> = {fields};\n\n    \
             fn next_token(&self) -> &str {{\n        {token}\n    }}\n\n    \
             fn count(&self) -> usize {{\n        self.{field}.len()\n    }}\n\n    \
             fn into_items(self) -> Vec<{item}> {{\n        self.{field}\n    }}\n}}\n",
            rust_path(&method.output)
        );
    }
    out
}

/// `payload.rs`: the enum over every message that an `Any` of this API can hold.
pub(crate) fn payload(contract: &Contract) -> String {
    let variants: Vec<_> = contract
        .payloads
        .iter()
        .map(|(full, message)| (full, message.name().to_owned(), rust_path(message)))
        .collect();
    let each = |line: &dyn Fn(&str, &str, &str) -> String| {
        variants.iter().fold(String::new(), |out, (full, name, path)| out + &line(full, name, path))
    };
    let mut out = String::from(
        "/// A message that an `Any` of this API holds: a result or metadata of an operation, a resource, or a\n\
         /// detail of an error. Which messages these are is read from the descriptors when the crate is built.\n\
         #[derive(Clone, PartialEq)]\n#[non_exhaustive]\npub enum Payload {\n",
    );
    out += &each(&|full, name, path| format!("    /// `{full}`.\n    {name}(Box<{path}>),\n"));
    out += "    /// A type that this build does not know: its URL and bytes, as they came.\n    \
            Unknown(prost_types::Any),\n}\n\n";

    out += "impl Payload {\n    /// Full names of the types that have a variant, in order.\n    \
            pub const TYPES: &'static [&'static str] = &[\n";
    out += &each(&|full, _, _| format!("        {full:?},\n"));
    out += "    ];\n\n    fn decode_known(name: &str, value: &[u8]) -> Option<Result<Self, prost::DecodeError>> {\n        \
            Some(match name {\n";
    out += &each(&|full, name, path| {
        format!(
            "            {full:?} => <{path} as Message>::decode(value).map(|m| Self::{name}(Box::new(m))),\n"
        )
    });
    out += "            _ => return None,\n        })\n    }\n\n    \
            /// The message in an `Any`, with a type URL in the domain `type.googleapis.com`.\n    \
            #[must_use]\n    pub fn to_any(&self) -> prost_types::Any {\n        match self {\n";
    out += &each(&|_, name, _| format!("            Self::{name}(message) => pack(message.as_ref()),\n"));
    out += "            Self::Unknown(any) => any.clone(),\n        }\n    }\n}\n\n";
    out += "impl std::fmt::Debug for Payload {\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {\n        \
            match self {\n";
    out += &each(&|_, name, _| {
        format!("            Self::{name}(message) => f.debug_tuple({name:?}).field(message).finish(),\n")
    });
    out += "            Self::Unknown(any) => f.debug_tuple(\"Unknown\").field(&debug::Sealed(any)).finish(),\n        \
            }\n    }\n}\n\n";
    out += &each(&|_, name, path| {
        format!(
            "impl From<{path}> for Payload {{\n    fn from(message: {path}) -> Self {{\n        \
                 Self::{name}(Box::new(message))\n    }}\n}}\n\n"
        )
    });
    out
}

fn documentation(method: &Method) -> Vec<String> {
    let mut lines = method.comment.clone();
    if lines.is_empty() {
        lines.push(format!("Calls `{}`.", method.name));
    }
    lines.push(String::new());
    lines.push(if let Some(create) = &method.create {
        format!(
            "`{} {}`: a creation. With `{}` set it is retried after any transient fault: if the resource is \
             then there, it is returned if it is what was asked for.",
            method.verb, method.template, create.id
        )
    } else if method.is_idempotent() {
        format!("`{} {}`: a read, retried after any transient fault.", method.verb, method.template)
    } else {
        format!(
            "`{} {}`: a mutation, retried only where the server cannot have acted on it.",
            method.verb, method.template
        )
    });
    if let Some((response, metadata)) = &method.operation {
        lines.push(String::new());
        lines.push(format!(
            "Long-running: the operation ends in [`{}`]({}); while it runs its metadata is [`{}`]({}).",
            response.name(),
            rust_path(response),
            metadata.name(),
            rust_path(metadata)
        ));
    }
    if method.page.is_some() {
        lines.extend([String::new(), "One page a call; [`Call::into_pages`] walks them all.".into()]);
    }
    lines.extend([String::new(), "# Example".into(), String::new(), "```".into()]);
    lines.extend(example(method));
    lines.push("```".into());
    lines.extend([String::new(), "# Errors".into(), String::new()]);
    lines.push(
        "Those of every call, see [`Error`](crate::Error); nothing is sent before the call is awaited."
            .into(),
    );
    lines.extend([String::new(), "# Cancel safety".into(), String::new()]);
    lines.push(if method.is_idempotent() {
        "Dropping the future abandons the call and changes nothing.".into()
    } else {
        "Dropping the future abandons the reply; whether the server acted is then unknown.".into()
    });
    lines
}

/// Code that compiles against the method; what it does on a server is shown by the examples of the crate.
fn example(method: &Method) -> Vec<String> {
    let function = snake(&method.name);
    let request = method.input.name();
    let value = |path: &str| {
        let pattern =
            method.template.split(&format!("{{{path}=")).nth(1).and_then(|rest| rest.split('}').next());
        sample(pattern.unwrap_or_default())
    };
    let mut fields = Vec::new();
    for path in &method.routing {
        let text = format!("{:?}.into()", value(path));
        fields.push(match path.split_once('.') {
            Some((message, field)) => {
                let inner = method.input.get_field_by_name(message).map(|f| f.kind());
                let inner =
                    inner.as_ref().and_then(|kind| kind.as_message()).map_or("", |m| m.name()).to_owned();
                format!("{message}: Some(insights::{inner} {{ {field}: {text}, ..Default::default() }})")
            }
            None => format!("{path}: {text}"),
        });
    }
    let all_fields = method.input.fields().len() == fields.len();
    let rest = if all_fields { "" } else { ", ..Default::default()" };
    let awaited = if method.operation.is_some() { ".await?.until_done().await?" } else { ".await?" };
    vec![
        "# use contact_center_insights::{Client, Error, proto::insights};".into(),
        "# async fn example(client: Client) -> Result<(), Error> {".into(),
        format!("let request = insights::{request} {{ {}{rest} }};", fields.join(", ")),
        format!("let answer = client.{function}(request){awaited};"),
        "# let _ = answer;".into(),
        "# Ok(())".into(),
        "# }".into(),
    ]
}

/// `projects/*/locations/*/views/*` with plausible ids in it.
fn sample(pattern: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    for segment in pattern.split('/') {
        out.push(match (segment, out.last().map(String::as_str)) {
            ("*", Some("projects")) => "my-project".into(),
            ("*", Some("locations")) => "us-central1".into(),
            ("*", _) => "123456789".into(),
            (literal, _) => literal.into(),
        });
    }
    out.join("/")
}

fn answer(method: &Method) -> String {
    match &method.operation {
        Some((response, metadata)) => format!("Poller<{}, {}>", rust_path(response), rust_path(metadata)),
        None => rust_path(&method.output),
    }
}

/// How the generated client code reads a routing field out of `request`.
fn accessor(path: &str) -> String {
    match path.split_once('.') {
        Some((message, field)) => format!("request.{message}.as_ref().map_or(\"\", |m| m.{field}.as_str())"),
        None => format!("request.{path}.as_str()"),
    }
}

fn rust_path(message: &MessageDescriptor) -> String {
    let module = match message.package_name() {
        "google.protobuf" => return well_known(message.name()),
        "google.rpc" => "rpc",
        "google.longrunning" => "longrunning",
        _ => "insights",
    };
    format!("crate::proto::{module}::{}", message.name())
}

fn well_known(name: &str) -> String {
    if name == "Empty" { "()".into() } else { format!("prost_types::{name}") }
}

/// `ListQaScorecards` to `list_qa_scorecards`.
pub(crate) fn snake(name: &str) -> String {
    name.chars().fold(String::new(), |mut out, c| {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
        out
    })
}
