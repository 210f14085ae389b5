//! Which errors carry details: those of calls, unless another choice was made.

use contact_center_insights::Status;
use contact_center_insights::proto::insights::GetConversationRequest;
use contact_center_insights_emulator::{Emulator, ErrorDetails};
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
