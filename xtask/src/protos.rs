//! Refreshes `proto/` from published descriptors, and proves that nothing was lost on the way.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FileDescriptor, Value};
use prost_types::FileDescriptorSet;
use sha2::{Digest as _, Sha256};

use crate::comments::Comments;
use crate::printer;

/// What the contract is made of; everything these import comes along.
const ROOTS: [&str; 3] = [
    "google/cloud/contactcenterinsights/v1/contact_center_insights.proto",
    "google/rpc/error_details.proto",
    "google/rpc/code.proto",
];

/// Replaces the files under `folder` by those that the descriptor set at `from` describes. Comments in the
/// files that are there are kept; the result is compiled again and compared with `from`.
pub(crate) fn refresh(from: &Path, folder: &Path) -> Result<(), String> {
    let bytes = fs::read(from).map_err(|e| format!("cannot read {}: {e}", from.display()))?;
    let published = DescriptorPool::decode(bytes.as_slice())
        .map_err(|e| format!("{} is no FileDescriptorSet: {e}", from.display()))?;
    let comments = comments_in(folder)?;
    let files = closure(&published)?;
    for file in &files {
        let path = folder.join(file.name());
        write(&path, &printer::print(file, &comments))
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    let printed = compile(folder)?;
    if canonical(&printed)? != canonical_files(&published, &files)? {
        return Err("what was printed does not compile to what was read; nothing else was changed".into());
    }
    let digest = digest(&printed)?;
    let path = folder.join("contract.sha256");
    write(&path, &format!("{digest}\n")).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    println!("{} files under {}, digest {digest}", files.len(), folder.display());
    Ok(())
}

/// The comments that stand in `folder`; files that do not compile are an error, or their comments were lost.
fn comments_in(folder: &Path) -> Result<Comments, String> {
    if !ROOTS.iter().any(|root| folder.join(root).exists()) {
        return Ok(Comments::default());
    }
    let set =
        compile(folder).and_then(|set| FileDescriptorSet::decode(set.as_slice()).map_err(|e| e.to_string()));
    let set = set.map_err(|e| format!("cannot read the comments in {}: {e}", folder.display()))?;
    Ok(Comments::of(&set.file))
}

/// Compiles the contract in `folder`, with comments and custom options, to a serialized descriptor set.
pub(crate) fn compile(folder: &Path) -> Result<Vec<u8>, String> {
    let mut compiler = protox::Compiler::new([folder]).map_err(|e| e.to_string())?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(ROOTS).map_err(|e| e.to_string())?;
    Ok(compiler.encode_file_descriptor_set())
}

/// The SHA-256 of the canonical descriptors in a serialized set.
pub(crate) fn digest(set: &[u8]) -> Result<String, String> {
    let mut hex = String::new();
    for byte in Sha256::digest(canonical(set)?) {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

fn canonical(set: &[u8]) -> Result<Vec<u8>, String> {
    let pool = DescriptorPool::decode(set).map_err(|e| e.to_string())?;
    canonical_files(&pool, &closure(&pool)?)
}

/// Files in order of name, fields in order of number, no source info. Files of `google.protobuf` are the
/// compiler's own and stay out.
fn canonical_files(pool: &DescriptorPool, files: &[FileDescriptor]) -> Result<Vec<u8>, String> {
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

fn closure(pool: &DescriptorPool) -> Result<Vec<FileDescriptor>, String> {
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

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proto_folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto")
    }

    /// Printing what is vendored gives what is vendored: comments, options and order survive.
    #[test]
    fn printing_the_vendored_files_changes_nothing() {
        let set = compile(&proto_folder()).unwrap();
        let pool = DescriptorPool::decode(set.as_slice()).unwrap();
        let comments = Comments::of(&FileDescriptorSet::decode(set.as_slice()).unwrap().file);
        for file in closure(&pool).unwrap() {
            let vendored = fs::read_to_string(proto_folder().join(file.name())).unwrap();
            assert_eq!(printer::print(&file, &comments), vendored, "{}", file.name());
        }
    }

    #[test]
    fn a_set_without_the_service_is_refused_by_name() {
        let error = closure(&DescriptorPool::new()).unwrap_err();
        assert!(error.contains("google/rpc/code.proto"), "{error}");
    }
}
