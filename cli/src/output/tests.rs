//! Every format, over operations of every state.

use contact_center_insights::any::pack;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::proto::longrunning::operation::Result as WireResult;
use contact_center_insights::proto::rpc;
use prost_types::{Any, Timestamp};

use super::*;

const FORMATS: [Format; 4] = [Format::Json, Format::Yaml, Format::Table, Format::Name];

fn operation(id: &str, result: Option<WireResult>) -> Operation {
    let create_time = Some(Timestamp { seconds: 1_611_137_410, nanos: 123_000_000 });
    Operation {
        name: format!("projects/p/locations/l/operations/{id}"),
        metadata: Some(pack(&CreateIssueModelMetadata { create_time, ..Default::default() })),
        done: result.is_some(),
        result,
    }
}

fn failed(id: &str, code: i32, message: &str) -> Operation {
    let status = rpc::Status { code, message: message.into(), details: vec![] };
    operation(id, Some(WireResult::Error(status)))
}

#[test]
fn a_table_shows_the_state_of_each() {
    let no_result = Operation { done: true, ..operation("4", None) };
    let response = Some(WireResult::Response(pack(&IssueModel::default())));
    let list = [
        operation("1", None),
        operation("2", response),
        failed("3", 1, ""),
        no_result,
        failed("5", 3, "bad\n\u{1b}[2Jbucket"),
    ];
    let table = Format::Table.many(&list).unwrap();
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect())
        .collect();
    assert_eq!(lines[0], ["NAME", "TYPE", "STATE", "CREATED", "ENDED", "ERROR"]);
    let states: Vec<&str> = lines[1..].iter().map(|line| line[2]).collect();
    assert_eq!(states, ["RUNNING", "SUCCEEDED", "CANCELLED", "NO RESULT", "FAILED"]);
    assert_eq!(
        lines[5][1..],
        ["CreateIssueModel", "FAILED", "2021-01-20T10:10:10.123Z", "INVALID_ARGUMENT: bad \\u001b[2Jbucket"]
    );
    assert_eq!(Format::Table.many(&[]).unwrap().lines().count(), 1);
}

#[test]
fn one_operation_is_a_fact_a_line() {
    let table = Format::Table.one(&failed("1", 5, "gone")).unwrap();
    let facts: Vec<_> = table.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).collect();
    assert_eq!(
        facts.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
        ["NAME", "TYPE", "STATE", "CREATED", "ENDED", "ERROR"]
    );
    assert_eq!(facts[0].1.trim(), "projects/p/locations/l/operations/1");
    assert_eq!(facts[5].1.trim(), "NOT_FOUND: gone");
}

#[test]
fn yaml_reads_back_as_the_same_document_with_strings_still_strings() {
    let labels =
        ["123", "true", "null", "~", "no", "on", "1e3", "0x1F", "12:30:45", "", " x ", "a: b", "- a"];
    let mut list: Vec<_> = labels.iter().map(|label| failed("1", 2, label)).collect();
    list.push(failed(&"long".repeat(50), 2, "two\nlines, and # more\n"));
    list.push(operation("2021-01-20", None));
    let yaml = Format::Yaml.many(&list).unwrap();
    let read: Value = serde_saphyr::from_str(&yaml).unwrap();
    let json: Value = serde_json::from_str(&Format::Json.many(&list).unwrap()).unwrap();
    assert_eq!(read, json);
    // A reader of YAML 1.1 would make a date of it.
    assert!(!yaml.contains("createTime: 2021"), "{yaml}");
    let keys: Vec<_> = yaml.lines().filter_map(|line| line.split(':').next()).take(3).collect();
    assert_eq!(keys, ["- name", "  metadata", "    \"@type\""]);
}

#[test]
fn names_are_a_line_each() {
    let list = [operation("1", None), operation("two\nlines", None)];
    let names = "projects/p/locations/l/operations/1\nprojects/p/locations/l/operations/two lines\n";
    assert_eq!(Format::Name.many(&list).unwrap(), names);
    assert_eq!(Format::Name.many(&[]).unwrap(), "");
}

#[test]
fn no_format_lets_a_server_write_to_the_terminal() {
    let hostile = failed("a\u{202e}b\u{9b}", 2, "x\u{2066}\u{7f}\u{1b}]0;t\u{7}\r\n");
    for format in FORMATS {
        for text in [format.one(&hostile).unwrap(), format.many(std::slice::from_ref(&hostile)).unwrap()] {
            assert!(!text.contains(|c| is_unsafe(c) && c != '\n'), "{text:?}");
            assert!(text.to_lowercase().contains("operations/a\\u202eb\\u009b"), "{text}");
        }
    }
    let json: Value = serde_json::from_str(&Format::Json.one(&hostile).unwrap()).unwrap();
    let yaml: Value = serde_saphyr::from_str(&Format::Yaml.one(&hostile).unwrap()).unwrap();
    assert_eq!((&json["name"], &yaml), (&hostile.name.into(), &json));
}

#[test]
fn a_cell_has_an_end() {
    let table = Format::Table.one(&failed("1", 2, &"x".repeat(1_000_000))).unwrap();
    assert!(table.len() < 3000 && table.contains("more characters)"), "{}", table.len());
}

#[test]
fn what_is_unknown_prints_in_every_format() {
    let any = Any { type_url: "type.googleapis.com/a.Unheard".into(), value: vec![255] };
    let operation = Operation { metadata: Some(any), ..operation("1", None) };
    for format in FORMATS {
        assert!(format.one(&operation).unwrap().contains("operations/1"), "{format:?}");
    }
    let json: Value = serde_json::from_str(&Format::Json.one(&operation).unwrap()).unwrap();
    assert_eq!(json["metadata"]["value"], "/w==");
    assert!(Format::Table.one(&Operation::default()).unwrap().contains("RUNNING"));
}
