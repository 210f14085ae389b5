//! What the targets share: how their input is cut into parts, and one emulator for the length of a run.

use std::cell::RefCell;
use std::future::Future;

use contact_center_insights_emulator::{Emulator, ManualClock};
use tokio::runtime::{Builder, Runtime};

/// A location that the emulator serves.
pub const L: &str = "projects/123456789012/locations/us-central1";
/// An emulator is emptied after so many calls: what it has grown to would slow the rest down.
const CALLS: usize = 200;

/// Cuts an input at line breaks: the first `N - 1` are parts of text, and the rest is the last part.
pub fn parts<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut parts = [&[][..]; N];
    let mut pieces = data.splitn(N, |byte| *byte == b'\n');
    for part in &mut parts {
        *part = pieces.next().unwrap_or_default();
    }
    parts
}

/// A part that is text.
pub fn text(part: &[u8]) -> &str {
    std::str::from_utf8(part).unwrap_or_default()
}

/// Cuts an input into pieces, each with its length before it in two bytes.
pub fn pieces(mut data: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let [low, high, rest @ ..] = data {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        pieces.push(piece);
        data = rest;
    }
    pieces
}

/// Runs a future on this thread, where time stands still until nothing else is to be done.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Hands an emulator to `call`: the same one, with a few resources in it.
pub fn with_emulator<T>(call: impl AsyncFnOnce(&Emulator) -> T) -> T {
    thread_local! {
        static EMULATOR: RefCell<Option<(Emulator, usize)>> = const { RefCell::new(None) };
    }
    EMULATOR.with_borrow_mut(|slot| {
        run(async {
            let (emulator, calls) = match slot {
                Some(found) => found,
                None => slot.insert((start().await, CALLS)),
            };
            *calls += 1;
            if *calls > CALLS {
                *calls = 0;
                emulator.reset(None).unwrap();
                fill(emulator).await;
            }
            call(emulator).await
        })
    })
}

async fn start() -> Emulator {
    let builder = Emulator::builder().with_clock(ManualClock::default()).with_journal_limit(0);
    builder.with_min_training_conversations(0).start().await.unwrap()
}

async fn fill(emulator: &Emulator) {
    for (path, query, body) in [
        ("conversations", "conversationId=call-0001", r#"{"agentId": "7", "labels": {"a": "b"}}"#),
        ("conversations", "conversationId=call-0002", "{}"),
        ("conversations/call-0001/analyses", "", "{}"),
        ("conversations/call-0001/feedbackLabels", "", r#"{"label": "x"}"#),
        ("issueModels", "", r#"{"modelType": "TYPE_V2"}"#),
        ("phraseMatchers", "", r#"{"type": "ALL_OF", "active": true}"#),
        ("qaScorecards", "", "{}"),
        ("views", "", "{}"),
    ] {
        let path = format!("/v1/{L}/{path}");
        contact_center_insights_emulator::fuzzing::rest(emulator, "POST", &path, query, body.as_bytes())
            .await;
    }
}
