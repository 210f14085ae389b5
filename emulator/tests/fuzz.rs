//! Ten thousand random calls over real connections: each gets an answer in the form of its transport, soon, and none
//! gets an internal error.
//!
//! Half are REST requests, half are gRPC frames. They are made from the routes and methods of the API, and then bent:
//! good, half good, and noise. The seed is fixed, so that a failure is met again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use contact_center_insights_emulator::Emulator;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use support::{L, http};

const EACH: usize = 5000;
const AT_ONCE: usize = 8;
/// No answer takes as long, on any machine: it only keeps a hang from being one for ever.
const SOON: Duration = Duration::from_mins(1);

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

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.roll(most)).map(|_| u8::try_from(self.roll(256)).unwrap()).collect()
    }

    /// A name that is likely to be there, or anything else.
    fn name(&mut self) -> String {
        let below = self.pick(&[
            "",
            "/conversations/call-0001",
            "/conversations/call-0001/analyses/1",
            "/conversations/call-0001/feedbackLabels/1",
            "/issueModels/1",
            "/issueModels/1/issues/1",
            "/phraseMatchers/1",
            "/settings",
            "/encryptionSpec",
            "/views/1",
            "/operations/1",
            "/qaScorecards/-/revisions",
            "/../..",
            "/%2e%2e",
            "/é%FF",
        ]);
        format!("{L}{below}")
    }

    fn text(&mut self) -> String {
        match self.roll(9) {
            0 => self.name(),
            1 => String::from_utf8_lossy(&self.bytes(40)).into_owned(),
            2 => "(".repeat(self.roll(5000)),
            3 => "NOT ".repeat(self.roll(2000)) + "a",
            4 => "x".repeat(self.roll(3000)),
            _ => self
                .pick(&[
                    "",
                    "-1",
                    "99999999999999999999",
                    "1e400",
                    "agent_id=\"7\"",
                    "a.b.c:*",
                    "turn_count desc",
                    "gs://../../etc/passwd",
                    "gs://b/\0",
                    "0",
                    "true",
                    "2026-13-45T99:99:99Z",
                    "null",
                ])
                .to_owned(),
        }
    }

    fn json(&mut self, depth: usize) -> Value {
        match self.roll(if depth > 4 { 5 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.roll(2) == 0),
            2 => json!([0.0, -1.0, 1e308, 7.5][self.roll(4)]),
            3 => json!([i64::MAX, i64::MIN, 0, 2][self.roll(4)]),
            4 => json!(self.text()),
            5 => Value::Array((0..self.roll(4)).map(|_| self.json(depth + 1)).collect()),
            _ => Value::Object(
                (0..self.roll(5)).map(|_| (self.field().to_owned(), self.json(depth + 1))).collect(),
            ),
        }
    }

    fn field(&mut self) -> &'static str {
        self.pick(&[
            "name",
            "parent",
            "filter",
            "pageSize",
            "page_size",
            "pageToken",
            "orderBy",
            "view",
            "updateMask",
            "force",
            "agentId",
            "labels",
            "ttl",
            "expireTime",
            "startTime",
            "displayName",
            "conversation",
            "conversationId",
            "issueModel",
            "inputDataConfig",
            "gcsSource",
            "bucketUri",
            "objectUri",
            "analysisPercentage",
            "medium",
            "duration",
            "transcript",
            "qualityMetadata",
            "agentInfo",
            "metadata",
            "@type",
            "value",
            "type",
            "query",
            "timeGranularity",
            "dimensions",
            "measureMask",
            "encryptionSpec",
            "kmsKey",
            "format",
            "colour",
            "$alt",
        ])
    }
}

fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let services =
        pool.services().filter(|s| s.name() == "ContactCenterInsights" || s.name() == "Operations");
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

