//! `cci verify`: recordings replayed against an emulator of its own.

use serde_json::{Value, json};

use crate::support::{Run, cci, directory, file};

/// Recordings with values of our own, written from what is known of the service, of one kind of resource each.
const KINDS: [&str; 6] =
    ["analysis_rule", "conversation", "issue_model", "phrase_matcher", "qa_scorecard", "view"];

fn path(kind: &str) -> String {
    format!("{}/tests/data/recordings/{kind}.jsonl", env!("CARGO_MANIFEST_DIR"))
}

fn verify(exchanges: &[Value], arguments: &[&str]) -> Run {
    let lines: Vec<String> = exchanges.iter().map(Value::to_string).collect();
    cci(&[&["verify", file(lines.join("\n")).to_str().unwrap()], arguments].concat())
}

fn exchange(verb: &str, path: &str, body: &Value, status: u16, answer: &Value) -> Value {
    let path = format!("/v1/projects/PROJECT_ID/locations/us-central1/{path}");
    json!({
        "n": 1,
        "request": {"method": verb, "path": path, "query": "", "body": body},
        "response": {"status": status, "body": answer},
    })
}

#[test]
fn the_emulator_answers_as_was_recorded_for_all_six_kinds() {
    let files: Vec<String> = KINDS.iter().map(|kind| path(kind)).collect();
    let arguments: Vec<&str> = ["verify"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let run = cci(&arguments);
    assert_eq!((run.code, run.stdout.as_str()), (0, "[]\n"), "{}", run.stderr);
    assert!(run.stderr.ends_with("38 of 38 exchanges alike\n"), "{}", run.stderr);
}

/// Each recorded answer is changed in one place in turn, so that nothing is compared by name only.
#[test]
fn every_change_of_a_recording_is_found() {
    let text = std::fs::read_to_string(path("conversation")).unwrap();
    let recorded: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (line, place, value, named) in [
        (0, "/response/status", json!(400), "status"),
        (0, "/response/body/error/message", json!("No conversation."), "body.error.message"),
        (1, "/response/body/duration", json!("19s"), "body.duration"),
        (1, "/response/body/turnCount", json!(4), "body.turnCount"),
        (
            2,
            "/response/body/name",
            json!("projects/PROJECT_ID/locations/us-central1/conversations/parcel-ID_1"),
            "body.name",
        ),
        (
            2,
            "/response/body/transcript/transcriptSegments/1/words/0/word",
            json!("Ho"),
            "body.transcript.transcriptSegments[1].words[0].word",
        ),
        (3, "/response/body/createTime", json!("long ago"), "body.createTime"),
        (4, "/response/body/labels", json!({"shift": "late", "desk": "night"}), "body.labels.desk"),
        (7, "/response/body/error/code", json!(400), "body.error.code"),
    ] {
        let mut changed = recorded.clone();
        *changed[line].pointer_mut(place).unwrap() = value;
        let run = verify(&changed, &["-o", "table"]);
        assert_eq!(run.code, 1, "{place}: {}", run.stderr);
        assert!(run.stdout.contains(&format!("\n  {named}\n    recorded  ")), "{place}: {}", run.stdout);
        assert!(run.stdout.contains(&format!(" {} ", line + 1)), "{place}: {}", run.stdout);
        assert!(run.stderr.contains("7 of 8 alike"), "{place}: {}", run.stderr);
    }
}

#[test]
fn what_differs_is_printed_in_every_format() {
    let text = |format: &str| {
        let made = json!({"name": "projects/PROJECT_NUMBER/locations/us-central1/views/ID_1", "displayName": "Other"});
        let run = verify(
            &[exchange(
                "POST",
                "views",
                &json!({"displayName": "Mine", "value": "turn_count>1"}),
                200,
                &made,
            )],
            &["-o", format],
        );
        assert_eq!(run.code, 1, "{}", run.stderr);
        run.stdout
    };
    let document: Value = serde_json::from_str(&text("json")).unwrap();
    assert_eq!(
        document[0]["differences"][0],
        json!({"place": "body.displayName", "recorded": "Other", "emulator": "Mine"})
    );
    assert_eq!(document[0]["differences"][1]["recorded"], Value::Null);
    assert_eq!(serde_saphyr::from_str::<Value>(&text("yaml")).unwrap()[0]["n"], 1);
    assert!(text("name").trim().ends_with(" 1"), "{}", text("name"));
    assert!(
        text("table").contains("  body.displayName\n    recorded  \"Other\"\n    emulator  \"Mine\"\n"),
        "{}",
        text("table")
    );
}

/// The emulator's operation runs for as long as the recorded one did.
#[test]
fn an_operation_ends_where_the_recording_shows_it_ended() {
    let parent = "projects/PROJECT_NUMBER/locations/us-central1";
    let package = "type.googleapis.com/google.cloud.contactcenterinsights.v1";
    let conversation = format!("{parent}/conversations/c-ID_1");
    let body = json!({"agentId": "7"});
    let time = "2026-01-01T00:00:00Z";
    let made = json!({"name": conversation, "agentId": "7", "createTime": time, "updateTime": time});
    let operation = |ended: bool| {
        let mut metadata = json!({"@type": format!("{package}.CreateAnalysisOperationMetadata"), "createTime": time,
            "conversation": conversation, "annotatorSelector": {}});
        let mut operation = json!({"name": format!("{parent}/operations/ID_2")});
        if ended {
            metadata["endTime"] = time.into();
            operation["done"] = true.into();
        }
        operation["metadata"] = metadata;
        operation
    };
    let mut created = exchange("POST", "conversations", &body, 200, &made);
    created["request"]["query"] = "conversationId=c-ID_1".into();
    let read = |ended| exchange("GET", "operations/ID_2", &Value::Null, 200, &operation(ended));
    let started = exchange("POST", "conversations/c-ID_1/analyses", &json!({}), 200, &operation(false));
    let run = verify(&[created, started, read(false), read(false), read(true)], &[]);
    let different: Value = serde_json::from_str(&run.stdout).unwrap();
    let done: Vec<&Value> = different
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|found| found["differences"].as_array().unwrap())
        .collect();
    assert!(
        done.iter().all(|found| found["place"] != "body.done" && found["place"] != "status"),
        "{}",
        run.stdout
    );
    assert!(
        done.iter().any(|found| found["place"] == "body.response"),
        "the result was not recorded: {}",
        run.stdout
    );
}

