//! Links in the documentation of generated fields: prost gives enums as `i32`, which says nothing of what it counts.

use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

/// prost's path of each field that holds an enum, and the attribute that documents it. `modules` says where the messages
/// of a package are.
pub(crate) fn enum_links(pool: &DescriptorPool, modules: &[(&str, &str)]) -> Vec<(String, String)> {
    pool.all_messages()
        .filter(|message| !message.is_map_entry())
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter_map(|field| {
            let decl = enum_of(&field)?;
            let path = rust_path(&decl, modules)?;
            let doc = format!("#[doc = \"\\n\\nIts values are those of [`{}`]({path}).\"]", decl.name());
            Some((prost_path(&field), doc))
        })
        .collect()
}

fn enum_of(field: &FieldDescriptor) -> Option<EnumDescriptor> {
    match field.kind() {
        Kind::Enum(decl) => Some(decl),
        Kind::Message(entry) if field.is_map() => enum_of(&entry.map_entry_value_field()),
        _ => None,
    }
}

/// `.package.Message.field`; with the oneof's name in between for a member of one.
fn prost_path(field: &FieldDescriptor) -> String {
    let message = field.parent_message();
    let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
    let within = oneof.map_or(String::new(), |oneof| format!("{}.", oneof.name()));
    format!(".{}.{within}{}", message.full_name(), field.name())
}

/// Where prost puts the enum: those within a message are in a module of its name. None for an enum of another package.
fn rust_path(decl: &EnumDescriptor, modules: &[(&str, &str)]) -> Option<String> {
    let package = format!(".{}", decl.package_name());
    let (_, module) = modules.iter().find(|(proto, _)| *proto == package)?;
    let mut path = decl.name().to_owned();
    let mut parent: Option<MessageDescriptor> = decl.parent_message();
    while let Some(message) = parent {
        path = format!("{}::{path}", crate::emit::snake(message.name()));
        parent = message.parent_message();
    }
    Some(format!("crate::proto::{module}::{path}"))
}