async fn emulator() -> Emulator {
    let emulator = crate::support::builder().with_profile("polls:2".parse().unwrap()).start().await.unwrap();
    let url = format!("{}/v1/{L}", emulator.endpoint());
    let client = http().build().unwrap();
    for (path, body) in [
        ("conversations?conversationId=call-0001", "{}"),
        ("conversations/call-0001/analyses", "{}"),
        ("issueModels", r#"{"modelType": "TYPE_V2"}"#),
        ("views", "{}"),
    ] {
        assert!(client.post(format!("{url}/{path}")).body(body).send().await.unwrap().status().is_success());
    }
    emulator
}

async fn rest(dice: &mut Dice, client: &Client, endpoint: &str) {
    let verb = dice.pick(&["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"]);
    let mut path = format!("/v1/{}", dice.name());
    path.push_str(dice.pick(&[
        "",
        "",
        "",
        ":deploy",
        ":upload",
        ":cancel",
        ":queryMetrics",
        "/x",
        "/",
        ":bulkDelete",
        ":initialize",
    ]));
    if dice.roll(8) == 0 {
        path = format!("/{}", String::from_utf8_lossy(&dice.bytes(60)));
    }
    let mut query = String::new();
    for _ in 0..dice.roll(4) {
        let (field, text) = (dice.field(), dice.text());
        let text: String = text.chars().take(200).collect();
        for part in [field, "=", &text.replace(['&', '#', ' '], "%20"), "&"] {
            query.push_str(part);
        }
    }
    let body = match dice.roll(4) {
        0 => dice.bytes(200),
        1 => "[".repeat(dice.roll(20_000)).into_bytes(),
        _ => dice.json(0).to_string().into_bytes(),
    };
    let Ok(url) = reqwest::Url::parse(&format!("{endpoint}{path}?{query}")) else { return };
    let (shown, method) = (url.clone(), verb.parse::<Method>().unwrap());
    let answer = tokio::time::timeout(SOON, client.request(method, url).body(body).send());
    let answer = answer.await.unwrap_or_else(|_| panic!("{verb} {shown} hangs")).unwrap();
    let status = answer.status().as_u16();
    assert_ne!(status, 500, "{verb} {shown}: {}", answer.text().await.unwrap());
    if verb == "HEAD" {
        return;
    }
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let text = answer.text().await.unwrap();
    let json: Value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{verb} {shown} {status}: {text}"));
    assert_eq!(kind.as_deref(), Some("application/json; charset=UTF-8"), "{verb} {shown}");
    if status != 200 {
        assert_eq!(json["error"]["code"], status, "{verb} {shown}");
        let infos =
            json["error"]["details"].as_array().unwrap().iter().filter(|detail| detail["reason"].is_string());
        assert_eq!(infos.count(), 1, "{verb} {shown}: {text}");
    }
}

/// Fields in protobuf's form, of which some may be of the message that is meant.
fn message(dice: &mut Dice, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..dice.roll(5) {
        let most = if dice.roll(9) == 0 { 2000 } else { 9 };
        let number = dice.roll(most) + 1;
        let inner = match dice.roll(4) {
            0 if depth < 4 => message(dice, depth + 1),
            1 => dice.name().into_bytes(),
            _ => dice.text().into_bytes(),
        };
        if dice.roll(4) == 0 {
            varint(&mut bytes, number << 3);
            varint(&mut bytes, dice.roll(usize::MAX));
        } else {
            varint(&mut bytes, (number << 3) | 2);
            varint(&mut bytes, inner.len());
            bytes.extend(inner);
        }
    }
    bytes
}

fn varint(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
}

async fn grpc(dice: &mut Dice, client: &Client, endpoint: &str, methods: &[MethodDescriptor]) {
    let method = &methods[dice.roll(methods.len())];
    let mut path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    if dice.roll(20) == 0 {
        path = format!("/{}", dice.text().replace(['#', '?'], ""));
    }
    let message = if dice.roll(3) == 0 { dice.bytes(100) } else { message(dice, 0) };
    let mut frame = vec![0];
    let length = u32::try_from(message.len()).unwrap();
    match dice.roll(8) {
        // Longer or shorter than it says, compressed or not, or no frame at all.
        0 => frame.extend((length + 1).to_be_bytes()),
        1 => frame.extend(u32::MAX.to_be_bytes()),
        2 => frame = vec![u8::try_from(dice.roll(256)).unwrap(), 0, 0, 0, 0],
        3 if dice.roll(2) == 0 => frame.clear(),
        _ => frame.extend(length.to_be_bytes()),
    }
    frame.extend(message);
    let Ok(url) = reqwest::Url::parse(&format!("{endpoint}{path}")) else { return };
    let request =
        client.post(url).header("content-type", "application/grpc").header("te", "trailers").body(frame);
    let answer = tokio::time::timeout(SOON, request.send()).await.unwrap_or_else(|_| panic!("{path} hangs"));
    let answer: Response = answer.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let Some(code) = header("grpc-status") else {
        // Its status is in the trailers, after a message.
        assert!(answer.bytes().await.unwrap().len() >= 5, "{path}");
        return;
    };
    let code: u32 = code.parse().unwrap();
    assert!((1..=16).contains(&code), "{path} {code}");
    let details = header("grpc-status-details-bin").unwrap_or_else(|| panic!("{path} {code}: no details"));
    let details = STANDARD_NO_PAD.decode(details.trim_end_matches('=')).unwrap();
    let says = |what: &str| details.windows(what.len()).filter(|window| *window == what.as_bytes()).count();
    assert_eq!(says("google.rpc.ErrorInfo"), 1, "{path} {code}");
    // Torn frames are `INTERNAL` to every gRPC server; nothing else may be.
    assert!(
        code != 13 || says("GRPC_PROTOCOL") == 1,
        "{path}: {}",
        header("grpc-message").unwrap_or_default()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_random_calls_are_answered_well() {
    let emulator = emulator().await;
    let (endpoint, methods) = (emulator.endpoint(), methods());
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..AT_ONCE {
        let (endpoint, methods) = (endpoint.clone(), methods.clone());
        callers.spawn(async move {
            let mut dice = Dice(caller as u64);
            let plain = http().build().unwrap();
            let h2 = http().http2_prior_knowledge().build().unwrap();
            for _ in 0..EACH / AT_ONCE {
                rest(&mut dice, &plain, &endpoint).await;
                grpc(&mut dice, &h2, &endpoint, &methods).await;
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    // And it still serves.
    let (client, url) = (http().build().unwrap(), format!("{endpoint}/v1/{L}/conversations"));
    assert_eq!(client.get(url).send().await.unwrap().status(), 200);
}
