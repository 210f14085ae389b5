//! Compiles our proto, which imports those of contact-center-insights; that crate's build script says where they are.

use std::env;
use std::error::Error;

use tonic_prost_build::Config;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let published = |key: &str| env::var(format!("DEP_CONTACT_CENTER_INSIGHTS_PROTOS_{key}"));

    let imported = published("PROTO")?;
    let set = protox::compile(["acme/transcoding/v1/transcoding.proto"], ["proto", &imported])?;

    let mut config = Config::new();
    // Pollers tell by its name which type an operation holds.
    config.enable_type_names().type_name_domain(["."], "type.googleapis.com");
    // Google's messages are those of contact-center-insights, and not generated a second time.
    for pair in published("EXTERN_PATHS")?.split(',') {
        let (package, module) = pair.split_once('=').ok_or("a pair without `=` in EXTERN_PATHS")?;
        config.extern_path(package, module);
    }
    // The transport is that of contact-center-insights as well. The server is there for our tests.
    tonic_prost_build::configure().build_transport(false).compile_fds_with_config(set, config)?;

    // Not needed to generate code: a test looks at them.
    println!("cargo::rustc-env=IMPORTED_DESCRIPTORS={}", published("DESCRIPTORS")?);
    Ok(())
}
