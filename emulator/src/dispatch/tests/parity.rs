//! The same request over gRPC and over REST: the same answer, or the same status.
//!
//! Requests are made at random from the descriptors of their methods, from values that are near to what is good: names
//! that are there, names that are not, and some that are none.

use contact_center_insights::json::{self, Enums};
use contact_center_insights::proto::rpc;
use http::HeaderMap;
use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use serde_json::{Value as Json, json};

use super::super::*;
use crate::clock::ManualClock;
use crate::contract::Method;
use crate::journal::Transport;
use crate::pipeline::Pipeline;
use crate::rest;
use crate::seed::Seed;

const L: &str = "projects/p/locations/us";

/// Numbers that look random (splitmix64), the same for the same start.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

fn seeded() -> (Service, ManualClock) {
    let one = |collection: &str, id: &str| json!([{ "name": format!("{L}/{collection}/{id}") }]);
    let seed = json!({
        "conversations": one("conversations", "call-0001"),
        "analyses": one("conversations/call-0001/analyses", "1"),
        "feedbackLabels": one("conversations/call-0001/feedbackLabels", "1"),
        "issueModels": one("issueModels", "1"),
        "issues": one("issueModels/1/issues", "1"),
        "phraseMatchers": one("phraseMatchers", "1"),
        "analysisRules": one("analysisRules", "1"),
        "views": one("views", "1"),
        "qaScorecards": one("qaScorecards", "1"),
        "qaScorecardRevisions": one("qaScorecards/1/revisions", "1"),
        "qaQuestions": one("qaScorecards/1/revisions/1/qaQuestions", "1"),
        "operations": one("operations", "1"),
    });
    let mut state = State::default();
    Seed::from_json(&seed.to_string()).unwrap().apply(&mut state);
    let clock = ManualClock::default();
    (Service::new(state, Arc::new(clock.clone())), clock)
}

fn text(dice: &mut Dice, field: &FieldDescriptor, method: &Method) -> String {
    match field.name() {
        "name" | "parent" | "location" | "issue_model" if dice.roll(12) > 0 => {
            // What the route of the method can carry, there or not.
            let template = &method.bindings.first().unwrap().template;
            let pattern = template.split_once('=').unwrap().1.split_once('}').unwrap().0;
            let mut good = String::new();
            for segment in pattern.split('/') {
                let id = match good.rsplit('/').next().unwrap_or_default() {
                    "projects" => "p",
                    "locations" => "l",
                    "conversations" => dice.pick(&["call-0001", "call-0001", "x y", "é%&=?#"]),
                    _ => dice.pick(&["1", "1", "1", "2", "a.b:c"]),
                };
                let slash = if good.is_empty() { "" } else { "/" };
                good = format!("{good}{slash}{}", if segment == "*" { id } else { segment });
            }
            good
        }
        "filter" => {
            dice.pick(&["", "agent_id=\"7\"", "colour=1", "(", "create_time>\"2020-01-01T00:00:00Z\""]).into()
        }
        "order_by" => dice.pick(&["", "turn_count desc", "colour"]).into(),
        "page_token" => dice.pick(&["", "", "AAAA", "é"]).into(),
        _ => dice.pick(&["", "x", "my-own-id", "7", "é b+c&d=e;f%41", "gs://b/o"]).into(),
    }
}

fn value(dice: &mut Dice, field: &FieldDescriptor, kind: &Kind, method: &Method, depth: usize) -> Value {
    match kind {
        Kind::String => Value::String(text(dice, field, method)),
        Kind::Bool => Value::Bool(dice.roll(2) == 0),
        Kind::Double => Value::F64([0.0, 0.5, 1.0, -1.0, 101.0][dice.roll(5)]),
        Kind::Float => Value::F32([0.0, 0.5, 1.0, -1.0, 101.0][dice.roll(5)]),
        Kind::Enum(_) => Value::EnumNumber([0, 1, 2, 99][dice.roll(4)]),
        Kind::Int64 => Value::I64([0, 1, -1, 1 << 40][dice.roll(4)]),
        Kind::Message(message) => Value::Message(match message.full_name() {
            "google.protobuf.FieldMask" => mask(dice, message),
            "google.protobuf.Timestamp" | "google.protobuf.Duration" => {
                let mut time = DynamicMessage::new(message.clone());
                time.set_field_by_name("seconds", Value::I64([0, 60, 1_700_000_000][dice.roll(3)]));
                time
            }
            _ => fill(dice, message, method, depth + 1),
        }),
        _ => Value::I32([0, 1, 3, -1][dice.roll(4)]),
    }
}

fn mask(dice: &mut Dice, message: &MessageDescriptor) -> DynamicMessage {
    let paths = ["agent_id", "display_name", "labels", "name", "colour", "language_code", "a.b", "*"];
    let paths = (0..dice.roll(3)).map(|_| Value::String(dice.pick(&paths).into())).collect();
    let mut mask = DynamicMessage::new(message.clone());
    mask.set_field_by_name("paths", Value::List(paths));
    mask
}

