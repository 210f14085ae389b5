//! Which file is where in the descriptor sets, and what it declares.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost::encoding::{WireType, decode_key, decode_varint};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use crate::admin;
use crate::contract::{INSIGHTS, OPERATIONS};

/// What the emulator serves. The descriptors have more: services that options are defined beside.
const SERVED: [&str; 6] = [
    INSIGHTS,
    OPERATIONS,
    admin::SERVICE,
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// Files by name, symbol and extension.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// As they are on the wire, with what they import.
    files: BTreeMap<String, (&'static [u8], Vec<String>)>,
    symbols: BTreeMap<String, String>,
    types: BTreeSet<String>,
    extensions: BTreeMap<String, BTreeMap<i32, String>>,
}

impl Index {
    /// Made when first asked for.
    pub(super) fn get() -> &'static Self {
        static INDEX: OnceLock<Index> = OnceLock::new();
        INDEX.get_or_init(|| {
            let mut index = Self::default();
            let sets: [&'static [u8]; 5] = [
                FILE_DESCRIPTOR_SET,
                admin::FILE_DESCRIPTOR_SET,
                tonic_health::pb::FILE_DESCRIPTOR_SET,
                tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
                tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
            ];
            for bytes in sets.into_iter().flat_map(cut) {
                match FileDescriptorProto::decode(bytes) {
                    Ok(file) => index.add(bytes, &file),
                    Err(error) => tracing::error!(%error, "a descriptor is not reflected"),
                }
            }
            index
        })
    }

    /// The file, then all that it imports.
    pub(super) fn file(&self, name: &str) -> Option<Vec<Vec<u8>>> {
        self.files.get(name)?;
        let mut names = vec![name];
        let mut at = 0;
        while let Some((_, imports)) = names.get(at).and_then(|name| self.files.get(*name)) {
            for import in imports {
                if !names.contains(&import.as_str()) {
                    names.push(import);
                }
            }
            at += 1;
        }
        Some(names.iter().filter_map(|name| self.files.get(*name)).map(|(bytes, _)| bytes.to_vec()).collect())
    }

    pub(super) fn with_symbol(&self, symbol: &str) -> Option<Vec<Vec<u8>>> {
        self.file(self.symbols.get(symbol)?)
    }

    pub(super) fn with_extension(&self, containing: &str, number: i32) -> Option<Vec<Vec<u8>>> {
        self.file(self.extensions.get(containing)?.get(&number)?)
    }

    /// The numbers of all extensions of a message; none of a message that has none.
    pub(super) fn extensions(&self, containing: &str) -> Option<Vec<i32>> {
        let numbers = self.extensions.get(containing).map(|numbers| numbers.keys().copied().collect());
        numbers.or_else(|| self.types.contains(containing).then(Vec::new))
    }

    pub(super) fn services(&self) -> impl Iterator<Item = &str> {
        SERVED.into_iter().filter(|name| self.symbols.contains_key(*name))
    }

    fn add(&mut self, bytes: &'static [u8], file: &FileDescriptorProto) {
        if self.files.contains_key(file.name()) {
            return;
        }
        self.files.insert(file.name().to_owned(), (bytes, file.dependency.clone()));
        let package = file.package();
        for message in &file.message_type {
            self.message(package, message, file.name());
        }
        for kind in &file.enum_type {
            self.enumeration(package, kind, file.name());
        }
        for extension in &file.extension {
            self.extension(package, extension, file.name());
        }
        for service in &file.service {
            let service_name = self.symbol(package, service.name(), file.name());
            for method in &service.method {
                self.symbol(&service_name, method.name(), file.name());
            }
        }
    }

    fn message(&mut self, scope: &str, message: &DescriptorProto, file: &str) {
        let scope = self.symbol(scope, message.name(), file);
        self.types.insert(scope.clone());
        for field in &message.field {
            self.symbol(&scope, field.name(), file);
        }
        for oneof in &message.oneof_decl {
            self.symbol(&scope, oneof.name(), file);
        }
        for inner in &message.nested_type {
            self.message(&scope, inner, file);
        }
        for kind in &message.enum_type {
            self.enumeration(&scope, kind, file);
        }
        for extension in &message.extension {
            self.extension(&scope, extension, file);
        }
    }

    /// Values of an enumeration are named beside it, not within it.
    fn enumeration(&mut self, scope: &str, kind: &EnumDescriptorProto, file: &str) {
        self.symbol(scope, kind.name(), file);
        for value in &kind.value {
            self.symbol(scope, value.name(), file);
        }
    }

    fn extension(&mut self, scope: &str, extension: &FieldDescriptorProto, file: &str) {
        self.symbol(scope, extension.name(), file);
        let containing = extension.extendee().trim_start_matches('.').to_owned();
        self.extensions.entry(containing).or_default().insert(extension.number(), file.to_owned());
    }

    fn symbol(&mut self, scope: &str, name: &str, file: &str) -> String {
        let full = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        self.symbols.insert(full.clone(), file.to_owned());
        full
    }
}

