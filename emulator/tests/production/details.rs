//! Which errors carry details: those of calls, unless another choice was made.

use contact_center_insights::proto::insights::GetConversationRequest;
use contact_center_insights::{Code, Status};
use contact_center_insights_emulator::{Emulator, ErrorDetails, Fault};
use serde_json::{Value, json};

use super::ID;
use crate::support::World;

async fn world(details: ErrorDetails) -> World {
    let builder = Emulator::builder().with_profile("immediate".parse().unwrap()).with_error_details(details);
    let failing = "immediate,fail=ABORTED:no".parse().unwrap();
    World::of(builder.with_method_profile("ExportInsightsData", failing).start().await.unwrap())
}

/// Any answer, without a look at its details.
async fn plain(world: &World, verb: &str, path: &str, body: &Value) -> Value {
    let url = format!("{}/v1/{path}", world.emulator.endpoint());
    let call = world.http.request(verb.parse().unwrap(), url).body(body.to_string());
    call.send().await.unwrap().json().await.unwrap()
}

/// The errors of an operation that failed, and within the metadata of one that ended.
async fn inside(world: &World) -> [Value; 2] {
    let destination = json!({"projectId": "p", "dataset": "d", "table": "t"});
    let body = json!({"bigQueryDestination": destination});
    let failed = plain(world, "POST", &format!("{ID}/insightsdata:export"), &body).await;
    plain(world, "POST", &format!("{ID}/conversations?conversationId=kept-1"), &json!({})).await;
    plain(world, "POST", &format!("{ID}/conversations/kept-1/analyses"), &json!({})).await;
    let body = json!({"maxDeleteCount": 5});
    let deleted = plain(world, "POST", &format!("{ID}/conversations:bulkDelete"), &body).await;
    let errors = [&failed["error"], &deleted["metadata"]["partialErrors"][0]];
    assert!(errors.iter().all(|error| error["code"].is_number()), "{failed} {deleted}");
    errors.map(|error| error["details"].clone())
}

#[tokio::test]
async fn errors_inside_operations_have_details_only_if_that_is_asked_for() {
    for (details, has) in
        [(ErrorDetails::Calls, false), (ErrorDetails::All, true), (ErrorDetails::None, false)]
    {
        let world = world(details).await;
        for found in inside(&world).await {
            assert_eq!(found.is_array(), has, "{details:?} {found}");
        }
        // What somebody put there stays.
        let info =
            json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "MINE", "domain": "d"});
        let seed = json!({"operations": [{"name": format!("{ID}/operations/1"), "done": true,
            "error": {"code": 9, "message": "no", "details": [info]}}]});
        world.emulator.apply_seed(crate::support::seed(&seed.to_string())).unwrap();
        let seeded = plain(&world, "GET", &format!("{ID}/operations/1"), &Value::Null).await;
        assert_eq!(seeded["error"]["details"], json!([info]), "{details:?}");
    }
}

#[tokio::test]
async fn the_errors_of_calls_have_details_unless_none_are_wanted() {
    for (details, has) in
        [(ErrorDetails::Calls, true), (ErrorDetails::All, true), (ErrorDetails::None, false)]
    {
        let mut world = world(details).await;
        for (verb, path) in [
            ("GET", format!("{ID}/conversations/none-1")),
            ("GET", format!("{ID}/conversations?pageSize=-1")),
            ("PUT", format!("{ID}/conversations")),
            ("GET", format!("{ID}/nothing")),
            ("GET", format!("{ID}/conversations?colour=red")),
        ] {
            let answer = plain(&world, verb, &path, &Value::Null).await;
            assert!(answer["error"]["message"].is_string());
            assert_eq!(answer["error"].get("details").is_some(), has, "{details:?} {path}: {answer}");
        }
        let request =
            GetConversationRequest { name: format!("{ID}/conversations/none-1"), ..Default::default() };
        let status = Status::from(&world.insights.get_conversation(request).await.unwrap_err());
        assert_eq!(!status.details().is_empty(), has, "{details:?} {status:?}");

        let info =
            json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "MINE", "domain": "d"});
        let fault = json!({"method": "ListViews", "status": {"code": 9, "message": "no", "details": [info]}});
        world.emulator.add_faults_json(&json!({ "faults": [fault] }).to_string()).unwrap();
        let scripted = plain(&world, "GET", &format!("{ID}/views"), &Value::Null).await;
        assert_eq!(scripted["error"]["details"], json!([info]), "what a script says stays");
    }
}

