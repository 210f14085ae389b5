//! Compiles `proto/` into tonic stubs, and what the descriptors state into client methods and the `Any` registry.

#[path = "build/contract.rs"]
mod contract;
#[path = "build/docs.rs"]
mod docs;
#[path = "build/emit.rs"]
mod emit;
#[path = "build/names.rs"]
mod names;

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorSet;
use protox::prost::Message as _;

const SERVICES: [&str; 2] =
    ["google.cloud.contactcenterinsights.v1.ContactCenterInsights", "google.longrunning.Operations"];

/// Where the messages of a package are, for code that others generate from protos that import ours. prost itself makes
/// `r#type` of `type`.
const MODULES: [(&str, &str); 4] = [
    (".google.cloud.contactcenterinsights.v1", "insights"),
    (".google.longrunning", "longrunning"),
    (".google.rpc", "rpc"),
    (".google.type", "type"),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build");
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);

    publish(Path::new(&env::var("CARGO_MANIFEST_DIR")?), out);

    // Google's clients say in `x-goog-api-client` which language version they were built with.
    println!("cargo:rustc-env=CCI_RUSTC_VERSION={}", rustc_version().unwrap_or_else(|| "unknown".into()));

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).open_files([
        "google/cloud/contactcenterinsights/v1/contact_center_insights.proto",
        "google/rpc/error_details.proto",
        "google/rpc/code.proto",
        // For the protos of other services, which import them.
        "google/api/field_info.proto",
        "google/api/routing.proto",
    ])?;

    // Embedded: no comments, but every custom option, which `Compiler::file_descriptor_set` would drop.
    fs::write(out.join("descriptors.bin"), compiler.include_source_info(false).encode_file_descriptor_set())?;

    // Generated from: with comments, which become documentation.
    let documented = compiler.include_source_info(true).encode_file_descriptor_set();
    stubs(&documented)?;

    let contract = contract::Contract::read(&documented, &SERVICES)?;
    fs::write(out.join("methods.rs"), emit::method_table(&contract))?;
    fs::write(out.join("client.rs"), emit::client_methods(&contract))?;
    fs::write(out.join("pages.rs"), emit::pages(&contract))?;
    fs::write(out.join("names.rs"), names::resource_names(&contract))?;
    fs::write(out.join("payload.rs"), emit::payload(&contract))?;
    Ok(())
}

/// Tells the build scripts of crates that depend on this one what they need to import its protos; cargo hands it on as
/// `DEP_CONTACT_CENTER_INSIGHTS_PROTOS_…`. `proto/README.md` says what each is.
fn publish(package: &Path, out: &Path) {
    let paths = MODULES.map(|(proto, module)| format!("{proto}=::contact_center_insights::proto::{module}"));
    println!("cargo::metadata=proto={}", package.join("proto").display());
    println!("cargo::metadata=descriptors={}", out.join("descriptors.bin").display());
    println!("cargo::metadata=extern_paths={}", paths.join(","));
}

/// `1.95.0` of `rustc 1.95.0 (59807616e 2026-04-14)`.
fn rustc_version() -> Option<String> {
    let output = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().nth(1).map(str::to_owned)
}

fn stubs(set: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names().type_name_domain(["."], "type.googleapis.com");
    // Maps in order of key: the same message always has the same bytes.
    config.btree_map(["."]);
    // They hold an `Any`, and are shown with what is in it (src/any/debug.rs).
    config.skip_debug([".google.longrunning.Operation", ".google.rpc.Status"]);
    for (field, attribute) in docs::enum_links(&DescriptorPool::decode(set)?, &MODULES) {
        config.field_attribute(field, attribute);
    }
    tonic_prost_build::configure()
        .build_server(env::var_os("CARGO_FEATURE_SERVER").is_some())
        // What a fake does not implement answers UNIMPLEMENTED.
        .generate_default_stubs(true)
        .build_transport(false)
        .include_file("protos.rs")
        .compile_fds_with_config(FileDescriptorSet::decode(set)?, config)?;
    Ok(())
}
