//! Compiles the proto, and keeps its descriptors for the server in Python.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let set = protox::compile(["grpc/testing/test.proto"], ["proto"])?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("test.fds"), set.encode_to_vec())?;
    tonic_prost_build::configure().build_server(false).build_transport(false).compile_fds(set)?;
    Ok(())
}
