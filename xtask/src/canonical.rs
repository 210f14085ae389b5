//! The canonical form of the contract, and its digest: what must not change when files are printed anew.
//! `tests/contract.rs` of the library shares this file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FileDescriptor, Value};
use sha2::{Digest as _, Sha256};

/// What the contract is made of; everything these import comes along. The two of `google.api` are imported by other
/// services' protos, never by this API's.
pub(crate) const ROOTS: [&str; 5] = [
    "google/cloud/contactcenterinsights/v1/contact_center_insights.proto",
    "google/rpc/error_details.proto",
    "google/rpc/code.proto",
    "google/api/field_info.proto",
    "google/api/routing.proto",
];

/// The SHA-256 of the canonical descriptors in a serialized set.
pub(crate) fn digest(set: &[u8]) -> Result<String, String> {
    let mut hex = String::new();
    for byte in Sha256::digest(canonical(set)?) {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

/// The canonical bytes of the contract in a serialized set.
pub(crate) fn canonical(set: &[u8]) -> Result<Vec<u8>, String> {
    let pool = DescriptorPool::decode(set).map_err(|e| e.to_string())?;
    canonical_files(&pool, &closure(&pool)?)
}

/// Files in order of name, fields in order of number, no source info. Files of `google.protobuf` are the
/// compiler's own and stay out.
pub(crate) fn canonical_files(pool: &DescriptorPool, files: &[FileDescriptor]) -> Result<Vec<u8>, String> {
    let schema = pool
        .get_message_by_name("google.protobuf.FileDescriptorProto")
        .ok_or("the set lacks google/protobuf/descriptor.proto")?;
    let mut out = Vec::new();
    for file in files {
        let mut message = DynamicMessage::decode(schema.clone(), file.encode_to_vec().as_slice())
            .map_err(|e| e.to_string())?;
        message.clear_field_by_name("source_code_info");
        drop_empty_options(&mut message);
        out.extend(message.encode_length_delimited_to_vec());
    }
    Ok(out)
}

/// `rpc A(B) returns (C) {}` and `rpc A(B) returns (C);` say the same; compilers differ in what they record.
fn drop_empty_options(message: &mut DynamicMessage) {
    let is_empty = |value: &Value| value.as_message().is_some_and(|m| m.encoded_len() == 0);
    if message.get_field_by_name("options").is_some_and(|value| is_empty(&value)) {
        message.clear_field_by_name("options");
    }
    for (_, value) in message.fields_mut() {
        match value {
            Value::Message(nested) => drop_empty_options(nested),
            Value::List(items) => {
                items.iter_mut().filter_map(Value::as_message_mut).for_each(drop_empty_options);
            }
            _ => {}
        }
    }
}

/// The files of the contract, in order of name: the roots and what they import.
pub(crate) fn closure(pool: &DescriptorPool) -> Result<Vec<FileDescriptor>, String> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<String> = ROOTS.iter().map(ToString::to_string).collect();
    while let Some(name) = open.pop() {
        if name.starts_with("google/protobuf/") || !seen.insert(name.clone()) {
            continue;
        }
        let file = pool.get_file_by_name(&name).ok_or_else(|| format!("the set lacks {name}"))?;
        open.extend(file.dependencies().map(|import| import.name().to_owned()));
    }
    Ok(seen.iter().filter_map(|name| pool.get_file_by_name(name)).collect())
}
