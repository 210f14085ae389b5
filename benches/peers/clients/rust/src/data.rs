//! The operation and the token of the benches, as files for the comparison: peers-data FOLDER.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a part of a bench, which may panic"
)]

#[path = "../../../../support/mod.rs"]
mod support;

use std::path::PathBuf;

use prost::Message as _;

fn main() {
    let folder: PathBuf = std::env::args_os().nth(1).expect("usage: peers-data FOLDER").into();
    std::fs::write(folder.join("operation.bin"), support::finished().encode_to_vec()).expect("a folder");
    std::fs::write(folder.join("name"), support::NAME).expect("a folder");
    std::fs::write(folder.join("token"), support::TOKEN).expect("a folder");
}
