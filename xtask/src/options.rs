//! Prints options, built-in and custom, as protobuf source.

use prost_reflect::text_format::FormatOptions;
use prost_reflect::{DynamicMessage, Kind, Value};

/// One `name = value` per option that is set; repeated ones come once an element.
pub(crate) fn assignments(options: &DynamicMessage) -> Vec<String> {
    let mut out = Vec::new();
    for (field, value) in options.fields() {
        if field.name() == "map_entry" || field.name() == "uninterpreted_option" {
            continue;
        }
        push(&mut out, field.name(), &field.kind(), value);
    }
    for (extension, value) in options.extensions() {
        push(&mut out, &format!("({})", extension.full_name()), &extension.kind(), value);
    }
    out
}

/// `[a = 1, b = 2]` with a leading space, or nothing; broken over lines where it grows long.
pub(crate) fn bracketed(assignments: &[String], indent: &str) -> String {
    let joined = assignments.join(", ");
    if assignments.is_empty() {
        String::new()
    } else if joined.len() <= 60 && !joined.contains('\n') {
        format!(" [{joined}]")
    } else {
        let inner = format!("{indent}  ");
        let lines: Vec<_> = assignments.iter().map(|a| inner.clone() + &indented(a, &inner)).collect();
        format!(" [\n{}\n{indent}]", lines.join(",\n"))
    }
}

/// Every line but the first moved right by `indent`.
pub(crate) fn indented(text: &str, indent: &str) -> String {
    text.replace('\n', &format!("\n{indent}"))
}

fn push(out: &mut Vec<String>, name: &str, kind: &Kind, value: &Value) {
    match value {
        Value::List(items) => items.iter().for_each(|item| push(out, name, kind, item)),
        _ => out.push(format!("{name} = {}", literal(kind, value))),
    }
}

fn literal(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (Kind::Enum(decl), Value::EnumNumber(number)) => {
            decl.get_value(*number).map_or_else(|| number.to_string(), |value| value.name().to_owned())
        }
        (_, Value::String(text)) => quoted(text),
        (_, Value::Message(message)) => braces(message),
        (_, other) => other.to_string(),
    }
}

fn braces(message: &DynamicMessage) -> String {
    let format = FormatOptions::new().pretty(true);
    let text = message.to_text_format_with_options(&format);
    let text = text.trim();
    if text.contains('\n') { format!("{{\n  {}\n}}", indented(text, "  ")) } else { format!("{{ {text} }}") }
}

pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_for_protobuf() {
        assert_eq!(quoted(r#"a\b"c"#), r#""a\\b\"c""#);
    }

    #[test]
    fn long_options_get_a_line_each() {
        assert_eq!(bracketed(&[], "  "), "");
        assert_eq!(bracketed(&["a = 1".into(), "b = 2".into()], "  "), " [a = 1, b = 2]");
        let long = "x".repeat(61);
        assert_eq!(bracketed(std::slice::from_ref(&long), "  "), format!(" [\n    {long}\n  ]"));
    }
}
