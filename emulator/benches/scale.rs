//! A hundred thousand conversations, and as many operations that are pending: what they hold, and what lists, resets
//! and the passing of time cost.
//!
//! - Memory is the resident set of this process (`/proc/self/statm`), before and after the conversations are made
//!   through the API, less the size of their messages.
//! - A page is one of 100, filtered and ordered, over gRPC with the client in this process; the median of several.
//! - Beside the time that passes stands, as `_cpu_ms`, that for which this process had a processor
//!   (`/proc/self/task/*/schedstat`): on a busy machine it is the one that says what the code costs.
//!
//! `cargo bench --package contact-center-insights-emulator --bench scale`; under a minute.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that fails may panic"
)]
#![allow(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::time::{Duration, Instant};

use contact_center_insights::proto::insights::contact_center_insights_client::ContactCenterInsightsClient;
use contact_center_insights::proto::insights::{
    Conversation, CreateConversationRequest, ListConversationsRequest, UploadConversationRequest,
};
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights::proto::longrunning::{GetOperationRequest, ListOperationsRequest};
use contact_center_insights_emulator::{Emulator, ManualClock};
use prost::Message;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

const L: &str = "projects/p/locations/us-central1";
const COUNT: usize = 100_000;
const AT_ONCE: usize = 16;
const PAGES: usize = 11;

type Insights = ContactCenterInsightsClient<Channel>;

#[tokio::main]
async fn main() {
    conversations().await;
    operations().await;
}

async fn conversations() {
    let emulator = Emulator::builder().with_journal_limit(0).start().await.unwrap();
    let channel = Endpoint::new(emulator.endpoint()).unwrap().connect().await.unwrap();
    let mut insights = Insights::new(channel).max_decoding_message_size(usize::MAX);
    // What the first calls make once is none of the conversations' own.
    for number in 0..100 {
        create(&mut insights, number).await;
    }
    let before = resident();
    let mut size = 0;
    let mut callers = JoinSet::new();
    for caller in 0..AT_ONCE {
        let mut insights = insights.clone();
        callers.spawn(async move {
            let mut size = 0;
            for number in (caller..COUNT).step_by(AT_ONCE) {
                size += create(&mut insights, number).await;
            }
            size
        });
    }
    while let Some(part) = callers.join_next().await {
        size += part.unwrap();
    }
    let overhead = (resident().saturating_sub(before) as f64 - size as f64) / COUNT as f64;

    let (mut pages, mut busy) = (Vec::new(), Vec::new());
    let mut token = String::new();
    for _ in 0..PAGES {
        let request = ListConversationsRequest {
            parent: L.into(),
            page_size: 100,
            page_token: token.clone(),
            filter: "agent_id=\"7\" labels.team:\"a\"".into(),
            order_by: "create_time".into(),
            ..ListConversationsRequest::default()
        };
        let (started, cpu) = (Instant::now(), processor());
        let page = insights.list_conversations(request).await.unwrap().into_inner();
        pages.push(started.elapsed());
        busy.push(processor().saturating_sub(cpu));
        assert_eq!(page.conversations.len(), 100);
        token = page.next_page_token;
    }
    let started = Instant::now();
    emulator.reset(None).unwrap();
    let left =
        insights.list_conversations(ListConversationsRequest { parent: L.into(), ..Default::default() });
    let left = left.await.unwrap().into_inner().conversations.len();
    let reset = started.elapsed();
    assert_eq!(left, 0);
    println!(
        "scale conversations={COUNT} message_bytes={} overhead_bytes={overhead:.0} page_1_ms={:.1} page_k_ms={:.1} \
         page_k_cpu_ms={:.1} reset_ms={:.2}",
        size / COUNT,
        ms(pages[0]),
        ms(median(&mut pages)),
        ms(median(&mut busy)),
        ms(reset)
    );
    emulator.stop().await;
}

/// Gives the size of what was made.
async fn create(insights: &mut Insights, number: usize) -> usize {
    let conversation = Conversation {
        agent_id: (number % 10).to_string(),
        labels: [("team".to_owned(), "a".to_owned()), ("number".to_owned(), number.to_string())].into(),
        obfuscated_user_id: format!("user-{number}"),
        ..Conversation::default()
    };
    let request = CreateConversationRequest {
        parent: L.into(),
        conversation: Some(conversation),
        ..Default::default()
    };
    insights.create_conversation(request).await.unwrap().into_inner().encoded_len()
}

async fn operations() {
    let clock = ManualClock::default();
    let builder = Emulator::builder().with_journal_limit(0).with_clock(clock.clone());
    let emulator = builder.with_profile("time:1h".parse().unwrap()).start().await.unwrap();
    let channel = Endpoint::new(emulator.endpoint()).unwrap().connect().await.unwrap();
    let insights = Insights::new(channel.clone());
    let mut operations = OperationsClient::new(channel).max_decoding_message_size(usize::MAX);
    let mut callers = JoinSet::new();
    for caller in 0..AT_ONCE {
        let mut insights = insights.clone();
        callers.spawn(async move {
            let mut last = String::new();
            for number in (caller..COUNT).step_by(AT_ONCE) {
                let conversation = Some(Conversation { agent_id: number.to_string(), ..Default::default() });
                let request =
                    UploadConversationRequest { parent: L.into(), conversation, ..Default::default() };
                last = insights.upload_conversation(request).await.unwrap().into_inner().name;
            }
            last
        });
    }
    let mut last = String::new();
    while let Some(name) = callers.join_next().await {
        last = name.unwrap();
    }
    let mut pages = Vec::new();
    let mut token = String::new();
    for _ in 0..PAGES {
        let request = ListOperationsRequest {
            name: L.into(),
            page_size: 1000,
            page_token: token.clone(),
            ..ListOperationsRequest::default()
        };
        let started = Instant::now();
        let page = operations.list_operations(request).await.unwrap().into_inner();
        pages.push(started.elapsed());
        assert_eq!(page.operations.len(), 1000);
        token = page.next_page_token;
    }
    clock.advance(Duration::from_hours(2));
    let (started, cpu) = (Instant::now(), processor());
    let done = operations.get_operation(GetOperationRequest { name: last }).await.unwrap().into_inner().done;
    let (end, busy) = (started.elapsed(), processor().saturating_sub(cpu));
    assert!(done);
    println!(
        "scale operations={COUNT} list_of_1000_ms={:.1} clock_to_the_end_ms={:.0} clock_to_the_end_cpu_ms={:.0}",
        ms(median(&mut pages)),
        ms(end),
        ms(busy)
    );
    emulator.stop().await;
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// For how long the threads of this process have had a processor. None of them ends while it is measured.
fn processor() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let spent = threads.map(|thread| {
        let stat = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        stat.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(spent.sum())
}

/// Bytes of this process that are in memory; a page has 4096.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
