//! `cci`.
fn main() {}
