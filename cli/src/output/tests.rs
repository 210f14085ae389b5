//! Every format, over operations of every state.

use contact_center_insights::any::pack;
use contact_center_insights::proto::insights::{
    BulkAnalyzeConversationsMetadata, CreateIssueModelMetadata, IssueModel,
};
use contact_center_insights::proto::longrunning::operation::Result as WireResult;
use contact_center_insights::proto::rpc;
use prost_types::{Any, Timestamp};

use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use super::layout::{Layout, Look};
use super::summary::Summary;
use super::values::Fields;
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
    assert_eq!(lines[0], ["NAME", "TYPE", "STATE", "AGE", "ERROR"]);
    let states: Vec<&str> = lines[1..].iter().map(|line| line[2]).collect();
    assert_eq!(states, ["RUNNING", "SUCCEEDED", "CANCELLED", "NO RESULT", "FAILED"]);
    assert_eq!(lines[5][1..3], ["CreateIssueModel", "FAILED"]);
    assert!(table.contains("INVALID_ARGUMENT: bad \\u001b"), "{table}");
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
            assert!(text.to_lowercase().contains("a\\u202eb\\u009b"), "{text}");
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

/// At half past ten on 20 January 2021.
fn look(width: usize) -> Look {
    Look { width: Some(width), has_colors: false, is_utf8: true, now: 1_611_138_610 }
}

fn drawn(items: &[Value], width: usize) -> String {
    let fields = Fields::of(items, false);
    let rows = fields.rows(items, look(width));
    let layout = Layout::fit(&fields.columns(), &rows, look(width));
    let table = layout.header() + &layout.rows(&rows);
    assert!(table.lines().all(|line| line.width() <= width), "{table}");
    table
}

#[test]
fn operations_at_80_and_40_columns() {
    let analysis = BulkAnalyzeConversationsMetadata {
        create_time: Some(Timestamp { seconds: 1_611_128_410, nanos: 0 }),
        completed_analyses_count: 3,
        total_requested_analyses_count: 8,
        ..Default::default()
    };
    let running = Operation { metadata: Some(pack(&analysis)), ..operation("1000000000000000001", None) };
    let list = [running, failed("1000000000000000002", 3, "no bucket of this name")];
    let summaries: Vec<_> =
        list.iter().map(|raw| Summary::new(raw, &to_value(Printer::new(), raw).unwrap())).collect();
    let summaries: Vec<_> = summaries.iter().collect();
    let at = |width| table::many_for(&summaries, look(width)).join("\n");
    assert_eq!(
        at(80),
        "NAME                 TYPE                   STATE    PROGRESS  AGE  ERROR\n\
         1000000000000000001  BulkAnalyzeConversat…  RUNNING  37%       2h\n\
         1000000000000000002  CreateIssueModel       FAILED             20m  INVALID_ARG…"
    );
    assert_eq!(
        at(40),
        "NAME                 STATE    AGE\n\
         1000000000000000001  RUNNING  2h\n\
         1000000000000000002  FAILED   20m"
    );
}

#[test]
fn resources_at_80_and_40_columns() {
    let at = "projects/p/locations/l";
    let conversations = [
        json!({"name": format!("{at}/conversations/c1"), "languageCode": "de-DE", "agentId": "日本の代理店", "medium": "CHAT",
            "createTime": "2021-01-20T10:10:10Z", "updateTime": "2021-01-20T10:29:10Z", "duration": "65s", "turnCount": 12,
            "labels": {"a": "b"}}),
        json!({"name": format!("{at}/conversations/c2"), "agentId": "7", "createTime": "2021-01-01T00:00:00Z"}),
    ];
    assert_eq!(
        drawn(&conversations, 80),
        "NAME  LANGUAGE CODE  AGENT ID      MEDIUM  DURATION  TURN COUNT  AGE  UPDATED\n\
         c1    de-DE          日本の代理店  CHAT    65s       12          20m  60s\n\
         c2                   7                                           19d\n"
    );
    assert_eq!(
        drawn(&conversations, 40),
        "NAME  LANGUAGE CO…  MEDIUM  AGE  UPDATED\nc1    de-DE         CHAT    20m  60s\nc2                          19d\n"
    );
    let models = [
        json!({"name": format!("{at}/issueModels/9"), "displayName": "What people say when their parcel is late",
        "state": "UNDEPLOYED", "modelType": "TYPE_V2", "issueCount": "12", "createTime": "2021-01-20T10:10:10Z"}),
    ];
    assert_eq!(
        drawn(&models, 80),
        "NAME  DISPLAY NAME                      STATE       MODEL TYPE  ISSUE COUNT  AGE\n\
         9     What people say when their parc…  UNDEPLOYED  TYPE_V2     12           20m\n"
    );
    assert_eq!(
        drawn(&models, 40),
        "NAME  DISPLAY NAME       STATE       AGE\n9     What people say…   UNDEPLOYED  20m\n"
    );
    let analyses = [
        json!({"name": format!("{at}/conversations/c1/analyses/5"), "requestTime": "2021-01-20T10:10:10Z",
        "createTime": "2021-01-20T10:10:12Z", "analysisResult": {"callAnalysisMetadata": {}}, "annotatorSelector": {}}),
    ];
    assert_eq!(drawn(&analyses, 80), "NAME  REQUEST TIME  AGE\n5     20m           19m\n");
    assert_eq!(drawn(&analyses, 40), drawn(&analyses, 80));
    let scorecards = [
        json!({"name": format!("{at}/qaScorecards/1"), "displayName": "Courtesy", "description": "How we speak",
        "createTime": "2021-01-20T10:10:10Z", "updateTime": "2021-01-20T10:10:10Z"}),
    ];
    assert_eq!(
        drawn(&scorecards, 80),
        "NAME  DISPLAY NAME  DESCRIPTION   AGE  UPDATED\n1     Courtesy      How we speak  20m  20m\n"
    );
    assert_eq!(drawn(&scorecards, 40), "NAME  DISPLAY NAME  AGE  UPDATED\n1     Courtesy      20m  20m\n");
}
