//! Every input of the corpus is accepted, refused and printed as protobuf for Python does it.
//!
//! `tests/data/json_corpus.jsonl` was written by `interop/python/json_corpus.py`; the interoperability step checks that
//! the installed release still says the same.

use std::collections::BTreeMap;

use contact_center_insights::json::{Printer, Reader};
use serde_json::Value;

/// Equal to the last bit: `-0.0` is not `0.0`, and 1 is not 1.0.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => a.to_string() == b.to_string(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|b| same(value, b)))
        }
        _ => ours == theirs,
    }
}

/// What is wrong with our verdict.
fn difference(case: &Value) -> Option<String> {
    let part = |key: &str| case.get(key).and_then(Value::as_str).unwrap();
    let (name, text) = (part("type"), part("text"));
    let read = Reader::new().bytes(name, text);
    let printed = read.as_ref().ok().map(|read| Printer::new().text(name, &read.value));
    match (part("verdict"), read.as_ref(), printed) {
        ("refused", Err(_), _) | ("unprintable", Ok(_), Some(_)) => None,
        ("printed", Ok(_), Some(Ok(printed))) => {
            let wanted = case.get("printed").unwrap();
            let found: Value = serde_json::from_str(&printed).unwrap();
            (!same(&found, wanted)).then(|| format!("ours {found}, theirs {wanted}"))
        }
        (verdict, Err(error), _) => Some(format!("ours refused: {error}; theirs {verdict}")),
        (verdict, Ok(_), printed) => Some(format!("ours accepted: {printed:?}; theirs {verdict}")),
    }
}

#[test]
fn the_corpus_has_one_verdict() {
    let cases: Vec<Value> = include_str!("../data/json_corpus.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    for case in &cases {
        let kind = case.get("kind").and_then(Value::as_str).unwrap();
        *kinds.entry(kind).or_default() += 1;
        if let Some(difference) = difference(case) {
            differences.push(format!("{kind}: {}\n  {difference}", case.get("text").unwrap()));
        }
    }
    println!("json corpus={} {kinds:?}", cases.len());
    assert!(cases.len() >= 300);
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}
