//! What is a seed, and what is said of what is none.

use super::*;

fn error(text: &str) -> String {
    Seed::from_json(text).unwrap_err().to_string()
}

#[test]
fn all_collections_are_read() {
    let seed = Seed::from_json(
        r#"{
            "operations": [{"name": "projects/p/locations/l/operations/1"}],
            "conversations": [{"name": "projects/p/locations/l/conversations/c", "turnCount": 3}],
            "analyses": [{"name": "projects/p/locations/l/conversations/c/analyses/a"}],
            "issueModels": [{"name": "projects/p/locations/l/issueModels/m", "state": "DEPLOYED"}]
        }"#,
    )
    .unwrap();
    let mut state = State::default();
    seed.apply(&mut state);
    let name = "projects/p/locations/l/conversations/c";
    let conversation: contact_center_insights::proto::insights::Conversation =
        state.world.store.get(name).unwrap();
    assert_eq!(conversation.turn_count, 3, "what is output only is kept");
    assert!(Seed::from_json("{}").unwrap().is_empty());
}

#[test]
fn text_that_is_not_json_is_located() {
    let message = error("{\n  \"operations\": [,]\n}");
    assert!(message.contains("line 2 column 18"), "{message}");
    assert!(error("7").contains("`issueModels`"));
    assert!(error(r#"{"operations": [], "operations": []}"#).contains("there twice"));
}

#[test]
fn what_lists_print_is_a_seed() {
    let list = r#"[{"name": "projects/p/locations/l/operations/1"}]"#;
    assert_eq!(Seed::from_json(list).unwrap().operations.len(), 1);
    let page = format!(r#"{{"operations": {list}, "nextPageToken": "x"}}"#);
    assert_eq!(Seed::from_json(&page).unwrap().operations.len(), 1);
}

#[test]
fn what_only_rest_has_is_left_out() {
    let analysis = |field: &str| {
        format!(
            r#"{{"operations": [{{"name": "projects/p/locations/l/operations/1", "done": true, "response":
            {{"@type": "type.googleapis.com/google.cloud.contactcenterinsights.v1.Analysis", "{field}": true}}}}]}}"#
        )
    };
    assert!(Seed::from_json(&analysis("satisfiesPzs")).is_ok());
    assert!(error(&analysis("satisfiesPz")).contains("operations[0].response.satisfiesPz: "));
}

#[test]
fn a_lenient_seed_leaves_out_what_is_unknown_and_nothing_else() {
    let model = |field: &str, value: &str| {
        format!(
            r#"{{"issueModels": [{{"name": "projects/p/locations/l/issueModels/m", "{field}": {value}}}]}}"#
        )
    };
    for (field, value) in [("newField", "{}"), ("state", "\"NEW_STATE\"")] {
        assert!(error(&model(field, value)).contains(&format!("issueModels[0].{field}: ")));
        let seed = Seed::from_json_lenient(&model(field, value)).unwrap();
        assert_eq!(seed.resources.len(), 1);
    }
    for (field, value) in [("state", "{}"), ("createTime", "\"yesterday\"")] {
        let message = Seed::from_json_lenient(&model(field, value)).unwrap_err().to_string();
        assert!(message.contains(&format!("issueModels[0].{field}: ")), "{message}");
    }
    assert!(Seed::from_json_lenient(r#"{"models": []}"#).is_err());
}

#[test]
fn a_form_that_is_wrong_is_named_with_its_path() {
    let seed = |kind: &str, value: &str| {
        format!(
            r#"{{"operations": [{{"name": "projects/p/locations/l/operations/1", "response":
            {{"@type": "type.googleapis.com/google.protobuf.{kind}", "value": "{value}"}}}}]}}"#
        )
    };
    let message = error(&seed("Duration", "10ms"));
    assert!(message.contains(r#"operations[0].response.value: "10ms" is not a duration"#), "{message}");
    let message = error(&seed("Timestamp", "20240101"));
    assert!(message.contains("operations[0].response.value: "), "{message}");
    let seed = Seed::from_json(&seed("StringValue", "done")).unwrap();
    let Some(contact_center_insights::proto::longrunning::operation::Result::Response(any)) =
        &seed.operations[0].result
    else {
        panic!("no response");
    };
    assert_eq!(any.value, b"\x0a\x04done");
}

#[test]
fn an_unknown_collection_is_answered_with_the_known() {
    for text in [r#"{"models": []}"#, r#"{"models": 1}"#] {
        let message = error(text);
        assert!(message.contains("`models` is unknown") && message.contains("`issueModels`"), "{message}");
    }
    assert!(error(r#"{"analyses": {}}"#).contains("`analyses` is not a list"));
}

#[test]
fn a_bad_entry_is_named() {
    let good = r#"{"name": "projects/p/locations/l/operations/1"}"#;
    let message = error(&format!(
        r#"{{"operations": [{good}, {{"name": "projects/p/locations/l/operations/2", "foo": 1}}]}}"#
    ));
    assert!(message.starts_with("operations[1] (`projects/p/locations/l/operations/2`): "), "{message}");
    assert!(message.contains(": operations[1].foo: "), "{message}");
    let message = error(&format!(r#"{{"operations": [{good}, {good}]}}"#));
    assert!(message.contains("operations[1]") && message.contains("same name"), "{message}");
    let message = error(r#"{"issueModels": [{"displayName": "x"}]}"#);
    assert!(
        message.contains("issueModels[0] (without name)") && message.contains("{issue_model}"),
        "{message}"
    );
    assert!(error(&format!(r#"{{"conversations": [{good}]}}"#)).contains("form"));
}
