//! Finds the protos that the package hands to build scripts.

use std::path::Path;

fn main() {
    let folder = std::env::var("DEP_CONTACT_CENTER_INSIGHTS_PROTOS_PROTO").expect("the folder of the protos");
    let operations = Path::new(&folder).join("google/longrunning/operations.proto");
    assert!(operations.is_file(), "{} is not in the package", operations.display());
}
