//! Refreshes `proto/` from published descriptors, and proves that nothing was lost on the way.

use std::path::Path;
use std::{fs, io};

use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorSet;

use crate::canonical::{ROOTS, canonical, canonical_files, closure, digest};
use crate::comments::Comments;
use crate::printer;

/// Replaces the files under `folder` by those that the descriptor set at `from` describes. Comments in the
/// files that are there are kept; the result is compiled again and compared with `from`.
pub(crate) fn refresh(from: &Path, folder: &Path) -> Result<(), String> {
    let bytes = fs::read(from).map_err(|e| format!("cannot read {}: {e}", from.display()))?;
    let published = DescriptorPool::decode(bytes.as_slice())
        .map_err(|e| format!("{} is not a FileDescriptorSet: {e}", from.display()))?;
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
        assert!(ROOTS.iter().any(|root| error.ends_with(root)), "{error}");
    }
}
