//! A creation with a client-chosen id outlives a lost reply, and takes nobody else's resource for its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use contact_center_insights::proto::insights::{Conversation, CreateConversationRequest};
use contact_center_insights::{Client, Code, Credentials, Error};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use support::client_over;
use tonic::Status;

/// The calls that a server saw, by name.
type Seen = Arc<Mutex<Vec<String>>>;

/// A server that applies the first creation and loses its reply; after that the id is taken.
fn server(stored: &Conversation) -> (Client, Seen) {
    let seen = Seen::default();
    let journal = seen.clone();
    let stored = stored.encode_to_vec();
    let service = tower::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
        let mut journal = journal.lock().unwrap();
        journal.push(method.clone());
        let attempts = journal.iter().filter(|seen| **seen == method).count();
        let reply = match (method.as_str(), attempts) {
            ("CreateConversation", 1) => Status::internal("the reply was lost").into_http(),
            ("CreateConversation", _) => Status::already_exists("taken").into_http(),
            _ => {
                let length = u32::try_from(stored.len()).unwrap().to_be_bytes();
                let frame = [&[0][..], &length, &stored].concat();
                let status = ("grpc-status".parse().unwrap(), "0".parse().unwrap());
                let trailers = std::future::ready(Some(Ok(http::HeaderMap::from_iter([status]))));
                let body = Full::from(frame).with_trailers(trailers);
                let mut reply = http::Response::new(tonic::body::Body::new(body));
                reply.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
                reply
            }
        };
        async move { Ok::<_, Infallible>(reply) }
    });
    (client_over(service, Credentials::anonymous()), seen)
}

fn asked() -> Conversation {
    Conversation { agent_id: "007".into(), ..Conversation::default() }
}

fn request(id: &str) -> CreateConversationRequest {
    CreateConversationRequest {
        parent: "projects/p/locations/us".into(),
        conversation: Some(asked()),
        conversation_id: id.into(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_reply_was_lost_gives_the_resource() {
    let stored =
        Conversation { name: "projects/p/locations/us/conversations/c-1".into(), turn_count: 4, ..asked() };
    let (client, seen) = server(&stored);
    assert_eq!(client.create_conversation(request("c-1")).await.unwrap(), stored);
    assert_eq!(*seen.lock().unwrap(), ["CreateConversation", "CreateConversation", "GetConversation"]);
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_not_what_was_asked_for_is_somebody_elses() {
    let (client, _) = server(&Conversation { agent_id: "008".into(), ..asked() });
    let error = client.create_conversation(request("c-1")).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::AlreadyExists));
}

#[tokio::test(start_paused = true)]
async fn without_an_id_or_when_told_not_to_it_is_sent_once() {
    for call in [
        (|client: &Client| client.create_conversation(request(""))) as fn(&Client) -> _,
        |client: &Client| client.create_conversation(request("c-1")).idempotent(false),
    ] {
        let (client, seen) = server(&asked());
        let error: Error = call(&client).await.unwrap_err();
        assert!(error.may_have_been_applied(), "{error:?}");
        assert_eq!(*seen.lock().unwrap(), ["CreateConversation"]);
    }
}