/// The files of a serialized `FileDescriptorSet`, whose one field, 1, they are.
fn cut(set: &'static [u8]) -> impl Iterator<Item = &'static [u8]> {
    let mut rest = set;
    std::iter::from_fn(move || {
        let (field, wire_type) = decode_key(&mut rest).ok()?;
        if (field, wire_type) != (1, WireType::LengthDelimited) {
            return None;
        }
        let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
        let (file, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(file)
    })
}

#[cfg(test)]
mod tests {
    use prost_types::FileDescriptorSet;

    use super::*;

    #[test]
    fn files_are_cut_out_byte_for_byte() {
        let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        assert_eq!(cut(FILE_DESCRIPTOR_SET).count(), set.file.len());
        let total: usize = cut(FILE_DESCRIPTOR_SET)
            .map(|file| 1 + prost::encoding::encoded_len_varint(file.len() as u64) + file.len())
            .sum();
        assert_eq!(total, FILE_DESCRIPTOR_SET.len());
        for file in cut(FILE_DESCRIPTOR_SET) {
            let name = FileDescriptorProto::decode(file).unwrap().name().to_owned();
            assert_eq!(Index::get().file(&name).unwrap()[0], file, "{name}");
        }
    }

    #[test]
    fn whatever_is_declared_is_found() {
        let index = Index::get();
        assert_eq!(index.services().collect::<Vec<_>>(), SERVED);
        let package = "google.cloud.contactcenterinsights.v1";
        for symbol in [
            "ContactCenterInsights.GetConversation",
            "Conversation",
            "Conversation.Medium",
            "Conversation.PHONE_CALL",
            "Conversation.agent_id",
            "Conversation.Transcript.TranscriptSegment",
        ] {
            assert!(index.with_symbol(&format!("{package}.{symbol}")).is_some(), "{symbol}");
        }
        assert!(index.with_symbol("google.rpc.ErrorInfo").is_some(), "what an Any of ours can hold");
        assert!(index.with_symbol(&format!("{package}.Nothing")).is_none());
        assert!(
            index.with_extension("google.protobuf.MethodOptions", 72_295_728).is_some(),
            "google.api.http"
        );
        assert!(index.extensions("google.protobuf.MethodOptions").unwrap().contains(&1049));
        assert_eq!(index.extensions("google.rpc.ErrorInfo"), Some(Vec::new()));
        assert_eq!(index.extensions("google.rpc.Nothing"), None);
    }

    #[test]
    fn imports_come_along_once_each() {
        let index = Index::get();
        let name = "google/cloud/contactcenterinsights/v1/contact_center_insights.proto";
        let files = index.file(name).unwrap();
        let names: Vec<String> = files
            .iter()
            .map(|bytes| FileDescriptorProto::decode(&bytes[..]).unwrap().name().to_owned())
            .collect();
        assert_eq!(names[0], name);
        assert!(names.contains(&"google/protobuf/descriptor.proto".to_owned()), "{names:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
