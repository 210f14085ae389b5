//! Errors: what each transport makes of them, and which of two comes first.

use contact_center_insights::proto::insights::GetConversationRequest;
use contact_center_insights::{Code, Status};
use contact_center_insights_emulator::{Emulator, Fault};
use serde_json::json;

use crate::support::{L, World, refused};

async fn world(fault: Fault) -> World {
    World::of(Emulator::builder().with_fault(fault).start().await.unwrap())
}

fn get(id: &str) -> GetConversationRequest {
    GetConversationRequest { name: format!("{L}/conversations/{id}"), view: 0 }
}

#[tokio::test]
async fn r26_no_permission_is_told_before_existence() {
    let denied = Fault::code(Code::PermissionDenied, "no").with_method("GetConversation").times(4);
    let mut world = world(denied).await;
    world.conversation("call-0001").await;
    for id in ["call-0001", "call-9999"] {
        assert_eq!(refused(world.insights.get_conversation(get(id)).await).code(), Code::PermissionDenied);
        assert_eq!(world.rest("GET", &get(id).name, "").await.0, 403, "{id}");
    }
    assert_eq!(refused(world.insights.get_conversation(get("call-9999")).await).code(), Code::NotFound);
    assert_eq!(world.rest("GET", &get("call-9999").name, "").await.0, 404);
    assert_eq!(world.rest("GET", &get("call-0001").name, "").await.0, 200);
}

#[tokio::test]
async fn r49_a_wrong_verb_is_an_error_in_json() {
    let world = World::new("immediate").await;
    for (verb, path) in [
        ("PUT", format!("{L}/conversations")),
        ("PATCH", format!("{L}/operations/1")),
        ("GET", format!("{L}/conversations:upload")),
        ("PATCH", format!("{L}/issueModels/1:deploy")),
    ] {
        // The type of every answer is looked at where it is read.
        let (code, answer) = world.rest(verb, &path, "").await;
        assert!([404, 405].contains(&code), "{verb} {path}: {answer}");
        assert_eq!(answer["error"]["code"], code, "{verb} {path}");
    }
}

#[tokio::test]
async fn r50_each_code_travels_as_its_http_status() {
    for (code, http) in [
        (Code::Cancelled, 499),
        (Code::Unknown, 500),
        (Code::InvalidArgument, 400),
        (Code::DeadlineExceeded, 504),
        (Code::NotFound, 404),
        (Code::AlreadyExists, 409),
        (Code::PermissionDenied, 403),
        (Code::ResourceExhausted, 429),
        (Code::FailedPrecondition, 400),
        (Code::Aborted, 409),
        (Code::OutOfRange, 400),
        (Code::Unimplemented, 501),
        (Code::Internal, 500),
        (Code::Unavailable, 503),
        (Code::DataLoss, 500),
        (Code::Unauthenticated, 401),
    ] {
        let world = world(Fault::code(code, "scripted").always()).await;
        let (status, answer) = world.rest("GET", &get("call-0001").name, "").await;
        let error = &answer["error"];
        assert_eq!((status, &error["code"]), (http, &json!(http)), "{code:?}");
        assert_eq!((&error["message"], error["details"].is_array()), (&json!("scripted"), true));
        assert_eq!(error["status"], contact_center_insights::status::code_name(code), "{code:?}");
    }
}

/// A call of each kind that fails. That an error has one `ErrorInfo`, and of which form, is looked at where errors are
/// read: of every error that a test sees.
#[tokio::test]
async fn r51_r52_errors_have_one_error_info_and_the_same_details_on_both_transports() {
    let mut world = World::new("immediate").await;
    world.conversation("call-0001").await;
    for id in ["call-9999", "", "a/b"] {
        let grpc: Status = refused(world.insights.get_conversation(get(id)).await);
        let (_, answer) = world.rest("GET", &get(id).name, "").await;
        let details = answer["error"]["details"].as_array().unwrap();
        // A name of another shape has no path of this method, so that REST has an error of its own.
        if id == "call-9999" {
            assert_eq!(answer["error"]["message"], grpc.message());
            assert_eq!(details.len(), grpc.details().len());
            let metadata = &details[0]["metadata"];
            assert_eq!(
                (&metadata["id"], &metadata["project"]),
                (&json!(id), &json!("123456789012")),
                "{answer}"
            );
        }
    }
    let bad = contact_center_insights::proto::insights::CreateConversationRequest {
        parent: L.into(),
        conversation: None,
        conversation_id: String::new(),
    };
    let grpc = refused(world.insights.create_conversation(bad).await);
    let (_, answer) = world.rest("POST", &format!("{L}/conversations"), "").await;
    let types = |kind: &str| {
        let on_rest = answer["error"]["details"].as_array().unwrap().iter();
        let on_rest = on_rest.filter(|detail| detail["@type"].as_str().unwrap().ends_with(kind)).count();
        (on_rest, grpc.details().iter().filter(|any| any.type_url.ends_with(kind)).count())
    };
    assert_eq!((types("ErrorInfo"), types("BadRequest")), ((1, 1), (1, 1)), "{answer}");
    assert_eq!(answer["error"]["message"], grpc.message());
}
