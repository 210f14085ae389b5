//! Compiles the proto of the admin API.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use prost_types::FileDescriptorSet;
use protox::prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out = env::var("OUT_DIR")?;
    let file = "contactcenterinsights/emulator/v1/emulator.proto";

    // Embedded without what it imports: the library's descriptors have that.
    let alone =
        protox::Compiler::new(["proto"])?.include_source_info(false).open_file(file)?.file_descriptor_set();
    fs::write(Path::new(&out).join("emulator.bin"), alone.encode_to_vec())?;

    let all =
        protox::Compiler::new(["proto"])?.include_imports(true).open_file(file)?.encode_file_descriptor_set();
    // What was tried with official clients, once it has been.
    println!("cargo:rerun-if-changed=coverage.json");
    let tried = fs::read_to_string("coverage.json").unwrap_or_else(|_| "{}".to_owned());
    fs::write(Path::new(&out).join("coverage.json"), tried)?;

    let mut config = tonic_prost_build::Config::new();
    // Maps in order of key: the same message always has the same bytes.
    config.btree_map(["."]);
    tonic_prost_build::configure()
        .build_server(false)
        .build_client(false)
        .compile_fds_with_config(FileDescriptorSet::decode(all.as_slice())?, config)?;
    Ok(())
}
