//! Writes the reference of the emulator's admin API from its proto: `docs/admin-api.md`.

use std::fmt::Write as _;
use std::path::Path;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

use crate::comments::Comments;

const FILE: &str = "contactcenterinsights/emulator/v1/emulator.proto";
const PREFIX: &str = "/_emulator/v1/";
const HEAD: &str = "\
# The emulator's admin API

<!-- Written by `cargo xtask emulator-docs` from the emulator's proto; a test compares the two. -->

";
/// How proto comments that are about the file begin.
const INTRODUCTION: &str = "#header";

/// The text of the page, from the proto in the emulator's folder `proto`.
pub(crate) fn page(folder: &Path) -> Result<String, String> {
    let mut compiler = protox::Compiler::new([folder]).map_err(|e| e.to_string())?;
    let compiler = compiler.include_source_info(true).include_imports(false);
    let set = compiler.open_file(FILE).map_err(|e| e.to_string())?.encode_file_descriptor_set();
    let set = FileDescriptorSet::decode(set.as_slice()).map_err(|e| e.to_string())?;
    let [file] = set.file.as_slice() else { return Err(format!("{FILE} is not one file")) };
    let service = file.service.first().ok_or("there is no service")?;
    let comments = Comments::of(std::slice::from_ref(file));
    let page = Page { file, comments: &comments };

    let mut out = HEAD.to_owned();
    let introduction = [format!("{FILE}{INTRODUCTION}"), FILE.to_owned()].map(|name| page.paragraphs(&name));
    out.push_str(introduction.iter().find(|text| !text.is_empty()).ok_or("the file says nothing of itself")?);
    let full = format!("{}.{}", file.package(), service.name());
    let _ = write!(
        out,
        "\n\nOver gRPC the service is `{full}`. Over HTTP each method is a path below `{PREFIX}`; names of fields are in \
         `camelCase`, and an error is `{{\"error\": {{\"code\", \"message\", \"status\"}}}}`.\n\n\
         | HTTP | gRPC | |\n|---|---|---|\n"
    );
    let mut methods = String::new();
    for method in &service.method {
        let name = method.name();
        let comment = page.comment(&format!("{full}.{name}"));
        let (route, says) =
            route(&comment).ok_or_else(|| format!("{name}: its comment has no verb and path"))?;
        let says = if says.is_empty() { String::new() } else { sentence(says) };
        let _ = writeln!(out, "| [`{route}`](#{}) | `{name}` | {says} |", anchor(route));
        let _ =
            write!(methods, "\n## {route}\n\n`{name}`{}{says}\n", if says.is_empty() { "" } else { ": " });
        page.message(&mut methods, "Request", method.input_type())?;
        page.message(&mut methods, "Answer", method.output_type())?;
    }
    out.push_str(&methods);
    out.push_str("\n## Messages\n");
    for message in &file.message_type {
        if page.is_shared(message) {
            let _ = write!(out, "\n### {}\n", message.name());
            page.described(&mut out, &format!(".{}.{}", file.package(), message.name()))?;
        }
    }
    Ok(out)
}

/// Verb and path, and what comes after them.
fn route(comment: &str) -> Option<(&str, &str)> {
    let verb = comment.find(' ')?;
    let rest = comment.get(verb + 1..)?;
    // `journal:count` has a colon within; the one at the end does not count.
    let end = rest.find(' ').unwrap_or(rest.len());
    let route = comment.get(..verb + 1 + end)?.trim_end_matches([',', ':', '.']);
    let is_verb = ["GET", "POST", "PUT", "DELETE"].contains(&comment.get(..verb)?);
    is_verb.then_some((route, comment.get(route.len()..)?.trim_start_matches([',', ':']).trim()))
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let text: String =
        chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default();
    if text.ends_with('.') { text } else { text + "." }
}

struct Page<'a> {
    file: &'a FileDescriptorProto,
    comments: &'a Comments,
}

