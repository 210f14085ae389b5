// A part of the build scripts of both drivers in Rust: a client has no way to be asked for a method by its name, so the
// list of them is written from the protos.

/// Writes `methods.rs`: the macro `with_methods!`, which gives `$then!` its own arguments and, after them, the API's
/// methods by the function of a Rust client and the type of its request.
fn write_methods() -> Result<(), Box<dyn std::error::Error>> {
    const SERVICE: &str = "ContactCenterInsights";
    let protos = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../proto");
    println!("cargo:rerun-if-changed={protos}");
    println!("cargo:rerun-if-changed=../methods.rs");
    let file = "google/cloud/contactcenterinsights/v1/contact_center_insights.proto";
    let set = protox::Compiler::new([protos])?.include_imports(true).open_file(file)?.file_descriptor_set();
    let messages: Vec<_> = set.file.iter().flat_map(|file| &file.message_type).collect();
    let is_paged = |name: &str| {
        let mut fields = messages.iter().filter(|message| message.name() == name).flat_map(|m| &m.field);
        fields.any(|field| field.name() == "page_token")
    };
    let services = set.file.iter().flat_map(|file| &file.service);
    let service = services.into_iter().find(|service| service.name() == SERVICE).ok_or("no such service")?;
    let (mut unary, mut paged, mut long_running) = (String::new(), String::new(), String::new());
    for method in &service.method {
        let request = method.input_type().rsplit('.').next().unwrap_or_default();
        let list = match method.output_type() {
            ".google.longrunning.Operation" => &mut long_running,
            _ if is_paged(request) => &mut paged,
            _ => &mut unary,
        };
        list.extend([&snake(method.name()), " ", request, ",\n"]);
    }
    let text = format!(
        "macro_rules! with_methods {{\n($then:ident! {{ $($arguments:tt)* }}) => {{\n$then! {{\n$($arguments)*\n\
         unary {{\n{unary}}}\npaged {{\n{paged}}}\nlong_running {{\n{long_running}}}\n}}\n}};\n}}\n"
    );
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    Ok(std::fs::write(out.join("methods.rs"), text)?)
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
