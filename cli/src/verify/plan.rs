//! What has to be known of a recording before it is replayed: the order, the objects that it reads, and how its
//! operations go.

use std::collections::{BTreeMap, BTreeSet};

use contact_center_insights::prost_types;
use serde_json::{Value, json};

use crate::recording::{Contract, Exchange, Query};

/// The exchanges in an order that can be replayed. Where two programs were recorded at once, a resource may be read
/// after it was deleted in the file; it is read before then.
pub(super) fn ordered(exchanges: Vec<Exchange>) -> Vec<Exchange> {
    let mut ordered: Vec<Exchange> = Vec::with_capacity(exchanges.len());
    for exchange in exchanges {
        let is_read = exchange.verb == "GET" && exchange.status == 200;
        let deletion = ordered.iter().rposition(|before| {
            before.verb == "DELETE" && before.status == 200 && bare(&before.path) == bare(&exchange.path)
        });
        let is_made_again = |at: usize| {
            let since = ordered.iter().skip(at);
            since
                .into_iter()
                .any(|since| since.verb == "POST" && since.status == 200 && makes(since, &exchange.path))
        };
        match deletion {
            Some(at) if is_read && !is_made_again(at) => ordered.insert(at, exchange),
            _ => ordered.push(exchange),
        }
    }
    ordered
}

/// A path whose project is named in one way.
fn bare(path: &str) -> String {
    path.replace("PROJECT_NUMBER", "PROJECT_ID")
}

fn makes(exchange: &Exchange, path: &str) -> bool {
    let made = exchange.answer.as_ref().and_then(|answer| answer.get("name")).and_then(Value::as_str);
    made.is_some_and(|name| bare(path).ends_with(&bare(name)))
}

/// The path with the name that was really asked for, where the routing header has another than the path.
pub(super) fn path(exchange: &Exchange) -> String {
    let routed = Query::of_request(exchange.routing.as_deref().unwrap_or_default());
    let mut path: Vec<&str> = exchange.path.split('/').collect();
    let Some(start) = path.iter().position(|part| *part == "projects") else { return exchange.path.clone() };
    let names = routed.0.iter().filter(|(key, _)| key.ends_with("name") || key.ends_with("parent"));
    for (_, name) in names {
        let parts: Vec<&str> = name.split('/').collect();
        let Some(place) = path.get_mut(start..start + parts.len()) else { continue };
        let is_alike = |(index, (own, routed)): (usize, (&&str, &&str))| index % 2 == 1 || own == routed;
        let has_verb = place.last().is_some_and(|last| last.contains(':'));
        if !has_verb && place.iter().zip(&parts).enumerate().all(is_alike) {
            place.copy_from_slice(&parts);
        }
        return path.join("/");
    }
    exchange.path.clone()
}

