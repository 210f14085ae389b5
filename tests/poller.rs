//! Following an operation: pace, faults, ends, and what a dropped future loses (nothing). Time is paused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use std::time::Duration;

use contact_center_insights::any::{UnpackError, pack};
use contact_center_insights::lro::{PollPolicy, Poller, Waited};
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, Issue, IssueModel};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Code, Error, Payload};
use support::{NAME, Script, Step, answer, fail, failed, model, running, succeeded};
use tokio::time::Instant;
use tokio_stream::StreamExt as _;

type Training = Poller<IssueModel, CreateIssueModelMetadata>;

/// With the waits of an operation that is soon over, whatever its kind.
fn follow(script: &Script) -> Training {
    let poller = script.client().poller(NAME).unwrap();
    poller.with_policy(PollPolicy::default().with_first_wait(Duration::from_secs(1)))
}

fn script(steps: impl IntoIterator<Item = Operation>) -> Script {
    Script::new(steps.into_iter().map(answer))
}

#[tokio::test(start_paused = true)]
async fn polls_at_once_then_ever_slower_up_to_thirty_seconds() {
    let script = script([running("a")]);
    let mut poller = follow(&script);
    let started = Instant::now();
    let ten_minutes = Duration::from_mins(10);
    let Waited::StillRunning { name, last, .. } = poller.wait_for(ten_minutes).await.unwrap() else {
        panic!("it never ends");
    };
    assert_eq!((name.as_str(), last.is_done()), (NAME, false));
    assert_eq!(started.elapsed().as_secs(), 600);
    let gaps = script.gaps();
    let growing =
        [1.0, 1.5, 2.25, 3.375, 5.063, 7.594, 11.39, 17.086, 25.629, 30.0].map(|full| (full, 1.0 / 3.0));
    for (gap, (full, least)) in gaps.iter().zip(growing.into_iter().chain([(30.0, 0.9); 10])) {
        assert!((least * full - 0.02..=full + 0.02).contains(gap), "{gap} of {full}: {gaps:?}");
    }
    assert!((28..=34).contains(&script.calls()), "{} calls", script.calls());
}