/// A script that gives no details has those of the emulator, which are left out like any other of its own.
#[tokio::test]
async fn details_that_a_script_does_not_give_are_the_emulators() {
    for (details, has) in
        [(ErrorDetails::Calls, true), (ErrorDetails::All, true), (ErrorDetails::None, false)]
    {
        let mut world = world(details).await;
        let fault = json!({"method": "GetConversation", "status": {"code": 9, "message": "no"}, "times": 2});
        world.emulator.add_faults_json(&json!({ "faults": [fault] }).to_string()).unwrap();
        let url = format!("{}/_emulator/v1/faults", world.emulator.endpoint());
        let listed: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(listed["faults"][0]["status"], json!({"code": 9, "message": "no"}), "as it was given");
        let name = format!("{ID}/conversations/none-1");
        let scripted = plain(&world, "GET", &name, &Value::Null).await;
        assert_eq!(scripted["error"].get("details").is_some(), has, "{details:?} {scripted}");
        let request = GetConversationRequest { name, ..Default::default() };
        let status = Status::from(&world.insights.get_conversation(request.clone()).await.unwrap_err());
        assert_eq!((status.code(), !status.details().is_empty()), (Code::FailedPrecondition, has));

        // One that is to have none has none, whatever others have.
        let bare = Fault::status(Status::new(Code::Aborted, "bare"));
        world.emulator.add_fault(bare).unwrap();
        let status = Status::from(&world.insights.get_conversation(request).await.unwrap_err());
        assert_eq!((status.code(), status.details()), (Code::Aborted, &[][..]), "{details:?}");
    }
}

#[tokio::test]
async fn what_is_refused_before_it_is_a_call_has_details_unless_none_are_wanted() {
    let client = crate::support::http().http2_prior_knowledge().build().unwrap();
    for (details, has) in [(ErrorDetails::Calls, true), (ErrorDetails::None, false)] {
        let world = world(details).await;
        let endpoint = world.emulator.endpoint();
        for (path, packed) in [
            ("google.longrunning.Operations/GetOperation", true),
            ("google.longrunning.Operations/GetOperation", false),
            ("contactcenterinsights.emulator.v1.EmulatorAdmin/Nothing", false),
            ("contactcenterinsights.emulator.v1.EmulatorAdmin/Reset", true),
            ("grpc.health.v1.Health/Nothing", false),
        ] {
            let mut call =
                client.post(format!("{endpoint}/{path}")).header("content-type", "application/grpc");
            if packed {
                call = call.header("grpc-encoding", "gzip");
            }
            // A message that is said to be packed, and is not.
            let answer = call.body(vec![1, 0, 0, 0, 1, 7]).send().await.unwrap();
            assert_ne!(answer.headers()["grpc-status"], "0", "{path}");
            let found = answer.headers().contains_key("grpc-status-details-bin");
            assert_eq!(found, has, "{details:?} {path} {:?}", answer.headers());
        }
        for (verb, path) in [("GET", "nothing"), ("PUT", "reset"), ("POST", "reset"), ("POST", "clock:set")] {
            let url = format!("{endpoint}/_emulator/v1/{path}");
            let call = world.http.request(verb.parse().unwrap(), url).body("[]");
            let answer: Value = call.send().await.unwrap().json().await.unwrap();
            assert_eq!(answer["error"].get("details").is_some(), has, "{details:?} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn plaintext_on_a_tls_port_is_told_with_details_unless_none_are_wanted() {
    for (details, has) in [(ErrorDetails::Calls, true), (ErrorDetails::None, false)] {
        let emulator = Emulator::builder().with_tls().with_error_details(details).start().await.unwrap();
        let url = format!("http://{}/v1/{ID}/views", emulator.host());
        let answer = crate::support::http().build().unwrap().get(url).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"]["status"], "FAILED_PRECONDITION");
        let reason = has.then_some("PLAINTEXT_ON_TLS_PORT");
        assert_eq!(answer["error"]["details"][0]["reason"].as_str(), reason, "{answer}");
    }
}