/// Objects of Cloud Storage that the exchanges read, by URI: transcripts, made from the answers that show them.
pub(super) fn objects(exchanges: &[Exchange]) -> BTreeMap<String, String> {
    let mut objects = BTreeMap::new();
    for exchange in exchanges {
        let bodies = exchange.answer.iter().flat_map(|answer| {
            let listed =
                answer.get("conversations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            std::iter::once(answer).chain(answer.get("response")).chain(listed)
        });
        for conversation in bodies {
            let uri = conversation.pointer("/dataSource/gcsSource/transcriptUri").and_then(Value::as_str);
            let segments = conversation.pointer("/transcript/transcriptSegments").and_then(Value::as_array);
            if let (Some(uri), Some(segments)) = (uri, segments) {
                objects.entry(uri.to_owned()).or_insert_with(|| object(segments).to_string());
            }
        }
    }
    objects
}

/// The file that such segments are read from: a chat, or what speech recognition heard.
fn object(segments: &[Value]) -> Value {
    let words = |segment: &Value| segment.get("words").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_heard =
        segments.iter().any(|segment| words(segment).iter().any(|word| word.get("endOffset").is_some()));
    if is_heard {
        let results = segments.iter().map(|segment| {
            let mut result =
                json!({"alternatives": [{"transcript": segment["text"], "words": words(segment)}]});
            for key in ["channelTag", "languageCode"] {
                if let (Some(value), Some(fields)) = (segment.get(key), result.as_object_mut()) {
                    fields.insert(key.into(), value.clone());
                }
            }
            result
        });
        return json!({ "results": results.collect::<Vec<_>>() });
    }
    let entries = segments.iter().map(|segment| {
        let role = segment.pointer("/segmentParticipant/role");
        let role =
            match role.map(|role| role.as_str().map_or_else(|| role.to_string(), str::to_owned)).as_deref() {
                Some("HUMAN_AGENT" | "1") => "AGENT",
                Some("AUTOMATED_AGENT" | "2") => "AUTOMATED_AGENT",
                Some("END_USER" | "3") => "CUSTOMER",
                _ => "",
            };
        let mut entry = json!({ "text": segment["text"], "role": role });
        let user = segment.pointer("/segmentParticipant/userId").cloned();
        let time = segment
            .get("messageTime")
            .and_then(Value::as_str)
            .and_then(|time| time.parse::<prost_types::Timestamp>().ok());
        let time = time
            .and_then(|time| time.seconds.checked_mul(1_000_000)?.checked_add(i64::from(time.nanos) / 1000));
        for (key, value) in [("user_id", user), ("start_timestamp_usec", time.map(Value::from))] {
            if let (Some(value), Some(fields)) = (value, entry.as_object_mut()) {
                fields.insert(key.into(), value);
            }
        }
        entry
    });
    json!({ "entries": entries.collect::<Vec<_>>() })
}

/// Methods whose operations had ended whenever they were answered: the emulator ends them at once.
pub(super) fn immediate(contract: &Contract, exchanges: &[Exchange]) -> BTreeSet<String> {
    let mut ended: BTreeMap<&str, bool> = BTreeMap::new();
    for exchange in exchanges.iter().filter(|exchange| exchange.status == 200) {
        let method =
            contract.method(&exchange.verb, &exchange.path).filter(|method| method.is_long_running());
        let Some(method) = method else { continue };
        let is_done = exchange.answer.as_ref().is_some_and(is_done);
        let all = ended.entry(&method.name).or_insert(true);
        *all = *all && is_done;
    }
    ended.into_iter().filter(|(_, is_done)| *is_done).map(|(name, _)| name.to_owned()).collect()
}

/// Names of the operations that an answer shows as ended.
pub(super) fn ended(answer: &Value) -> Vec<&str> {
    let listed = answer.get("operations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let all = std::iter::once(answer).chain(listed).filter(|operation| is_done(operation));
    all.filter_map(|operation| operation.get("name").and_then(Value::as_str)).collect()
}

fn is_done(operation: &Value) -> bool {
    operation.get("done") == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(verb: &str, path: &str, status: u16) -> Exchange {
        Exchange {
            verb: verb.into(),
            path: path.into(),
            status,
            answer: Some(json!({})),
            ..Exchange::default()
        }
    }

    #[test]
    fn what_is_read_after_its_end_is_read_before() {
        let of = |exchanges: Vec<Exchange>| {
            ordered(exchanges)
                .iter()
                .map(|found| format!("{}{}", found.verb, found.status))
                .collect::<Vec<_>>()
        };
        let (id, number) = ("/v1/projects/PROJECT_ID/x/ID_1", "/v1/projects/PROJECT_NUMBER/x/ID_1");
        let gone = vec![exchange("DELETE", id, 200), exchange("GET", id, 404), exchange("GET", number, 200)];
        assert_eq!(of(gone), ["GET200", "DELETE200", "GET404"]);
        let mut made = exchange("POST", "/v1/projects/PROJECT_ID/x", 200);
        made.answer = Some(json!({"name": "projects/PROJECT_NUMBER/x/ID_1"}));
        let again = vec![exchange("DELETE", id, 200), made, exchange("GET", number, 200)];
        assert_eq!(of(again), ["DELETE200", "POST200", "GET200"]);
    }

    #[test]
    fn the_routing_header_has_the_name_that_was_asked_for() {
        let mut asked = exchange("GET", "/v1/projects/PROJECT_ID/locations/l/views/ID_2", 404);
        assert_eq!(path(&asked), asked.path);
        asked.routing = Some("name=projects%2FPROJECT_ID%2Flocations%2Fl%2Fviews%2Fmyviewid-ID_1".into());
        assert_eq!(path(&asked), "/v1/projects/PROJECT_ID/locations/l/views/myviewid-ID_1");
        asked.routing = Some("name=projects%2Fx%2Fother%2Fy".into());
        assert_eq!(path(&asked), asked.path);
        let mut listed = exchange("POST", "/v1/projects/PROJECT_ID/locations/l/views:do", 200);
        listed.routing = Some("parent=projects%2FPROJECT_NUMBER%2Flocations%2Fl".into());
        assert_eq!(path(&listed), "/v1/projects/PROJECT_NUMBER/locations/l/views:do");
    }

    #[test]
    fn transcripts_are_made_from_answers() {
        let segments = json!([
            {"text": "Hi", "messageTime": "1970-01-01T00:00:03.000001Z", "segmentParticipant": {"role": 3, "userId": "9"}},
            {"text": "Ho", "segmentParticipant": {"role": "HUMAN_AGENT"}},
        ]);
        assert_eq!(
            object(segments.as_array().unwrap()),
            json!({"entries": [
                {"text": "Hi", "role": "CUSTOMER", "user_id": "9", "start_timestamp_usec": 3_000_001},
                {"text": "Ho", "role": "AGENT"},
            ]})
        );
        let heard = json!([{"text": "Hi", "channelTag": 2, "languageCode": "en-AU", "words": [{"word": "Hi", "endOffset": "1s"}]}]);
        assert_eq!(
            object(heard.as_array().unwrap()),
            json!({"results": [
                {"alternatives": [{"transcript": "Hi", "words": [{"word": "Hi", "endOffset": "1s"}]}], "channelTag": 2, "languageCode": "en-AU"},
            ]})
        );
    }

    #[test]
    fn operations_go_as_they_were_seen_to() {
        let contract = Contract::new();
        let start = |method: &str, done: bool| {
            let mut started = exchange("POST", &format!("/v1/projects/PROJECT_ID/locations/l/{method}"), 200);
            started.answer = Some(json!({"name": "o", "done": done}));
            started
        };
        let seen =
            [start("issueModels", true), start("issueModels", false), start("conversations:ingest", true)];
        assert_eq!(immediate(&contract, &seen), BTreeSet::from(["IngestConversations".to_owned()]));
        assert_eq!(ended(&json!({"operations": [{"name": "a", "done": true}, {"name": "b"}]})), ["a"]);
    }
}
