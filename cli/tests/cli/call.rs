//! `cci call` and the commands of the resources: every method, and a day's work without curl.

use contact_center_insights::call::methods;
use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use serde_json::{Value, json};

use crate::support::{PARENT, Run, Server, cci, cci_in};

/// The field that the path of a method begins with, and a name for it.
fn target(pool: &DescriptorPool, method: &MethodDescriptor) -> (String, String) {
    if method.parent_service().name() == "Operations" {
        let end = if method.name() == "ListOperations" { "" } else { "/operations/1" };
        return ("name".to_owned(), format!("{PARENT}{end}"));
    }
    let http = pool.get_extension_by_name("google.api.http").unwrap();
    let rule = method.options().get_extension(&http).into_owned();
    let rule = rule.as_message().unwrap();
    let verb = ["get", "post", "patch", "delete"].into_iter().find(|verb| rule.has_field_by_name(verb));
    let path = rule.get_field_by_name(verb.unwrap()).unwrap().as_str().unwrap().to_owned();
    let (field, pattern) = path.split(['{', '}']).nth(1).unwrap().split_once('=').unwrap();
    let below = pattern.strip_prefix("projects/*/locations/*").unwrap().replace('*', "1");
    (field.to_owned(), format!("{PARENT}{below}"))
}

/// Each reaches the server, which answers it or says what is missing.
#[test]
fn what_may_have_happened_is_said_of_calls_that_change_something() {
    let server = Server::start(&[]);
    let fault = |method: &str| {
        let fault = json!({ "method": method, "transport": "ABORT", "afterExecution": true, "times": 1 });
        server.http("POST", "/_emulator/v1/faults", &json!({ "faults": [fault] }).to_string());
    };
    let scope = ["--project", "7", "--location", "us", "--endpoint", &server.endpoint];
    fault("CreateIssueModel");
    let model = ["issue-models", "create", "--display-name", "m", "--model-type", "type-v2", "--async"];
    let run = cci(&[&model[..], &scope].concat());
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("it may have been started all the same"), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("operations list {PARENT} --endpoint")), "{}", run.stderr);
    fault("CreateView");
    let run = cci(&[&["views", "create", "--display-name", "v"], &scope[..]].concat());
    assert!(run.stderr.contains("it may have been done all the same"), "{}", run.stderr);
    fault("ListViews");
    let run = cci(&[&["views", "list"], &scope[..]].concat());
    assert!(!run.stderr.contains("all the same"), "{}", run.stderr);
}

#[test]
fn every_method_can_be_called() {
    let server = Server::start(&[]);
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let described: Vec<_> =
        pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    for method in methods::ALL {
        let descriptor = described.iter().find(|found| {
            found.name() == method.name() && found.parent_service().full_name() == method.service()
        });
        let (field, name) = target(&pool, descriptor.unwrap());
        let field = format!("{field}={name}");
        let run = cci(&["call", method.name(), &field, "--endpoint", &server.endpoint]);
        assert!([0, 1, 3].contains(&run.code), "{}: {} {}", method.name(), run.code, run.stderr);
        if run.code == 0 {
            serde_json::from_str::<Value>(&run.stdout).unwrap();
        } else {
            let codes = ["INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED"];
            assert!(codes.iter().any(|code| run.stderr.contains(code)), "{}: {}", method.name(), run.stderr);
        }
    }
    let journal = server.http("GET", "/_emulator/v1/journal", "").to_string();
    for method in methods::ALL {
        let reached = journal.contains(&format!("/{}\"", method.name()));
        let is_known = !matches!(method.name(), "DeleteOperation" | "WaitOperation");
        assert!(reached || !is_known, "{} did not reach the server", method.name());
    }
}

fn at(server: &Server, line: &str) -> Run {
    let variables = [
        ("CCI_PROJECT", "7"),
        ("CCI_LOCATION", "us"),
        ("CONTACTCENTERINSIGHTS_EMULATOR_HOST", server.address.as_str()),
    ];
    cci_in(&variables, &line.split(' ').collect::<Vec<_>>())
}

fn json_of(server: &Server, line: &str) -> Value {
    let run = at(server, line);
    assert_eq!(run.code, 0, "{line}: {}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{line}: {error}: {}", run.stdout))
}