impl Page<'_> {
    /// A comment, each of its paragraphs on one line.
    fn paragraphs(&self, name: &str) -> String {
        let text = self.comments.above(name, "");
        let lines: Vec<_> = text.lines().map(|line| line.trim_start_matches('/').trim()).collect();
        let paragraphs = lines.split(|line| line.is_empty()).map(|lines| lines.join(" "));
        paragraphs.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    /// A comment on one line.
    fn comment(&self, name: &str) -> String {
        self.paragraphs(name).replace("\n\n", " ")
    }

    fn find(&self, full: &str) -> Result<&DescriptorProto, String> {
        let name = full.rsplit('.').next().unwrap_or_default();
        let found = self.file.message_type.iter().find(|message| message.name() == name);
        found.ok_or_else(|| format!("there is no message {full}"))
    }

    /// Whether other messages have it as a field, or it is too long to be told with its method.
    fn is_shared(&self, message: &DescriptorProto) -> bool {
        let uses =
            |field: &FieldDescriptorProto| field.type_name().rsplit('.').next() == Some(message.name());
        self.file.message_type.iter().flat_map(|other| &other.field).any(uses)
    }

    fn message(&self, out: &mut String, what: &str, full: &str) -> Result<(), String> {
        let message = self.find(full)?;
        if message.field.is_empty() {
            return Ok(());
        }
        if self.is_shared(message) {
            let _ = write!(out, "\n{what}: [`{0}`](#{1}).\n", message.name(), anchor(message.name()));
            return Ok(());
        }
        let _ = write!(out, "\n{what} (`{}`):\n", message.name());
        self.described(out, full)
    }

    fn described(&self, out: &mut String, full: &str) -> Result<(), String> {
        let message = self.find(full)?;
        let about = self.comment(full.trim_start_matches('.'));
        if !about.is_empty() {
            let _ = write!(out, "\n{about}\n");
        }
        out.push_str("\n| field | type | |\n|---|---|---|\n");
        for field in &message.field {
            let comment = self.comment(&format!("{}.{}", full.trim_start_matches('.'), field.name()));
            let name = field.json_name();
            let _ =
                writeln!(out, "| `{name}` | {} | {} |", kind(message, field), comment.replace('|', "\\|"));
        }
        for decl in &message.enum_type {
            let scope = full.trim_start_matches('.');
            let _ = write!(out, "\n`{}`:\n\n| value | |\n|---|---|\n", decl.name());
            for value in decl.value.iter().filter(|value| value.number() != 0) {
                let named = format!("{scope}.{}.{}", decl.name(), value.name());
                let _ = writeln!(out, "| `{}` | {} |", value.name(), self.comment(&named));
            }
        }
        Ok(())
    }
}

/// A field's type in the words of JSON.
fn kind(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let short = field.type_name().rsplit('.').next().unwrap_or_default();
    let entry = message.nested_type.iter().find(|nested| nested.name() == short);
    if let Some(value) = entry.and_then(|entry| entry.field.iter().find(|field| field.name() == "value")) {
        return format!("object of {}", kind(message, value));
    }
    let one = match field.r#type() {
        Type::Double | Type::Float | Type::Int32 | Type::Uint32 => "number".to_owned(),
        Type::Int64 | Type::Uint64 => "number as a string".to_owned(),
        Type::Bool => "true or false".to_owned(),
        Type::Bytes => "base64".to_owned(),
        Type::Message if field.type_name().starts_with(".google.protobuf.") => short.to_lowercase(),
        Type::Message => format!("[`{short}`](#{})", anchor(short)),
        Type::Enum => format!("`{short}`"),
        _ => "string".to_owned(),
    };
    let one = if field.oneof_index.is_some() && !field.proto3_optional() {
        format!("{one}, at most one of these")
    } else {
        one
    };
    if field.label() == Label::Repeated { format!("list of {one}") } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_begins_with_verb_and_path() {
        assert_eq!(route("GET status: version."), Some(("GET status", "version.")));
        assert_eq!(route("POST journal:count: how many"), Some(("POST journal:count", "how many")));
        assert_eq!(route("POST clock:set, of a clock"), Some(("POST clock:set", "of a clock")));
        assert_eq!(route("GET quotas in force"), Some(("GET quotas", "in force")));
        assert_eq!(route("Tells the time."), None);
        assert_eq!(anchor("POST journal:count"), "post-journalcount");
    }

    #[test]
    fn the_page_is_current() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let written = std::fs::read_to_string(root.join("docs/admin-api.md")).unwrap();
        assert!(
            page(&root.join("emulator/proto")).unwrap() == written,
            "write it anew: cargo xtask emulator-docs"
        );
    }
}