fn fill(dice: &mut Dice, message: &MessageDescriptor, method: &Method, depth: usize) -> DynamicMessage {
    let mut filled = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let chance = if depth == 0 { 4 } else { 1 };
        if dice.roll(5) > chance || depth > 3 {
            continue;
        }
        let value = if field.is_map() {
            let Kind::Message(entry) = field.kind() else { continue };
            let inner = entry.map_entry_value_field();
            let value = value(dice, &inner, &inner.kind(), method, depth);
            Value::Map([(MapKey::String(dice.pick(&["k", "a b"]).into()), value)].into())
        } else if field.is_list() {
            Value::List(
                (0..dice.roll(3)).map(|_| value(dice, &field, &field.kind(), method, depth)).collect(),
            )
        } else {
            value(dice, &field, &field.kind(), method, depth)
        };
        filled.set_field(&field, value);
    }
    filled
}

/// Takes the value at a dotted path out of a JSON object.
fn take(object: &mut Json, path: &[String]) -> Option<Json> {
    match path {
        [last] => object.as_object_mut()?.remove(last),
        [first, rest @ ..] => take(object.get_mut(first)?, rest),
        [] => None,
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn flatten(prefix: &str, value: &Json, pairs: &mut Vec<String>) {
    match value {
        Json::Object(fields) => {
            for (name, value) in fields {
                flatten(&format!("{prefix}{}{name}", if prefix.is_empty() { "" } else { "." }), value, pairs);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| flatten(prefix, item, pairs)),
        Json::String(text) => pairs.push(format!("{prefix}={}", encoded(text))),
        other => pairs.push(format!("{prefix}={other}")),
    }
}

/// The request as REST has it: path, query, body. `None` if its route cannot carry it.
fn transcode(method: &Method, request: &DynamicMessage) -> Option<(String, String, String)> {
    let binding = method.bindings.first()?;
    let bytes = request.encode_to_vec();
    let mut json = json::from_bytes(method.input.full_name(), &bytes, Enums::Numbers).unwrap();
    let (before, rest) = binding.template.split_once('{')?;
    let (variable, after) = rest.split_once('}')?;
    let (field, pattern) = variable.split_once('=')?;
    let camel: Vec<String> = field
        .split('.')
        .scan(method.input.clone(), |message, name| {
            let field = message.get_field_by_name(name)?;
            if let Kind::Message(inner) = field.kind() {
                *message = inner;
            }
            Some(field.json_name().to_owned())
        })
        .collect();
    let name = take(&mut json, &camel)?.as_str()?.to_owned();
    let fits = name.split('/').count() == pattern.split('/').count()
        && name.split('/').zip(pattern.split('/')).all(|(a, b)| !a.is_empty() && (b == "*" || a == b));
    if !fits {
        return None;
    }
    let name: Vec<String> = name.split('/').map(encoded).collect();
    let path = format!("{before}{}{after}", name.join("/"));
    let (body, query) = match binding.body.as_str() {
        "*" => (json, json!({})),
        "" => (Json::Null, json),
        body => {
            let body = method.input.get_field_by_name(body)?.json_name().to_owned();
            (take(&mut json, &[body])?, json)
        }
    };
    let mut pairs = Vec::new();
    flatten("", &query, &mut pairs);
    Some((path, pairs.join("&"), if body.is_null() { String::new() } else { body.to_string() }))
}

/// The status in an answer's `error`.
fn status(answer: &Json) -> Status {
    let error = &answer["error"];
    let code = rpc::Code::from_str_name(error["status"].as_str().unwrap()).unwrap();
    let raw = json!({"code": code as i32, "message": error["message"], "details": error["details"]});
    json::to_message::<rpc::Status>(&raw).unwrap().into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn r52_grpc_and_rest_answer_alike(index in any::<prop::sample::Index>(), start in any::<u64>()) {
        let bound: Vec<_> = Contract::get().methods().filter(|method| !method.bindings.is_empty()).collect();
        let method = index.get(&bound);
        let mut dice = Dice(start);
        let request = fill(&mut dice, &method.input, method, 0);
        let Some((path, query, body)) = transcode(method, &request) else { return Ok(()) };
        let bytes = request.encode_to_vec();
        let grpc = seeded().0.dispatch(&method.path, &bytes);
        let (service, clock) = seeded();
        let headers = HeaderMap::new();
        let verb = method.bindings[0].verb.as_str();
        let mut record = Pipeline::of(service, clock).begin(Transport::Rest, &path, &headers, None);
        let call = rest::RestRequest { verb, path: &path, query: &query, headers: &headers, body: body.clone().into() };
        let (_, text) = super::answered(&mut record, call);
        let printed: Json = serde_json::from_str(&text).unwrap();
        match grpc {
            Ok(answer) => {
                let wanted = json::from_bytes(method.output.full_name(), &answer, Enums::Names).unwrap();
                prop_assert_eq!(printed, wanted, "{} {}?{} {}", verb, path, query, body);
            }
            Err(refused) => {
                prop_assert!(printed.get("error").is_some(), "{refused} {verb} {path}?{query} {body} {printed}");
                prop_assert_eq!(status(&printed), refused, "{} {}?{} {}", verb, path, query, body);
            }
        }
    }
}
