//! `cci operations`: what each command prints, in every format, on stdout alone.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use contact_center_insights::{json, proto::longrunning::Operation};
use prost::Message as _;
use serde_json::{Value, json};

use crate::support::{
    OUTPUTS, PARENT, Server, assert_prints, cci, cci_in, command, failed, file, finish, name, running,
    succeeded,
};

const DOCUMENTED: &str = include_str!("../data/documented_operation.json");

/// The example in Google's documentation, loaded as it stands.
#[test]
fn the_documented_operation_is_the_same_by_cci_and_by_rest() {
    let documented: Value = serde_json::from_str(DOCUMENTED).unwrap();
    let seed = file(json!({ "operations": [documented] }).to_string());
    let server = Server::start(&["--seed", seed.to_str().unwrap(), "--project-names", "echo"]);
    let name = "projects/PROJECT_ID/locations/us-central1/operations/OPERATION_ID";
    let run = server.operations(&["get", name, "-o", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    // Canonical ProtoJSON ends the fraction after three digits where the rest is zero.
    let canonical = DOCUMENTED.replace("123000Z", "123Z").replace("456000Z", "456Z");
    assert_eq!(printed, serde_json::from_str::<Value>(&canonical).unwrap());
    assert_eq!(printed["metadata"]["createTime"], "2021-01-20T10:10:10.123Z");
    assert_eq!(printed["metadata"]["endTime"], "2021-01-20T11:11:11.456Z");
    assert_eq!(printed, server.http("GET", &format!("/v1/{name}"), ""));
}

/// Names come back with the number of the project, whichever way it was asked for.
#[test]
fn a_project_may_be_named_by_its_id_or_its_number() {
    let (id, number) = ("projects/corner-shop/locations/us", "projects/900100200300/locations/us");
    let seed = json!({"operations": [{"name": format!("{id}/operations/1"), "done": true, "response":
        {"@type": "type.googleapis.com/google.protobuf.Empty", "value": {}}}]});
    let seed = file(seed.to_string());
    let numbered = ["--seed", seed.to_str().unwrap(), "--project-number", "corner-shop=900100200300"];
    let server = Server::start(&numbered);
    for location in [id, number] {
        for verb in ["get", "wait", "cancel"] {
            let run = server.operations(&[verb, &format!("{location}/operations/1"), "-o", "json"]);
            assert_eq!(run.code, 0, "{verb} {location}: {}", run.stderr);
            let printed: Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(printed["name"], format!("{number}/operations/1"), "{verb}");
        }
        let run = server.operations(&["list", location, "-o", "json"]);
        assert!(run.stdout.contains(&format!("{number}/operations/1")), "{}", run.stdout);
    }
}

#[test]
fn every_command_prints_every_format() {
    let document = succeeded("done");
    let server = Server::with_operations(std::slice::from_ref(&document));
    let bytes = json::to_operation(&document).unwrap().encode_to_vec();
    let binary = file(&bytes);
    for output in OUTPUTS {
        for verb in ["get", "wait", "cancel"] {
            let run = server.operations(&[verb, &name("done"), "-o", output]);
            let note = "note: the operation has ended already, and stays as it is: it succeeded\n";
            let said = if verb == "cancel" { note } else { "" };
            assert_eq!((run.code, run.stderr.as_str()), (0, said), "{verb} {output}");
            assert_prints(&run.stdout, output, &document);
        }
        let run = cci(&["--output", output, "operations", "decode", binary.to_str().unwrap()]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert_prints(&run.stdout, output, &document);
    }
}

#[test]
fn list_walks_all_pages_in_every_format() {
    let mut documents: Vec<Value> = (0..25).map(|id| running(&format!("{id:02}"))).collect();
    documents[7] = failed("07", 9);
    let server = Server::with_operations(&documents);
    let list = |arguments: &[&str]| {
        let run = server.operations(&[&["list", PARENT], arguments].concat());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}");
        run.stdout
    };
    let printed: Value = serde_json::from_str(&list(&["--page-size", "7"])).unwrap();
    assert_eq!(printed, Value::from(documents));
    assert_eq!(serde_saphyr::from_str::<Value>(&list(&["-o", "yaml"])).unwrap(), printed);
    let names: Vec<String> = list(&["-o", "name", "--page-size", "10"]).lines().map(str::to_owned).collect();
    assert_eq!((names.len(), names[24].as_str()), (25, name("24").as_str()));
    let table = list(&["-o", "table"]);
    assert_eq!(table.lines().count(), 26);
    assert!(table.starts_with("NAME ") && table.contains("FAILED_PRECONDITION: no bucket"), "{table}");

    assert_eq!(list(&["-o", "name", "--limit", "10", "--page-size", "7"]).lines().count(), 10);
    assert_eq!(list(&["-o", "name", "--limit", "0"]), "");
    assert_eq!(list(&["-o", "name", "--filter", "done=\"true\""]), name("07") + "\n");
    assert_eq!(server.operations(&["list", "projects/p/locations/eu"]).stdout, "[]\n");
}

/// Each as the help of `list` has it.
#[test]
fn the_fields_that_help_names_can_be_filtered_by() {
    let server = Server::with_operations(&[running("1"), failed("2", 10), succeeded("3")]);
    let help = cci(&["operations", "list", "--help"]).stdout;
    for (filter, ids) in [
        (r#"done="false""#, &["1"][..]),
        (r#"done="true""#, &["2", "3"]),
        (r#"metadata.operation_type="CreateIssueModel""#, &["1", "2", "3"]),
        (r#"metadata.create_time>"2026-01-31T00:00:00Z""#, &[]),
        (r#"metadata.conversation_id="call-7""#, &[]),
        (r#"status_code="0""#, &["3"]),
        (r#"status_code!="ABORTED""#, &["3"]),
    ] {
        assert!(help.contains(filter), "no {filter} in {help}");
        let run = server.operations(&["list", PARENT, "-o", "name", "--filter", filter]);
        let expected: String = ids.iter().map(|id| name(id) + "\n").collect();
        assert_eq!((run.code, run.stdout), (0, expected), "{filter} {}", run.stderr);
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let documents: Vec<Value> = (0..3000).map(|id| running(&format!("{id:030}"))).collect();
    let server = Server::with_operations(&documents);
    let arguments = ["operations", "list", PARENT, "-o", "name", "--endpoint", &server.endpoint];
    let mut child = command(&arguments, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, name(&"0".repeat(30)) + "\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn cancel_shows_what_it_came_to() {
    let server = Server::with_operations(&[running("1"), failed("2", 9)]);
    let run = server.operations(&["cancel", &name("2"), "-o", "name"]);
    assert_eq!((run.code, run.stdout), (0, name("2") + "\n"));
    assert!(
        run.stderr.ends_with("stays as it is: it failed with FAILED_PRECONDITION: no bucket\n"),
        "{}",
        run.stderr
    );
    let run = server.operations(&["cancel", &name("1")]);
    assert_eq!((run.code, run.stderr.as_str()), (0, "note: the operation has ended: it was cancelled\n"));
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&printed["done"], &printed["error"]["code"]), (&json!(true), &json!(1)));
}

#[test]
fn wait_follows_to_the_end_and_shows_partial_errors() {
    let server = Server::start(&["--profile", "polls:3"]);
    let training = server.train();
    let run = server.operations(&["wait", &training, "--interval", "100ms", "-o", "table"]);
    assert_eq!((run.code, run.stderr), (0, format!("    0s  waiting for {training}\n")));
    assert!(run.stdout.contains("STATE    SUCCEEDED"), "{}", run.stdout);

    let error = |n: i32| json!({ "code": 3, "message": format!("conversation {n}\u{1b}[2J is torn") });
    let mut bulk = succeeded("bulk");
    bulk["metadata"] = json!({
        "@type": "type.googleapis.com/google.cloud.contactcenterinsights.v1.BulkAnalyzeConversationsMetadata",
        "partialErrors": [error(1), error(2), error(3), error(4), error(5)],
    });
    let server = Server::with_operations(&[bulk]);
    let run = server.operations(&["wait", &name("bulk")]);
    assert_eq!(run.code, 0);
    assert!(run.stderr.starts_with("note: 5 partial errors"), "{}", run.stderr);
    assert!(
        run.stderr.contains("INVALID_ARGUMENT: conversation 3\\u001b[2J is torn\n  and 2 more\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn done_without_a_result_is_noted_and_no_failure() {
    let mut document = running("1");
    document["done"] = true.into();
    let server = Server::with_operations(&[document]);
    let run = server.operations(&["wait", &name("1"), "-o", "name"]);
    assert_eq!((run.code, run.stdout), (0, name("1") + "\n"));
    assert!(run.stderr.contains("neither response nor error"), "{}", run.stderr);
}

#[test]
fn types_that_nobody_knows_are_printed_and_waited_for() {
    let mut document = succeeded("1");
    document["metadata"] = json!({ "@type": "type.googleapis.com/a.Unheard", "value": "/wA=" });
    document["response"] = json!({ "@type": "type.googleapis.com/b.Unheard", "value": "AA==" });
    let server = Server::with_operations(std::slice::from_ref(&document));
    for verb in ["get", "wait"] {
        for output in OUTPUTS {
            let run = server.operations(&[verb, &name("1"), "-o", output]);
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{verb} {output}");
            assert_prints(&run.stdout, output, &document);
        }
    }
}

#[test]
fn the_variable_leads_to_the_emulator_unless_an_endpoint_is_given() {
    let server = Server::with_operations(&[succeeded("1")]);
    let get = ["operations", "get", &name("1"), "-o", "name"];
    let run = cci_in(&[("CONTACTCENTERINSIGHTS_EMULATOR_HOST", &server.address)], &get);
    assert_eq!((run.code, run.stdout), (0, name("1") + "\n"));
    let closed = [("CONTACTCENTERINSIGHTS_EMULATOR_HOST", "127.0.0.1:1")];
    let explicit = [&get[..], &["--endpoint", &server.endpoint]].concat();
    assert_eq!(cci_in(&closed, &explicit).code, 0);
}

#[test]
fn tokens_are_taken_from_the_variable_and_from_a_file() {
    let server = Server::with_operations(&[succeeded("1")]);
    let token = file("ya29.planted\n");
    let get = ["operations", "get", &name("1"), "-o", "name", "--endpoint", &server.endpoint];
    assert_eq!(cci_in(&[("CCI_ACCESS_TOKEN", "ya29.planted")], &get).code, 0);
    let with_file = [&get[..], &["--access-token-file", token.to_str().unwrap()]].concat();
    assert_eq!(cci(&with_file).code, 0);
}

#[test]
fn decode_reads_stdin_and_base64() {
    let operation = Operation { name: name("1"), ..Default::default() };
    let decode = |arguments: &[&str], input: Vec<u8>| {
        let all = [&["operations", "decode", "-o", "name"], arguments].concat();
        let mut command = assert_cmd::Command::from_std(command(&all, &[]));
        command.write_stdin(input);
        finish(command)
    };
    for arguments in [&[][..], &["-"]] {
        let run = decode(arguments, operation.encode_to_vec());
        assert_eq!((run.code, run.stdout), (0, name("1") + "\n"));
    }
    let text = b"CiRwcm9qZWN0cy83L2xvY2F0aW9ucy91cy9vcGVyYXRpb25zLzE=\n".to_vec();
    let run = decode(&["--base64"], text.clone());
    assert_eq!((run.code, run.stdout), (0, name("1") + "\n"));
    let hex = operation.encode_to_vec().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let json = format!(r#"{{"name": "{}"}}"#, name("1"));
    for input in [text, hex.into_bytes(), json.into_bytes()] {
        let run = decode(&[], input);
        assert_eq!((run.code, run.stdout), (0, name("1") + "\n"));
    }
}

#[test]
fn decode_skips_what_is_unknown_if_asked() {
    let text = format!(
        r#"{{"name": "{}", "response": {{"@type": "x/google.cloud.contactcenterinsights.v1.Analysis",
        "satisfiesPzs": true}}, "metadata": {{"@type": "x/a.B", "value": "CAE="}}}}"#,
        name("1")
    );
    let path = file(&text);
    let run = cci(&["operations", "decode", path.to_str().unwrap()]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr.contains("response.satisfiesPzs: ") && run.stderr.contains("--lenient"),
        "{}",
        run.stderr
    );
    let run = cci(&["operations", "decode", "--lenient", "--raw-fields", path.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.starts_with("skipped: response.satisfiesPzs: "), "{}", run.stderr);
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed["metadata"]["value"], "CAE=");
    assert_eq!(printed["metadata"]["@fields"]["1"], "1");
}

/// What a list prints is what an emulator starts with.
#[test]
fn a_list_is_a_seed() {
    let documents = [running("1"), succeeded("2")];
    let server = Server::with_operations(&documents);
    let listed = server.operations(&["list", PARENT]).stdout;
    let seed = contact_center_insights_emulator::Seed::from_json(&listed).unwrap();
    assert!(!seed.is_empty());
    let page = server.http("GET", &format!("/v1/{PARENT}/operations?pageSize=1"), "");
    assert!(page.get("nextPageToken").is_some(), "{page}");
    contact_center_insights_emulator::Seed::from_json(&page.to_string()).unwrap();
}