#[tokio::test(start_paused = true)]
async fn one_fault_on_the_first_poll_changes_nothing() {
    for code in [
        Code::Unavailable,
        Code::Internal,
        Code::Unknown,
        Code::ResourceExhausted,
        Code::DeadlineExceeded,
        Code::Cancelled,
    ] {
        let script = Script::new([fail(code), answer(running("a")), answer(succeeded())]);
        assert_eq!(follow(&script).until_done().await.unwrap(), model(), "{code:?}");
        assert_eq!(script.calls(), 3, "{code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_without_reply_is_given_up_and_made_again() {
    let script = Script::new([Step::Hang, answer(succeeded())]);
    let started = Instant::now();
    assert_eq!(follow(&script).until_done().await.unwrap(), model());
    assert_eq!(script.calls(), 2);
    assert_eq!(started.elapsed().as_secs(), 60, "the attempt's timeout, then a wait under a second");
}

#[tokio::test(start_paused = true)]
async fn an_outage_ends_the_waiting_and_names_the_operation() {
    let script = Script::new([fail(Code::Unavailable)]);
    let policy = PollPolicy::default().with_max_outage(Duration::from_secs(3));
    let mut poller = follow(&script).with_policy(policy);
    let error = poller.until_done().await.unwrap_err();
    assert!((3..=6).contains(&script.calls()), "{}", script.calls());
    assert_eq!(error.operation_name(), Some(NAME));
    assert!(error.to_string().contains(NAME) && error.is_transient());
    assert_eq!(error.code(), Some(Code::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_waiting_cannot_mend_ends_it_at_once() {
    for code in [Code::NotFound, Code::PermissionDenied, Code::InvalidArgument, Code::Unimplemented] {
        let script = Script::new([fail(code)]);
        let error = follow(&script).until_done().await.unwrap_err();
        assert_eq!((error.code(), script.calls()), (Some(code), 1));
        assert!(matches!(error, Error::Following { name, .. } if name == NAME));
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_that_asks_for_patience_gets_it() {
    let delay = prost_types::Duration { seconds: 90, nanos: 0 };
    let info = contact_center_insights::proto::rpc::RetryInfo { retry_delay: Some(delay) };
    let busy = contact_center_insights::Status::new(Code::ResourceExhausted, "slow").with_detail(&info);
    let script = Script::new([Step::Fail(busy.into()), answer(succeeded())]);
    follow(&script).until_done().await.unwrap();
    assert_eq!(script.gaps(), [90.0]);
}

#[tokio::test(start_paused = true)]
async fn every_end_of_an_operation_is_told_apart() {
    let done = |operation| async move {
        let script = script([operation]);
        follow(&script).until_done().await
    };
    assert_eq!(done(succeeded()).await.unwrap(), model());

    let error = done(failed(Code::Aborted)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Operation { name, status, .. } if name == NAME && status.message() == "scripted")
    );
    assert!(error.call().is_none(), "every call went well");

    assert!(
        matches!(done(failed(Code::Cancelled)).await.unwrap_err(), Error::Cancelled { name, .. } if name == NAME)
    );

    let empty = Operation { done: true, ..running("end") };
    assert!(matches!(done(empty).await.unwrap_err(), Error::NoResult { name, .. } if name == NAME));
}

#[tokio::test(start_paused = true)]
async fn metadata_of_another_type_does_not_end_the_waiting() {
    let odd = |operation: Operation| Operation { metadata: Some(pack(&Issue::default())), ..operation };
    let script = script([odd(running("a")), odd(succeeded())]);
    let mut poller = follow(&script);
    assert_eq!(poller.until_done().await.unwrap(), model());
    let metadata = poller.last().unwrap().metadata().unwrap();
    assert!(matches!(metadata, Err(UnpackError::Mismatch { found, .. }) if found.ends_with("v1.Issue")));
}

#[tokio::test(start_paused = true)]
async fn a_response_of_another_type_is_an_error_with_both_names_and_is_not_lost() {
    let script = script([succeeded()]);
    let mut poller: Poller<Issue> = script.client().poller(NAME).unwrap();
    let error = poller.until_done().await.unwrap_err();
    let Error::Response { name, error: cause, .. } = &error else { panic!("{error:?}") };
    let cause = cause.to_string();
    assert!(name == NAME && cause.contains("v1.Issue`") && cause.contains("v1.IssueModel`"), "{cause}");
    let last = poller.last().unwrap().clone().cast::<Payload, Payload>();
    assert!(matches!(last.result(), Some(Ok(Payload::IssueModel(_)))));
}

#[tokio::test(start_paused = true)]
async fn a_finished_operation_is_not_asked_about_again() {
    let script = script([succeeded()]);
    let mut poller = follow(&script);
    for _ in 0..3 {
        assert!(poller.poll().await.unwrap().is_done());
        poller.until_done().await.unwrap();
    }
    assert_eq!(script.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_it_is_asked_about_one_last_time() {
    let script = script([running("a"), running("b"), succeeded()]);
    let mut poller = follow(&script);
    // Polls at 0 and about 1 s; the third would be due after 2.25 s.
    let waited = poller.wait_for(Duration::from_millis(1500)).await.unwrap();
    assert!(matches!(waited, Waited::Done(operation) if operation.is_done()));
    assert_eq!(script.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_fault_at_the_deadline_does_not_undo_what_is_known() {
    let script = Script::new([answer(running("a")), fail(Code::Unavailable)]);
    let waited = follow(&script).wait_for(Duration::from_millis(500)).await.unwrap();
    assert!(matches!(waited, Waited::StillRunning { name, .. } if name == NAME));
}

#[tokio::test(start_paused = true)]
async fn cancelling_then_waiting_tells_how_it_ended() {
    let cancelled = script([failed(Code::Cancelled)]);
    let error = follow(&cancelled).cancel_and_wait().await.unwrap_err();
    assert!(matches!(error, Error::Cancelled { .. }));
    assert_eq!(cancelled.cancelled(), [NAME]);

    let succeeded_all_the_same = script([succeeded()]);
    assert_eq!(follow(&succeeded_all_the_same).cancel_and_wait().await.unwrap(), model());
}

#[tokio::test(start_paused = true)]
async fn dropping_a_poller_cancels_nothing() {
    let script = script([running("a")]);
    let mut poller = follow(&script);
    poller.poll().await.unwrap();
    drop(poller);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(script.cancelled().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stream_yields_on_change_and_polls_no_more_than_the_policy_says() {
    let steps = ["a", "a", "a", "b", "b"].map(running);
    let script = script(steps.into_iter().chain([succeeded()]));
    let mut stream = follow(&script).into_stream();
    let mut notes = Vec::new();
    while let Some(operation) = stream.next().await {
        let request = operation.unwrap().metadata().unwrap().unwrap().request.unwrap();
        notes.push(request.parent);
    }
    assert_eq!(notes, ["a", "b", "end"]);
    assert_eq!(script.calls(), 6);
    assert!(script.gaps().iter().all(|gap| *gap >= 0.33), "{:?}", script.gaps());
    for _ in 0..3 {
        assert!(stream.next().await.is_none(), "fused");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_an_error() {
    let script = Script::new([answer(running("a")), fail(Code::NotFound)]);
    let mut stream = follow(&script).into_stream();
    assert!(stream.next().await.unwrap().is_ok());
    assert!(stream.next().await.unwrap().is_err());
    assert!(stream.next().await.is_none());
}

/// Dropped a thousand times while it waits, the poller makes neither more nor fewer polls, nor later ones.
#[tokio::test(start_paused = true)]
async fn a_dropped_wait_loses_neither_result_nor_time() {
    let script = script([running("a"), running("b"), running("c"), succeeded()]);
    let mut poller = follow(&script);
    let mut dropped = 0;
    let result = loop {
        tokio::select! {
            biased;
            result = poller.until_done() => break result,
            () = tokio::time::sleep(Duration::from_millis(1)) => dropped += 1,
        }
    };
    assert_eq!(result.unwrap(), model());
    assert!(dropped > 1000, "{dropped}");
    assert_eq!(script.calls(), 4);
    assert_eq!(script.gaps(), undisturbed().await);
}

/// The waits of a poller that nobody drops.
async fn undisturbed() -> Vec<f64> {
    let script = script([running("a"), running("b"), running("c"), succeeded()]);
    follow(&script).until_done().await.unwrap();
    script.gaps()
}

/// The same for the other ways to wait: each is dropped a thousand times, and each asks four times in all, in time.
#[tokio::test(start_paused = true)]
async fn no_way_of_waiting_loses_anything_when_dropped() {
    async fn nag() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let gaps = undisturbed().await;
    let steps = || script([running("a"), running("b"), running("c"), succeeded()]);
    let is_whole = |script: &Script, dropped: u32| {
        assert!(dropped > 1000, "{dropped}");
        assert_eq!(script.gaps(), gaps, "waits were started over, or polls were lost");
    };

    let script = steps();
    let (mut poller, mut dropped) = (follow(&script), 0);
    while !poller.last().is_some_and(contact_center_insights::Operation::is_done) {
        tokio::select! { biased; result = poller.poll() => drop(result.unwrap()), () = nag() => dropped += 1 }
    }
    is_whole(&script, dropped);

    let script = steps();
    let (mut poller, mut dropped) = (follow(&script), 0);
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        tokio::select! {
            biased;
            waited = poller.wait_until(deadline) => {
                assert!(matches!(waited.unwrap(), Waited::Done(_)));
                break;
            }
            () = nag() => dropped += 1,
        }
    }
    is_whole(&script, dropped);

    let script = steps();
    let (mut stream, mut dropped, mut shown) = (follow(&script).into_stream(), 0, 0);
    loop {
        tokio::select! {
            biased;
            next = stream.next() => match next {
                Some(operation) => { operation.unwrap(); shown += 1 }
                None => break,
            },
            () = nag() => dropped += 1,
        }
    }
    assert_eq!(shown, 4);
    is_whole(&script, dropped);

    let script = steps();
    let (mut poller, mut dropped) = (follow(&script), 0);
    poller.poll().await.unwrap();
    poller.cancel().await.unwrap();
    let mut waiting = Box::pin(poller.into_future());
    loop {
        tokio::select! { biased; result = &mut waiting => { result.unwrap(); break }, () = nag() => dropped += 1 }
    }
    assert!(dropped > 1000, "{dropped}");
    let with_cancel = [&[0.0], gaps.as_slice()].concat();
    assert_eq!(script.gaps(), with_cancel, "the request to cancel changes no wait");
}

#[tokio::test(start_paused = true)]
async fn without_types_any_operation_can_be_followed() {
    let unknown = prost_types::Any { type_url: "type.googleapis.com/a.B".into(), value: vec![1, 2] };
    let operation = Operation {
        done: true,
        result: Some(contact_center_insights::proto::longrunning::operation::Result::Response(
            unknown.clone(),
        )),
        ..running("end")
    };
    let script = script([operation]);
    let payload = script.client().poller::<Payload, Payload>(NAME).unwrap().await.unwrap();
    assert_eq!(payload, Payload::Unknown(unknown));
}

#[tokio::test(start_paused = true)]
async fn a_malformed_name_is_refused_before_anything_is_sent() {
    let script = script([succeeded()]);
    let client = script.client();
    for name in ["", "operations/1", "projects/p/locations/us/operations/"] {
        for error in [
            client.get_operation(name).await.unwrap_err(),
            client.cancel_operation(name).await.unwrap_err(),
            client.poller::<Payload, Payload>(name).unwrap_err(),
        ] {
            assert!(matches!(&error, Error::Name(_)) && error.to_string().contains(name), "{error:?}");
        }
    }
    assert_eq!(script.calls(), 0);
}
