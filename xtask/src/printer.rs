//! Prints one file of a descriptor set as protobuf source, in declaration order.

use std::fmt::Write as _;

use prost_reflect::{
    EnumDescriptor, ExtensionDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    OneofDescriptor, ServiceDescriptor,
};
use prost_types::field_descriptor_proto::Label;

use crate::comments::Comments;
use crate::options::{assignments, bracketed, indented, quoted};

/// The source of `file`, with `comments` above what they belong to.
pub(crate) fn print(file: &FileDescriptor, comments: &Comments) -> String {
    let scope = format!("{}.", file.package_name());
    let mut printer = Printer { comments, scope, out: String::new() };
    printer.file(file);
    printer.out
}

struct Printer<'a> {
    comments: &'a Comments,
    /// The file's package and a dot: what type names in it may leave out.
    scope: String,
    out: String,
}

impl Printer<'_> {
    fn line(&mut self, indent: &str, text: &str) {
        let _ = writeln!(self.out, "{indent}{text}");
    }

    fn comment(&mut self, name: &str, indent: &str) {
        self.out.push_str(&self.comments.above(name, indent));
    }

    fn file(&mut self, file: &FileDescriptor) {
        let header = self.comments.above(&format!("{}#header", file.name()), "");
        if !header.is_empty() {
            self.out.push_str(&header);
            self.line("", "");
        }
        self.comment(file.name(), "");
        self.line("", "syntax = \"proto3\";\n");
        self.comment(&format!("{}#package", file.name()), "");
        self.line("", &format!("package {};\n", file.package_name()));
        for import in &file.file_descriptor_proto().dependency {
            self.line("", &format!("import {};", quoted(import)));
        }
        self.line("", "");
        for option in assignments(&file.options()) {
            self.line("", &format!("option {option};"));
        }
        for extension in file.extensions() {
            self.line("", "");
            self.extend(&extension);
        }
        for service in file.services() {
            self.line("", "");
            self.service(&service);
        }
        for message in file.messages() {
            self.line("", "");
            self.message(&message, "");
        }
        for decl in file.enums() {
            self.line("", "");
            self.enumeration(&decl, "");
        }
    }

    fn extend(&mut self, extension: &ExtensionDescriptor) {
        self.line("", &format!("extend {} {{", extension.containing_message().full_name()));
        self.comment(extension.full_name(), "  ");
        let label = match extension.field_descriptor_proto().label() {
            Label::Repeated => "repeated ",
            // In a proto3 file an extension without a label is singular all the same.
            _ => "",
        };
        let (kind, name, number) = (self.type_name(&extension.kind()), extension.name(), extension.number());
        let options = bracketed(&assignments(&extension.options()), "  ");
        self.line("  ", &format!("{label}{kind} {name} = {number}{options};"));
        self.line("", "}");
    }

    fn service(&mut self, service: &ServiceDescriptor) {
        self.comment(service.full_name(), "");
        self.line("", &format!("service {} {{", service.name()));
        for option in assignments(&service.options()) {
            self.line("  ", &format!("option {option};"));
        }
        for method in service.methods() {
            self.line("", "");
            self.comment(method.full_name(), "  ");
            let input = self.type_name(&Kind::Message(method.input()));
            let output = self.type_name(&Kind::Message(method.output()));
            let head = format!("rpc {}({input}) returns ({output})", method.name());
            let options = assignments(&method.options());
            if options.is_empty() {
                self.line("  ", &format!("{head};"));
                continue;
            }
            self.line("  ", &format!("{head} {{"));
            for option in options {
                self.line("    ", &format!("option {};", indented(&option, "    ")));
            }
            self.line("  ", "}");
        }
        self.line("", "}");
    }

    fn message(&mut self, message: &MessageDescriptor, indent: &str) {
        self.comment(message.full_name(), indent);
        let options = assignments(&message.options());
        let raw = message.descriptor_proto();
        let is_empty = raw.field.is_empty() && raw.nested_type.is_empty() && raw.enum_type.is_empty();
        if is_empty && options.is_empty() {
            return self.line(indent, &format!("message {} {{}}", message.name()));
        }
        self.line(indent, &format!("message {} {{", message.name()));
        let inner = format!("{indent}  ");
        let mut first = true;
        for option in options {
            self.gap(&mut first);
            self.line(&inner, &format!("option {};", indented(&option, &inner)));
        }
        for nested in message.child_messages().filter(|nested| !nested.is_map_entry()) {
            self.gap(&mut first);
            self.message(&nested, &inner);
        }
        for nested in message.child_enums() {
            self.gap(&mut first);
            self.enumeration(&nested, &inner);
        }
        let mut oneofs_done = Vec::new();
        for number in raw.field.iter().map(|field| field.number().unsigned_abs()) {
            let Some(field) = message.get_field(number) else { continue };
            match field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
                Some(oneof) if oneofs_done.contains(&oneof.name().to_owned()) => {}
                Some(oneof) => {
                    self.gap(&mut first);
                    self.oneof(&oneof, raw, message, &inner);
                    oneofs_done.push(oneof.name().to_owned());
                }
                None => {
                    self.gap(&mut first);
                    self.field(&field, &inner);
                }
            }
        }
        self.line(indent, "}");
    }

    /// A blank line between members, none before the first.
    fn gap(&mut self, first: &mut bool) {
        if !std::mem::take(first) {
            self.line("", "");
        }
    }

    fn oneof(
        &mut self,
        oneof: &OneofDescriptor,
        raw: &prost_types::DescriptorProto,
        message: &MessageDescriptor,
        indent: &str,
    ) {
        self.comment(oneof.full_name(), indent);
        self.line(indent, &format!("oneof {} {{", oneof.name()));
        let inner = format!("{indent}  ");
        let mut first = true;
        for field in raw.field.iter().filter_map(|raw| message.get_field(raw.number().unsigned_abs())) {
            if field.containing_oneof().as_ref() == Some(oneof) {
                self.gap(&mut first);
                self.field(&field, &inner);
            }
        }
        self.line(indent, "}");
    }

    fn field(&mut self, field: &FieldDescriptor, indent: &str) {
        self.comment(field.full_name(), indent);
        let raw = field.field_descriptor_proto();
        let kind = if field.is_map() { self.map_type(field) } else { self.type_name(&field.kind()) };
        let label = match raw.label() {
            _ if field.is_map() => "",
            _ if raw.proto3_optional() => "optional ",
            Label::Repeated => "repeated ",
            Label::Optional | Label::Required => "",
        };
        let options = bracketed(&assignments(&field.options()), indent);
        self.line(indent, &format!("{label}{kind} {} = {}{options};", field.name(), field.number()));
    }

    fn enumeration(&mut self, decl: &EnumDescriptor, indent: &str) {
        self.comment(decl.full_name(), indent);
        self.line(indent, &format!("enum {} {{", decl.name()));
        let inner = format!("{indent}  ");
        for option in assignments(&decl.options()) {
            self.line(&inner, &format!("option {option};"));
        }
        for raw in &decl.enum_descriptor_proto().value {
            let name = format!("{}.{}", decl.full_name(), raw.name());
            self.comment(&name, &inner);
            let options = decl.get_value_by_name(raw.name()).map(|value| assignments(&value.options()));
            let options = bracketed(&options.unwrap_or_default(), &inner);
            self.line(&inner, &format!("{} = {}{options};", raw.name(), raw.number()));
        }
        self.line(indent, "}");
    }

    fn map_type(&self, field: &FieldDescriptor) -> String {
        let Kind::Message(entry) = field.kind() else { return self.type_name(&field.kind()) };
        let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        format!("map<{}, {}>", self.type_name(&key.kind()), self.type_name(&value.kind()))
    }

    fn type_name(&self, kind: &Kind) -> String {
        let relative = |full: &str| full.strip_prefix(&self.scope).unwrap_or(full).to_owned();
        match kind {
            Kind::Message(message) => relative(message.full_name()),
            Kind::Enum(decl) => relative(decl.full_name()),
            Kind::Double => "double".into(),
            Kind::Float => "float".into(),
            Kind::Int32 => "int32".into(),
            Kind::Int64 => "int64".into(),
            Kind::Uint32 => "uint32".into(),
            Kind::Uint64 => "uint64".into(),
            Kind::Sint32 => "sint32".into(),
            Kind::Sint64 => "sint64".into(),
            Kind::Fixed32 => "fixed32".into(),
            Kind::Fixed64 => "fixed64".into(),
            Kind::Sfixed32 => "sfixed32".into(),
            Kind::Sfixed64 => "sfixed64".into(),
            Kind::Bool => "bool".into(),
            Kind::String => "string".into(),
            Kind::Bytes => "bytes".into(),
        }
    }
}
