//! Expressions of jq over what is printed, as `jq -r` prints their results: strings as they are, all else as JSON.

use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, compile, data};
use jaq_json::{Val, read};
use serde_json::Value;

use super::unprintable;
use crate::escape;
use crate::exit::Exit;
use crate::failure::Failure;

/// What jq has and jaq's libraries have not.
const MORE: &str = r#"
def @csv: map(
    if isstring then "\"" + (split("\"") | join("\"\"")) + "\""
  elif . == null then "" else tostring end) | join(",");
def @tsv: map(
    if isstring then split("\\") | join("\\\\") | split("\t") | join("\\t") | split("\n") | join("\\n") | split("\r") | join("\\r")
  elif . == null then "" else tostring end) | join("\t");
"#;

type Compiled = Filter<data::JustLut<Val>>;

/// Checks an expression.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn check(expression: &str) -> Result<(), String> {
    compiled(expression).map(drop)
}

/// The results of an expression over a document, each on its line.
///
/// # Errors
/// If it fails on this document.
pub(super) fn run(expression: &str, document: &Value) -> Result<String, Failure> {
    let filter = compiled(expression).map_err(|reason| Failure::new(Exit::Usage, reason))?;
    let text = serde_json::to_string(document).map_err(unprintable)?;
    let input = read::parse_single(text.as_bytes()).map_err(unprintable)?;
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut printed = String::new();
    for result in filter.id.run((context, input)) {
        match result {
            Ok(Val::TStr(text)) => printed.push_str(&escape::lines(&String::from_utf8_lossy(&text))),
            Ok(value) => printed.push_str(&json(&value)?),
            // `halt` ends the results, as it ends jq.
            Err(exception) => match exception.get_err() {
                Ok(error) => return Err(failed(expression, &error.to_string())),
                Err(_) => break,
            },
        }
        printed.push('\n');
    }
    Ok(printed)
}

/// As `-o json` lays it out. What JSON does not have, such as `nan`, stays as jaq writes it.
fn json(value: &Val) -> Result<String, Failure> {
    let text = value.to_string();
    match serde_json::from_str::<Value>(&text) {
        Ok(value) => {
            let text = serde_json::to_string_pretty(&value).map_err(unprintable)?;
            Ok(escape::lines(&text).into_owned())
        }
        Err(_) => Ok(escape::lines(&text).into_owned()),
    }
}

fn failed(expression: &str, reason: &str) -> Failure {
    Failure::because(Exit::Api, format!("the answer came, but `{expression}` fails on it"), reason.to_owned())
        .with_help("-o json shows what it is asked on")
}

fn compiled(expression: &str) -> Result<Compiled, String> {
    let more = load::parse(MORE, |parser| parser.defs()).unwrap_or_default();
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(more);
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let loaded = Loader::new(defs).load(&arena, File { code: expression, path: () });
    let modules = loaded.map_err(|errors| {
        let first = errors.into_iter().next().map(|(_, error)| error);
        match first {
            Some(load::Error::Lex(errors)) => first_of(errors)
                .map(|(expected, at)| place(expression, at, &format!("{} is expected", expected.as_str()))),
            Some(load::Error::Parse(errors)) => first_of(errors)
                .map(|(expected, at)| place(expression, at, &format!("{} is expected", expected.as_str()))),
            Some(load::Error::Io(errors)) => {
                first_of(errors).map(|(at, _)| place(expression, at, "modules cannot be included"))
            }
            None => None,
        }
        .unwrap_or_else(|| "it cannot be read".to_owned())
    })?;
    Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
        let first = errors.into_iter().next().and_then(|(_, errors)| first_of(errors));
        first.map_or_else(
            || "it cannot be read".to_owned(),
            |(name, what)| place(expression, name, &undefined(name, &what)),
        )
    })
}

fn first_of<T>(errors: Vec<T>) -> Option<T> {
    errors.into_iter().next()
}

fn undefined(name: &str, what: &compile::Undefined) -> String {
    match what {
        compile::Undefined::Filter(arity) => format!("there is no {name}/{arity}"),
        what => format!("there is no {} {name}", what.as_str()),
    }
}

/// A problem, and the column where it is.
fn place(expression: &str, at: &str, problem: &str) -> String {
    // A part of the expression, by its address; what is missing at the end has none.
    let start = (at.as_ptr() as usize).checked_sub(expression.as_ptr() as usize);
    let before = start.and_then(|start| expression.get(..start)).unwrap_or(expression);
    let column = before.chars().count().saturating_add(1);
    format!("at column {column}, {problem}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn results_are_printed_as_jq_does() {
        let document = json!([{"name": "a", "n": {"x": 1}}, {"name": "b\u{1b}", "n": null}]);
        for (expression, printed) in [
            (".[].name", "a\nb\\u001b\n"),
            ("length", "2\n"),
            (".[0].n", "{\n  \"x\": 1\n}\n"),
            (".[0].n | tojson", "{\"x\":1}\n"),
            ("map(.name) | join(\",\")", "a,b\\u001b\n"),
            (".[] | [.name, 1] | @tsv", "a\t1\nb\\u001b\t1\n"),
            ("[\"a\\t\\\\\", null, true, \"\"] | @tsv", "a\\t\\\\\t\ttrue\t\n"),
            ("[\"say \\\"x\\\"\", 2, null] | @csv", "\"say \"\"x\"\"\",2,\n"),
            (".[] | select(.name | test(\"^a\")) | .name", "a\n"),
            ("empty", ""),
            ("1, halt, 2", "1\n"),
        ] {
            assert_eq!(run(expression, &document).unwrap(), printed, "{expression}");
        }
        let failure = run(".[0].name + 1", &document).unwrap_err();
        assert_eq!(failure.exit(), Exit::Api);
        assert!(failure.to_string().contains("the answer came"), "{failure}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (expression, words) in [
            (".[", "at column 3"),
            (".name |", "at column 8"),
            (".a | nosuch(1)", "at column 6, there is no nosuch/1"),
            ("$x", "at column 1, there is no variable $x"),
            ("\"a", "at column 3"),
            ("include \"x\"; .", "modules cannot be included"),
        ] {
            let reason = check(expression).unwrap_err();
            assert!(reason.contains(words), "{expression}: {reason}");
        }
        check(".[] | {name, kind: .metadata[\"@type\"]}").unwrap();
    }
}