/// An operator's day: transcripts are ingested, a model is trained and deployed, an analysis made, and all of it looked
/// at and cleaned up.
#[test]
fn a_day_needs_no_other_tool() {
    let bucket = tempfile::tempdir().unwrap();
    std::fs::create_dir(bucket.path().join("calls")).unwrap();
    let transcript = r#"{"entries": [
        {"start_timestamp_usec": 1000000, "text": "My parcel is late", "role": "CUSTOMER", "user_id": 1},
        {"start_timestamp_usec": 2000000, "text": "I am sorry to hear that", "role": "AGENT", "user_id": 2}]}"#;
    for call in ["a", "b"] {
        std::fs::write(bucket.path().join(format!("calls/{call}.json")), transcript).unwrap();
    }
    let server = Server::start(&["--gcs-root", bucket.path().to_str().unwrap(), "--profile", "immediate"]);

    let ingested = json_of(
        &server,
        r#"conversations ingest --gcs-source {"bucketUri":"gs://calls","bucketObjectType":"TRANSCRIPT"} --transcript-object-config {"medium":"CHAT"}"#,
    );
    assert_eq!(ingested["done"], true);
    let names = at(&server, "conversations list -o name").stdout;
    assert_eq!(names.lines().count(), 2, "{names}");
    let first = names.lines().next().unwrap().rsplit('/').next().unwrap().to_owned();

    let model = json_of(&server, "issue-models create --display-name parcels --model-type type-v2");
    let model = model["response"]["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(json_of(&server, &format!("issue-models deploy {model}"))["done"], true);
    let analysis = json_of(&server, &format!("analyses create {first}"));
    assert_eq!(analysis["response"]["@type"].as_str().map(|url| url.ends_with(".Analysis")), Some(true));
    let all = json_of(&server, &format!("analyses list {first}"));
    assert_eq!(all.as_array().map(Vec::len), Some(1));
    assert!(json_of(&server, "stats calculate")["conversationCount"].is_number());
    assert!(json_of(&server, &format!("issue-models stats {model}")).is_object());
    let table = at(&server, "conversations list -o table").stdout;
    assert!(table.starts_with("NAME") && table.lines().count() == 3, "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");

    let view = json_of(&server, "views create --display-name late --value medium=\"CHAT\"");
    let view = view["name"].as_str().unwrap().to_owned();
    let changed = json_of(&server, &format!("views update {view} --display-name early"));
    assert_eq!((&changed["displayName"], &changed["value"]), (&json!("early"), &json!("medium=\"CHAT\"")));
    let asked = at(&server, &format!("views delete {view}"));
    assert_eq!(asked.code, 2);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    assert_eq!(at(&server, &format!("views delete {view} --yes")).code, 0);
    assert_eq!(at(&server, &format!("views get {view}")).code, 3);
    assert_eq!(json_of(&server, &format!("issue-models delete {model} --yes"))["done"], true);
    for name in names.lines() {
        assert_eq!(at(&server, &format!("conversations delete {name} --yes --force")).code, 0);
    }
    assert_eq!(at(&server, "conversations list").stdout, "[]\n");
}

#[test]
fn a_list_walks_all_pages_and_stops_where_it_is_told() {
    let server = Server::start(&[]);
    for number in 0..5 {
        let line = format!("views create --display-name v{number} --value medium=\"CHAT\"");
        assert_eq!(at(&server, &line).code, 0);
    }
    assert_eq!(json_of(&server, "views list --page-size 2").as_array().map(Vec::len), Some(5));
    assert_eq!(json_of(&server, "views list --page-size 2 --limit 3").as_array().map(Vec::len), Some(3));
    let lines = at(&server, "views list -o jsonl").stdout;
    let documents: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(documents.len(), 5);
    assert!(at(&server, "views list -o csv").stdout.starts_with("name,displayName,"));
    let all = json_of(&server, "call ListViews --all");
    assert_eq!(all.as_array().map(Vec::len), Some(5));
    let page = json_of(&server, "call ListViews page_size=2");
    assert!(page["nextPageToken"].is_string());
}

#[test]
fn nothing_is_sent_by_a_dry_run() {
    let request = json_of(
        &Server::start(&[]),
        r#"call CreateView view.display_name=late --data {"view":{"value":"x"}} --dry-run"#,
    );
    assert_eq!(request, json!({"parent": PARENT, "view": {"displayName": "late", "value": "x"}}));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let server = Server::start(&[]);
    for (line, words) in [
        ("call ListConversation", "did you mean ListConversations?"),
        ("call Frobnicate", "the methods are "),
        ("call CreateView view.nmae=x", "`nmae` is not a field of View, which has name,"),
        ("call CreateView view", "`view` is not FIELD=VALUE"),
        ("call CreateView --data {", "`--data` is not JSON"),
        ("views get", "projects/PROJECT/locations/LOCATION/views/VIEW"),
        ("views get a/b", "`a/b` is not such a name"),
        ("conversations create --medium fax", "is not one of MEDIUM_UNSPECIFIED"),
    ] {
        let run = at(&server, line);
        assert_eq!(run.code, 2, "{line}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{line}: {}", run.stderr);
    }
    let nowhere = cci_in(&[("HOME", "/nonexistent")], &["views", "list"]);
    assert!(nowhere.stderr.contains("which project?") && nowhere.code == 2, "{}", nowhere.stderr);
}

/// The commands that start operations wait for them, for as long as is wished.
#[test]
fn what_takes_long_is_waited_for_or_not() {
    for start in ["issue-models create --display-name m --model-type TYPE_V2", "analyses create call-1"] {
        let server = Server::start(&["--profile", "time:1h"]);
        let made = at(&server, "conversations create --conversation-id call-1");
        assert_eq!(made.code, 0, "{}", made.stderr);
        let run = at(&server, &format!("{start} --timeout 20ms"));
        assert_eq!(run.code, 8, "{start}: {}", run.stderr);
        let operation: Value = serde_json::from_str(&run.stdout).unwrap();
        let name = operation["name"].as_str().unwrap();
        assert!(name.starts_with(&format!("{PARENT}/operations/")), "{name}");
        assert!(
            run.stderr.contains(&format!("operation `{name}` is still running after 20ms")),
            "{}",
            run.stderr
        );
        let (_, resume) = run.stderr.split_once("help: to go on waiting: ").unwrap();
        assert!(resume.contains(&format!("operations wait {name}")), "{resume}");
        // Of some, one runs at a time.
        server.http("POST", "/_emulator/v1/operations:cancel", &json!({ "name": name }).to_string());
        let run = at(&server, &format!("{start} --async"));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{start}");
        let begun: Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(begun["name"] != operation["name"] && begun.get("done").is_none(), "{begun}");
        let id = begun["name"].as_str().unwrap();
        server.http(
            "POST",
            "/_emulator/v1/operations:fail",
            &json!({ "name": id, "error": { "code": 9 } }).to_string(),
        );
        assert_eq!(at(&server, &format!("operations wait {id}")).code, 5);
    }
    // What starts nothing has nothing to wait for.
    assert_eq!(cci(&["views", "list", "--async"]).code, 2);
}