#[test]
fn objects_are_read_from_a_directory_if_there_is_one() {
    let root = directory();
    std::fs::create_dir_all(root.join("b")).unwrap();
    std::fs::write(
        root.join("b/1.json"),
        r#"{"entries": [{"text": "Hello there", "role": "AGENT", "user_id": 5}]}"#,
    )
    .unwrap();
    let source = json!({"gcsSource": {"transcriptUri": "gs://b/1.json"}});
    let calls = [exchange("POST", "conversations", &json!({"dataSource": source}), 200, &json!({}))];
    let run = verify(&calls, &["--gcs-root", root.to_str().unwrap()]);
    assert!(run.code == 1 && run.stdout.contains("Hello there"), "{}{}", run.stdout, run.stderr);
    let run = verify(&calls, &[]);
    assert!(run.code == 1 && run.stdout.contains("\"emulator\": 404"), "{}{}", run.stdout, run.stderr);
}

#[test]
fn what_is_not_a_recording_is_refused() {
    let none = directory();
    for (path, why) in [
        (file("{}\n"), "line 1: `request.path` is missing"),
        (file("\n{\"request\": 1"), "line 2: not JSON"),
        (none, "cannot use the recording"),
    ] {
        let run = cci(&["verify", path.to_str().unwrap()]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
        assert!(run.stderr.contains(why) && run.stderr.contains("help: "), "{}", run.stderr);
    }
}
