//! What was recorded of the production service, by number: a test that has `p04` in its name tests P4 of
//! `tests/rules/RULES.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod analyst;
mod conversations;
mod details;
mod documented;
mod names;
mod resources;
mod rest_only;
#[path = "../support/mod.rs"]
mod support;

use serde_json::{Value, json};
use support::World;

/// A project by its id, the number that it was given, and a location of each.
const ID: &str = "projects/corner-shop/locations/us-central1";
const NUMBER: &str = "projects/900100200300/locations/us-central1";

/// An emulator that knows the number.
async fn world() -> World {
    let builder = crate::support::builder();
    World::of(builder.with_project_number("corner-shop", 900_100_200_300).start().await.unwrap())
}

/// The same, with operations that are done at once.
async fn immediate() -> World {
    let builder = support::builder().with_project_number("corner-shop", 900_100_200_300);
    World::of(builder.with_profile("immediate".parse().unwrap()).start().await.unwrap())
}

/// The answer to a request that must go well.
async fn good(world: &World, verb: &str, path: &str, body: &Value) -> Value {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = world.rest(verb, path, &text).await;
    assert_eq!(status, 200, "{verb} {path}: {answer}");
    answer
}

/// The code and the message of one that must not.
async fn bad(world: &World, verb: &str, path: &str, body: &Value) -> (u16, String) {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = world.rest(verb, path, &text).await;
    let error = &answer["error"];
    assert_eq!(error["code"], status, "{answer}");
    assert!(error.get("errors").is_none() && error["status"].is_string(), "p14: {answer}");
    (status, error["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn p01_only_models_of_the_second_generation_are_made() {
    let text = "V1 models are deprecated, to create a new V1 model, contact Google Cloud support.";
    let path = format!("{ID}/issueModels");
    let world = world().await;
    for body in [
        json!({"displayName": "Parcels"}),
        json!({"displayName": "Parcels", "modelType": "TYPE_V1", "inputDataConfig": {"medium": "CHAT"}}),
        json!({"modelType": "MODEL_TYPE_UNSPECIFIED"}),
    ] {
        assert_eq!(bad(&world, "POST", &path, &body).await, (400, text.to_owned()));
    }
    assert_eq!(
        good(&world, "GET", &format!("{ID}/operations"), &Value::Null).await,
        json!({}),
        "none was started"
    );
    good(&world, "POST", &path, &json!({"modelType": "TYPE_V2"})).await;

    let lenient = crate::support::builder().with_deprecated_allowed();
    let lenient = World::of(lenient.start().await.unwrap());
    good(&lenient, "POST", &path, &json!({"displayName": "Parcels"})).await;
}
