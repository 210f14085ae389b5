//! No value of time from the wire or from a user makes the client panic or hang: extremes through every path that they
//! reach. Time is paused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use std::time::Duration;

use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::json;
use contact_center_insights::proto::insights::{Conversation, CreateIssueModelMetadata, IssueModel};
use contact_center_insights::{Client, Code, PollPolicy, Poller};
use proptest::prelude::*;
use prost_types::{Duration as WireDuration, Timestamp};
use support::{NAME, Script, answer, fail, model, retry_info, running, succeeded};

type Training = Poller<IssueModel, CreateIssueModelMetadata>;

/// Any span, the edges often.
fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::from_nanos(1)),
        Just(Duration::MAX),
        Just(Duration::from_secs(i64::MAX as u64)),
        Just(Duration::from_secs(i64::MAX as u64 + 1)),
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
        (0..100_000_u64).prop_map(Duration::from_millis),
    ]
}

/// Any number, the edges often.
fn wire_seconds() -> impl Strategy<Value = i64> {
    let edges =
        [i64::MIN, i64::MIN + 1, -1, 0, 1, 253_402_300_799, 253_402_300_800, -62_135_596_801, i64::MAX];
    prop_oneof![proptest::sample::select(edges.to_vec()), any::<i64>(), -1_000..1_000_i64]
}

fn wire_nanos() -> impl Strategy<Value = i32> {
    prop_oneof![
        proptest::sample::select(&[i32::MIN, -1, 0, 999_999_999, 1_000_000_000, i32::MAX][..]),
        any::<i32>()
    ]
}

/// The years 1 to 9999 (google/protobuf/timestamp.proto).
fn timestamp_has_form(seconds: i64, nanos: i32) -> bool {
    (-62_135_596_800..=253_402_300_799).contains(&seconds) && (0..1_000_000_000).contains(&nanos)
}

/// Ten thousand years either way, and both parts of one sign (google/protobuf/duration.proto).
fn duration_has_form(seconds: i64, nanos: i32) -> bool {
    seconds.unsigned_abs() <= 315_576_000_000
        && nanos.unsigned_abs() <= 999_999_999
        && (seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0))
}

/// Runs in paused time, and only the first day of it: the clock does not jump over what ticks each minute.
fn paused(run: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    // What waits longer than a day is right to.
    let _ = runtime.unwrap().block_on(async { tokio::time::timeout(Duration::from_hours(24), run).await });
}

fn follow(script: &Script) -> Training {
    script.client().poller(NAME).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_delay_that_the_server_asks_for(seconds in wire_seconds(), nanos in wire_nanos(), timeout in span()) {
        paused(async {
            let script = || Script::new([retry_info(seconds, nanos), answer(succeeded())]);
            let without_deadline = script().client().get_operation(NAME).await;
            if let Err(error) = without_deadline {
                assert_eq!(error.code(), Some(Code::ResourceExhausted));
                assert!(error.retry_after().is_some_and(|delay| delay > Duration::from_mins(10)));
            }
            let _ = script().client().get_operation(NAME).with_timeout(timeout).await;
            let retry = RetryPolicy::default().with_max_retry_delay(Duration::from_secs(1));
            let _ = script().client().get_operation(NAME).with_retry(retry).await;
            let script = script();
            let mut poller = follow(&script);
            assert!(poller.poll().await.is_err());
            assert_eq!(poller.until_done().await.unwrap(), model());
        });
    }

    #[test]
    fn policies_and_timeouts_of_a_user(first in span(), longest in span(), timeout in span(), attempt in span()) {
        paused(async {
            let retry = RetryPolicy::default()
                .with_first_wait(first)
                .with_max_wait(longest)
                .with_max_retry_delay(longest)
                .with_attempt_timeout(attempt);
            let script = Script::new([fail(Code::Unavailable), answer(succeeded())]);
            let _ = script.client().get_operation(NAME).with_timeout(timeout).with_retry(retry).await;

            let policy = PollPolicy::default()
                .with_first_wait(first)
                .with_max_wait(longest)
                .with_max_outage(timeout)
                .with_max_outage_at_start(attempt);
            let steps = || Script::new([answer(running("a")), fail(Code::Unavailable), answer(succeeded())]);
            let script = steps();
            let mut poller = follow(&script).with_policy(policy.clone());
            let _ = poller.wait_for(timeout).await;
            let script = steps();
            let _ = follow(&script).with_policy(policy).until_done().await;
        });
    }

    #[test]
    fn the_life_of_a_token(expires in span(), renew in span(), fetch in span(), patience in span()) {
        paused(async {
            let source = move || async move { Ok(Token::new("t")?.expires_in(expires).renew_in(renew)) };
            let credentials = Credentials::from_source(source)
                .with_fetch_timeout(fetch.max(Duration::from_millis(1)))
                .with_patience(patience.min(Duration::from_mins(1)));
            let script = Script::new([answer(running("a")), answer(succeeded())]);
            let client = script.client_with(credentials);
            for _ in 0..3 {
                let _ = client.get_operation(NAME).with_timeout(Duration::from_secs(100)).await;
                tokio::time::advance(Duration::from_hours(1)).await;
            }
        });
    }

    #[test]
    fn options_of_connections(connect in span(), ping in span(), answer in span()) {
        paused(async {
            let transport = contact_center_insights::Transport::builder("http://127.0.0.1:1".parse().unwrap())
                .with_connect_timeout(connect)
                .with_keepalive(ping, answer)
                .with_tcp_keepalive(Some(ping))
                .build();
            if let Ok(transport) = transport {
                let client = Client::builder().with_transport(transport).build().unwrap();
                let _ = client.get_operation(NAME).with_timeout(Duration::from_secs(1)).await;
            }
        });
    }

    #[test]
    fn times_on_their_way_to_json(seconds in wire_seconds(), nanos in wire_nanos()) {
        let conversation = Conversation {
            start_time: Some(Timestamp { seconds, nanos }),
            duration: Some(WireDuration { seconds, nanos }),
            ..Default::default()
        };
        // What has no form in JSON is an error, and everything else comes back as it was, as a value and as text.
        let has_form = timestamp_has_form(seconds, nanos) && duration_has_form(seconds, nanos);
        match json::from_message(&conversation) {
            Ok(value) => {
                prop_assert!(has_form, "{value}");
                prop_assert_eq!(&json::to_message::<Conversation>(&value).unwrap(), &conversation);
                let text = json::to_string(&conversation).unwrap();
                prop_assert_eq!(&json::from_str::<Conversation>(&text).unwrap(), &conversation);
            }
            Err(error) => {
                prop_assert!(!has_form, "{error}");
                prop_assert!(matches!(error.path(), Some("startTime" | "duration")), "{error}");
                prop_assert!(json::to_string(&conversation).is_err());
            }
        }
    }
}
