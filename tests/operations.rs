//! Operations of any service over a transport: names, types and policies of the caller's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use std::time::Duration;

use contact_center_insights::any::pack;
use contact_center_insights::call::{CallSettings, Caller, Method, RetryPolicy, Routing};
use contact_center_insights::lro::{Operations, PollPolicy, Poller};
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::{GetOperationRequest, Operation};
use contact_center_insights::{Code, Error, Payload};
use support::{Script, answer, fail, model, succeeded};

/// A name that Contact Center AI Insights would not give.
const OTHER: &str = "recordings/7/operations/transcode";
const GET: Method = Method::new("/google.longrunning.Operations/GetOperation", true);

fn running() -> Operation {
    Operation { name: OTHER.into(), ..Default::default() }
}

fn done() -> Operation {
    Operation { done: true, result: Some(Outcome::Response(pack(&model()))), ..running() }
}

fn operations(script: &Script, defaults: CallSettings) -> Operations {
    Operations::new(Caller::new(script.client().transport().clone(), defaults))
}

fn every_two_seconds() -> PollPolicy {
    PollPolicy::default().with_first_wait(Duration::from_secs(2)).with_max_wait(Duration::from_secs(2))
}

/// The shortest and the longest time between polls, in seconds.
fn span(script: &Script) -> (f64, f64) {
    script.gaps().into_iter().fold((f64::MAX, 0.0), |(least, most), gap| (gap.min(least), gap.max(most)))
}

#[tokio::test(start_paused = true)]
async fn an_operation_of_any_name_is_followed_by_the_policy_of_its_operations() {
    type Followed = Poller<IssueModel, CreateIssueModelMetadata>;
    let ways: [fn(&Operations) -> Followed; 3] = [
        |operations| operations.poller(OTHER).unwrap(),
        |operations| operations.follow(running()),
        |operations| {
            let handle = operations.poller::<IssueModel, CreateIssueModelMetadata>(OTHER).unwrap().handle();
            operations.resume(handle).unwrap()
        },
    ];
    for way in ways {
        let script = Script::new([answer(running()), answer(running()), answer(running()), answer(done())]);
        let operations = operations(&script, CallSettings::default()).with_policy(every_two_seconds());
        let mut poller = way(&operations);
        assert_eq!(poller.name(), OTHER);
        assert_eq!(poller.until_done().await.unwrap(), model());
        let (least, most) = span(&script);
        assert!(least > 0.6 && most <= 2.0 && most > 1.5, "waits from {least} to {most} s");
        assert_eq!(script.calls(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_call_answered_with_counts_as_a_poll() {
    let script = Script::new([answer(done())]);
    let operations = operations(&script, CallSettings::default()).with_policy(every_two_seconds());
    let before = tokio::time::Instant::now();
    operations.follow::<IssueModel, Payload>(running()).until_done().await.unwrap();
    assert!(before.elapsed() > Duration::from_millis(600), "a wait comes before the next");

    let finished = operations.follow::<IssueModel, Payload>(done()).until_done().await;
    assert_eq!((finished.unwrap(), script.calls()), (model(), 1));
}

#[tokio::test(start_paused = true)]
async fn what_can_be_no_name_is_refused_before_anything_is_sent() {
    let script = Script::new([answer(done())]);
    let operations = operations(&script, CallSettings::default());
    for bad in ["", "operations/a b", "operations/\n"] {
        let refused = [
            operations.get::<Payload, Payload>(bad).await.err(),
            operations.cancel(bad).await.err(),
            operations.poller::<Payload, Payload>(bad).err(),
        ];
        for error in refused {
            assert!(matches!(&error, Some(Error::Name(_))), "{bad:?}: {error:?}");
        }
    }
    assert_eq!(script.calls(), 0);
    operations.get::<Payload, Payload>("transcode-7").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_method_of_ones_own_have_the_settings_of_their_caller() {
    let script = Script::new([fail(Code::Unavailable), answer(succeeded())]);
    let transport = script.client().transport().clone();
    let request = GetOperationRequest { name: OTHER.into() };
    let routing = || Routing::new(&[("name", OTHER)]);

    let once = Caller::new(transport.clone(), CallSettings::default().with_retry(RetryPolicy::never()));
    let error = once.call::<Operation>(&GET, routing(), &request).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unavailable));
    assert_eq!(
        (error.call().unwrap().method(), script.calls()),
        ("google.longrunning.Operations/GetOperation", 1)
    );

    let patient = Caller::from(transport);
    let operation = patient.call::<Operation>(&GET, routing(), &request).await.unwrap();
    assert!(operation.done);
    for seen in script.seen() {
        assert_eq!(
            seen.headers.get("x-goog-request-params").unwrap(),
            "name=recordings%2F7%2Foperations%2Ftranscode"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_offers_the_operations_of_others_behind_its_transport() {
    let script = Script::new([answer(done())]);
    let client = script.client();
    let followed = client.operations().follow::<IssueModel, Payload>(running());
    assert_eq!(followed.await.unwrap(), model());
    assert!(
        matches!(client.poller::<Payload, Payload>(OTHER), Err(Error::Name(_))),
        "its own methods take its own names"
    );
}
