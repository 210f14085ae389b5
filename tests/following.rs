//! Following through overload and outages, and servers that answer with what no contract allows. Time is paused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use contact_center_insights::call::Budget;
use contact_center_insights::proto::insights::{
    CreateIssueModelMetadata, CreateIssueModelRequest, IssueModel,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::proto::longrunning::operations_server::OperationsServer;
use contact_center_insights::{Client, Code, Credentials, Error, PollPolicy, Poller, Waited};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use support::{NAME, Script, Step, answer, client_over, dial, fail, model, retry_info, running, succeeded};
use tokio::time::Instant;

type Training = Poller<IssueModel, CreateIssueModelMetadata>;

fn follow(script: &Script) -> Training {
    script.client().poller(NAME).unwrap()
}

/// Fails with `code` for as long as this, then the operation is done.
fn outage(code: Code, lasting: Duration) -> Script {
    let start = Instant::now();
    let step = move |now: Instant| {
        if now.saturating_duration_since(start) < lasting { fail(code) } else { answer(succeeded()) }
    };
    Script::new([answer(running("a")), Step::At(Arc::new(step))])
}

fn each(interval: Duration) -> PollPolicy {
    PollPolicy::default().with_first_wait(interval).with_max_wait(interval)
}

#[tokio::test(start_paused = true)]
async fn overload_never_ends_the_waiting() {
    let refusals = std::iter::repeat_n(fail(Code::ResourceExhausted), 300);
    let script = Script::new(refusals.chain([answer(succeeded())]));
    assert_eq!(follow(&script).until_done().await.unwrap(), model());
    assert_eq!(script.calls(), 301);

    let script = outage(Code::ResourceExhausted, Duration::from_hours(24));
    assert_eq!(follow(&script).until_done().await.unwrap(), model());
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_five_minutes_is_survived_at_every_interval() {
    let survive = async |code, millis| {
        let script = outage(code, Duration::from_mins(5));
        let mut poller = follow(&script).with_policy(each(Duration::from_millis(millis)));
        assert_eq!(poller.until_done().await.unwrap(), model(), "{code:?} each {millis} ms");
    };
    for millis in [100, 1_000, 30_000] {
        survive(Code::Unavailable, millis).await;
    }
    for code in [Code::Internal, Code::Unknown, Code::DeadlineExceeded, Code::Cancelled] {
        survive(code, 5_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_twelve_minutes_ends_in_what_to_do() {
    for millis in [100, 1_000, 30_000] {
        let script = outage(Code::Unavailable, Duration::from_mins(12));
        let started = Instant::now();
        let mut poller = follow(&script).with_policy(each(Duration::from_millis(millis)));
        let error = poller.until_done().await.unwrap_err();
        let waited = started.elapsed();
        assert!(waited >= Duration::from_mins(10) && waited < Duration::from_secs(632), "{waited:?}");
        let text = error.to_string();
        for part in [NAME, "without an answer", "may go on", "followed again by its name", "UNAVAILABLE"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let Error::Following { outage: Some(outage), .. } = error else { panic!("{error:?}") };
        assert!(outage >= Duration::from_mins(10), "{outage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_overload_is_an_answer_and_starts_the_clock_anew() {
    let start = Instant::now();
    let step = move |now: Instant| match now.saturating_duration_since(start).as_secs() / 60 {
        // Two outages of eight minutes, and overload between them.
        0..=7 | 9..=16 => fail(Code::Unavailable),
        8 => fail(Code::ResourceExhausted),
        _ => answer(succeeded()),
    };
    let script = Script::new([Step::At(Arc::new(step))]);
    let mut poller = follow(&script).with_policy(each(Duration::from_secs(5)));
    assert_eq!(poller.until_done().await.unwrap(), model());
}

#[tokio::test(start_paused = true)]
async fn a_poller_that_asks_seldom_does_not_give_up_at_the_first_failure() {
    let script = Script::new([answer(running("a")), fail(Code::Unavailable), answer(succeeded())]);
    let mut poller = follow(&script).with_policy(each(Duration::from_hours(1)));
    assert_eq!(poller.until_done().await.unwrap(), model());
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_waits_for_its_turn_has_all_its_time_afterwards() {
    let script = Script::new([answer(running("a")), fail(Code::Unavailable), answer(succeeded())]);
    let transport = dial(OperationsServer::new(script.clone()), Credentials::anonymous());
    let builder = Client::builder().with_transport(transport).with_timeout(Duration::from_secs(2));
    let client = builder.with_budget(Some(Budget::per_minute(1))).build().unwrap();
    let started = Instant::now();
    let mut poller: Training = client.poller(NAME).unwrap().with_policy(each(Duration::from_secs(1)));
    assert_eq!(poller.until_done().await.unwrap(), model());
    assert!(started.elapsed() > Duration::from_mins(1), "{:?}", started.elapsed());
    assert_eq!(script.calls(), 3, "none ended unsent");
}

#[tokio::test(start_paused = true)]
async fn what_lasts_is_not_asked_about_in_its_first_seconds() {
    let script = Script::new([answer(running("a"))]);
    follow(&script).wait_for(Duration::from_mins(1)).await.unwrap();
    let gaps = script.gaps();
    assert!(gaps.first().is_some_and(|gap| *gap >= 9.0 && *gap <= 10.5), "{gaps:?}");
    assert!(script.calls() <= 8, "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_metadata_stays_where_a_server_drops_it() {
    let bare = Operation { metadata: None, ..succeeded() };
    let script = Script::new([answer(running("the request")), answer(bare)]);
    let mut poller = follow(&script);
    poller.until_done().await.unwrap();
    let metadata = poller.last().unwrap().metadata().unwrap().unwrap();
    assert_eq!(metadata.request.unwrap().parent, "the request");
}

/// Answers every call with an operation of this name.
fn starts(name: &str) -> Client {
    let message = Operation { name: name.into(), ..Default::default() }.encode_to_vec();
    let service = tower::service_fn(move |_: http::Request<hyper::body::Incoming>| {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let frame = [&[0][..], &length, &message].concat();
        let status = ("grpc-status".parse().unwrap(), "0".parse().unwrap());
        let trailers = std::future::ready(Some(Ok(http::HeaderMap::from_iter([status]))));
        let mut reply =
            http::Response::new(tonic::body::Body::new(Full::from(frame).with_trailers(trailers)));
        reply.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        async move { Ok::<_, Infallible>(reply) }
    });
    client_over(service, Credentials::anonymous())
}

#[tokio::test(start_paused = true)]
async fn an_operation_without_a_proper_name_is_a_broken_contract() {
    for name in
        ["", "operations/1", "projects/p/locations/us/issueModels/1", "projects/p/locations/us/operations/ 1"]
    {
        let client = starts(name);
        let error = client.create_issue_model(CreateIssueModelRequest::default()).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains("CreateIssueModel"), "{error}");
    }
    let started = starts(NAME).create_issue_model(CreateIssueModelRequest::default()).await.unwrap();
    assert_eq!(started.name(), NAME);

    // What a stub of another service answers with may have any name, but not none.
    let script = Script::new([answer(succeeded())]);
    let client = script.client();
    let nameless = Operation::default();
    let mut poller = client.operations().follow::<IssueModel, CreateIssueModelMetadata>(nameless);
    let error = poller.until_done().await.unwrap_err();
    assert!(
        matches!(error, Error::Following { .. }) && error.to_string().contains("no proper name"),
        "{error}"
    );
    assert_eq!(script.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_delay_of_ages_ends_a_call_and_makes_a_poller_wait_the_longest_it_may() {
    for (seconds, nanos) in [(i64::MAX, 999_999_999), (i64::MAX, i32::MAX), (601, 0), (10_000_000_000, 0)] {
        let script = Script::new([retry_info(seconds, nanos), answer(succeeded())]);
        let client = script.client();
        let started = Instant::now();
        let error = client.get_operation(NAME).await.unwrap_err();
        assert_eq!((error.code(), started.elapsed()), (Some(Code::ResourceExhausted), Duration::ZERO));
        assert!(error.retry_after().is_some_and(|delay| delay > Duration::from_mins(10)), "{error}");
        let script = Script::new([retry_info(seconds, nanos), answer(succeeded())]);
        let bounded = script.client().get_operation(NAME).with_timeout(Duration::from_secs(5)).await;
        assert_eq!(bounded.unwrap_err().code(), Some(Code::ResourceExhausted));

        let script = Script::new([retry_info(seconds, nanos), answer(succeeded())]);
        assert!(follow(&script).poll().await.is_err());
        let script = Script::new([retry_info(seconds, nanos), answer(succeeded())]);
        assert_eq!(follow(&script).until_done().await.unwrap(), model());
        assert_eq!(script.gaps(), [600.0]);
    }
}

#[tokio::test(start_paused = true)]
async fn waits_without_end_do_not_overflow() {
    let script = Script::new([answer(running("a")), answer(succeeded())]);
    let mut poller = follow(&script).with_policy(each(Duration::MAX));
    let waited = poller.wait_for(Duration::from_secs(1)).await.unwrap();
    assert!(matches!(waited, Waited::Done(_)), "asked one last time");
    let script = Script::new([answer(running("a")), answer(succeeded())]);
    let waited = follow(&script).wait_for(Duration::MAX).await.unwrap();
    assert_eq!(waited.into_result().unwrap(), Some(model()));
    let script = Script::new([fail(Code::Unavailable), answer(succeeded())]);
    let call = script.client().get_operation(NAME).with_timeout(Duration::MAX);
    assert!(call.await.unwrap().is_done());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_keeps_nobody_beyond_the_deadline() {
    let started = Instant::now();
    let script = Script::new([answer(running("a")), Step::Hang]);
    let waited = follow(&script)
        .with_policy(each(Duration::from_secs(1)))
        .wait_for(Duration::from_secs(10))
        .await
        .unwrap();
    assert!(matches!(waited, Waited::StillRunning { name, .. } if name == NAME));
    assert_eq!((started.elapsed().as_secs(), script.calls()), (15, 3));

    let script = Script::new([Step::Hang]);
    let error = follow(&script)
        .with_policy(each(Duration::from_secs(1)))
        .wait_for(Duration::from_secs(10))
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Following { name, .. } if name == NAME) && error.is_deadline_exceeded());
    assert_eq!((started.elapsed().as_secs(), script.calls()), (30, 2));

    // What hung on its way to the deadline, and answers again there.
    let script = Script::new([Step::Hang, answer(succeeded())]);
    let waited = follow(&script)
        .with_policy(each(Duration::from_secs(1)))
        .wait_for(Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(waited.into_result().unwrap(), Some(model()));
}

#[tokio::test(start_paused = true)]
async fn an_outage_in_which_calls_hang_is_over_in_its_time() {
    let eight = Duration::from_secs(8);
    for (steps, policy, most) in [
        (vec![answer(running("a")), Step::Hang], PollPolicy::default().with_max_outage(eight), 20),
        (vec![Step::Hang], PollPolicy::default().with_max_outage_at_start(eight), 20),
        (vec![Step::Hang], PollPolicy::default().with_max_outage(Duration::ZERO), 14),
        (vec![Step::Hang], PollPolicy::default().with_max_outage(Duration::from_mins(2)), 190),
    ] {
        let script = Script::new(steps);
        let started = Instant::now();
        let policy = policy.with_first_wait(Duration::from_secs(1)).with_max_wait(Duration::from_secs(1));
        let error = follow(&script).with_policy(policy).until_done().await.unwrap_err();
        assert!(matches!(error, Error::Following { outage: Some(_), .. }), "{error}");
        assert!(started.elapsed().as_secs() <= most, "{:?} of {most}", started.elapsed());
    }
}
