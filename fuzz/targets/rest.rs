//! REST: any verb, path, query and body; the answer is JSON, and never an internal error.
#![no_main]

use contact_center_insights_emulator::fuzzing::rest;
use contact_center_insights_fuzz::{L, parts, text, with_emulator};
use libfuzzer_sys::{Corpus, fuzz_target};

const VERBS: [&str; 5] = ["GET", "POST", "PATCH", "DELETE", "PUT"];

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((kind, data)) = data.split_first() else { return Corpus::Reject };
    let [path, query, body] = parts(data);
    let verb = VERBS[usize::from(kind & 7) % VERBS.len()];
    // Most paths are of the location that there is something in.
    let path = if kind & 64 == 0 { format!("/v1/{L}{}", text(path)) } else { format!("/{}", text(path)) };
    let (status, body) = with_emulator(async |emulator| rest(emulator, verb, &path, text(query), body).await);
    let reply: serde_json::Value = serde_json::from_slice(&body).expect("an answer is JSON");
    assert!((200..600).contains(&status), "{status}");
    assert_ne!(reply["error"]["details"][0]["reason"], "EMULATOR_INTERNAL", "{verb} {path}: {reply}");
    assert!(status != 500 || reply["error"].is_object(), "{reply}");
    Corpus::Keep
});
