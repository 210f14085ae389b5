//! The descriptors, prepared so that an `Any` is data: prost-reflect refuses one of unknown type.
//!
//! `google.protobuf.Any` is renamed, and its fields are given the JSON names `@type` and `value`. The wire
//! form stays; JSON now shows every `Any` in the fallback form, which the `any` module unfolds where it can.

use std::sync::OnceLock;

use prost::Message as _;
use prost_reflect::{DescriptorPool, MessageDescriptor};
use prost_types::{DescriptorProto, FileDescriptorSet};

use super::JsonError;
use crate::proto::FILE_DESCRIPTOR_SET;

/// Full name of `google.protobuf.Any` in these descriptors.
pub(super) const OPAQUE_ANY: &str = "google.protobuf.OpaqueAny";
/// The real name, which an `Any` inside an `Any` carries.
pub(super) const ANY: &str = "google.protobuf.Any";

/// The message of this full name.
pub(super) fn message(name: &str) -> Result<MessageDescriptor, JsonError> {
    static POOL: OnceLock<Option<DescriptorPool>> = OnceLock::new();
    let name = if name == ANY { OPAQUE_ANY } else { name };
    POOL.get_or_init(build)
        .as_ref()
        .and_then(|pool| pool.get_message_by_name(name))
        .ok_or_else(|| JsonError::UnknownType(name.to_owned()))
}

/// `None` cannot happen: the embedded descriptors compiled when the crate was built, and a test builds this.
fn build() -> Option<DescriptorPool> {
    let mut set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).ok()?;
    for file in &mut set.file {
        let is_any = file.name() == "google/protobuf/any.proto";
        for message in &mut file.message_type {
            if is_any && message.name() == "Any" {
                message.name = Some("OpaqueAny".into());
                for field in &mut message.field {
                    field.json_name = Some(if field.number() == 1 { "@type" } else { "value" }.into());
                }
            }
            point_to_opaque(message);
        }
    }
    DescriptorPool::from_file_descriptor_set(set).ok()
}

fn point_to_opaque(message: &mut DescriptorProto) {
    for field in &mut message.field {
        if field.type_name() == ".google.protobuf.Any" {
            field.type_name = Some(format!(".{OPAQUE_ANY}"));
        }
    }
    message.nested_type.iter_mut().for_each(point_to_opaque);
}
