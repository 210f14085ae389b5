//! Links `cci` at a fixed address on Linux. A position-independent program of this size sets some 45,000 addresses each
//! time it starts, which takes longer than all the rest of a short command. What is lost is that the program's own code and
//! tables are at another address each time; stack, heap and shared libraries still are. `CCI_PIE=1` builds it as usual.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CCI_PIE");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    // A program that is linked statically has no such addresses to begin with where they are fixed, and musl's start files
    // are chosen by the compiler.
    let is_static =
        env::var("CARGO_CFG_TARGET_FEATURE").is_ok_and(|features| features.contains("crt-static"));
    let is_gnu_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is_gnu_linux && !is_static && env::var_os("CCI_PIE").is_none() {
        println!("cargo::rustc-link-arg-bin=cci=-no-pie");
    }
}
