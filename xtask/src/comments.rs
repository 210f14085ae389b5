//! Carries comments over: from the files that are there to the files that replace them, by full name.

use std::collections::HashMap;

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

/// The comments of a set of files, by the full name of what they stand above.
#[derive(Debug, Default)]
pub(crate) struct Comments(HashMap<String, String>);

impl Comments {
    /// Collects what stands in `files`, which were compiled with source info.
    pub(crate) fn of(files: &[FileDescriptorProto]) -> Self {
        let mut comments = Self::default();
        for file in files {
            let names = names_by_path(file);
            for location in file.source_code_info.iter().flat_map(|info| &info.location) {
                let Some(name) = names.get(&location.path) else { continue };
                // Detached blocks matter only at the top of a file: the licence header.
                if location.path == SYNTAX && !location.leading_detached_comments.is_empty() {
                    let header = location.leading_detached_comments.join("\n");
                    comments.0.insert(format!("{name}#header"), header);
                }
                if let Some(text) = &location.leading_comments {
                    comments.0.insert(name.clone(), text.clone());
                }
            }
        }
        comments
    }

    /// The comment above `name`, as `//` lines at `indent`, each ending in a newline; empty if none.
    pub(crate) fn above(&self, name: &str, indent: &str) -> String {
        let Some(text) = self.0.get(name) else { return String::new() };
        text.trim_end_matches('\n').split('\n').fold(String::new(), |mut out, line| {
            out.push_str(format!("{indent}//{line}").trim_end());
            out.push('\n');
            out
        })
    }
}

/// Field numbers of `FileDescriptorProto` and its parts, which make up a location's path.
const SYNTAX: [i32; 1] = [12];
const PACKAGE: [i32; 1] = [2];

fn names_by_path(file: &FileDescriptorProto) -> HashMap<Vec<i32>, String> {
    let mut names = HashMap::new();
    names.insert(SYNTAX.to_vec(), file.name().to_owned());
    names.insert(PACKAGE.to_vec(), format!("{}#package", file.name()));
    for (i, message) in (0..).zip(&file.message_type) {
        name_message(message, file.package(), vec![4, i], &mut names);
    }
    for (i, decl) in (0..).zip(&file.enum_type) {
        name_enum(decl, file.package(), vec![5, i], &mut names);
    }
    for (i, service) in (0..).zip(&file.service) {
        let full = format!("{}.{}", file.package(), service.name());
        for (j, method) in (0..).zip(&service.method) {
            names.insert(vec![6, i, 2, j], format!("{full}.{}", method.name()));
        }
        names.insert(vec![6, i], full);
    }
    for (i, extension) in (0..).zip(&file.extension) {
        names.insert(vec![7, i], format!("{}.{}", file.package(), extension.name()));
    }
    names
}

fn name_message(
    message: &DescriptorProto,
    scope: &str,
    path: Vec<i32>,
    names: &mut HashMap<Vec<i32>, String>,
) {
    let full = format!("{scope}.{}", message.name());
    let child = |kind: i32, i: i32| [path.as_slice(), &[kind, i]].concat();
    for (i, field) in (0..).zip(&message.field) {
        names.insert(child(2, i), format!("{full}.{}", field.name()));
    }
    for (i, oneof) in (0..).zip(&message.oneof_decl) {
        names.insert(child(8, i), format!("{full}.{}", oneof.name()));
    }
    for (i, nested) in (0..).zip(&message.nested_type) {
        name_message(nested, &full, child(3, i), names);
    }
    for (i, nested) in (0..).zip(&message.enum_type) {
        name_enum(nested, &full, child(4, i), names);
    }
    names.insert(path, full);
}

fn name_enum(decl: &EnumDescriptorProto, scope: &str, path: Vec<i32>, names: &mut HashMap<Vec<i32>, String>) {
    let full = format!("{scope}.{}", decl.name());
    for (i, value) in (0..).zip(&decl.value) {
        names.insert([path.as_slice(), &[2, i]].concat(), format!("{full}.{}", value.name()));
    }
    names.insert(path, full);
}
