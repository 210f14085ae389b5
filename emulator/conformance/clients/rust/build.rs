//! Lists the methods of the API, from its protos.

include!("../methods.rs");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    write_methods()
}
