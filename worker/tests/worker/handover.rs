//! What handlers get, and what becomes of results that they do not take.

use std::time::Duration;

use contact_center_insights::proto::insights::{CreateIssueModelMetadata, Issue, IssueModel};
use contact_center_insights::proto::longrunning::{Operation, operation};
use contact_center_insights::proto::rpc;
use contact_center_insights::{Handle, Payload};
use contact_center_insights_worker::{BoxError, Delivery, Error, Registration, State, Store as _};
use prost_types::Any;

use super::support::api;
use super::{Shared, Stage, run, until};

type Training = Delivery<IssueModel, CreateIssueModelMetadata>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_results_go_to_their_handler_and_all_others_to_the_last() {
    let stage = Stage::new().await;
    api::end(&stage.emulator, 1);
    let failed = Operation {
        name: api::name(2),
        done: true,
        result: Some(operation::Result::Error(rpc::Status {
            code: 10,
            message: "no".into(),
            ..Default::default()
        })),
        ..Default::default()
    };
    stage.emulator.put_operation(failed).unwrap();
    let unknown = Any { type_url: "type.googleapis.com/a.Future".into(), value: vec![255, 1, 2] };
    let odd = operation::Result::Response(unknown.clone());
    stage
        .emulator
        .put_operation(Operation { name: api::name(3), done: true, result: Some(odd), ..Default::default() })
        .unwrap();
    let (models, others) = (Shared::<Vec<String>>::default(), Shared::<Vec<(String, String)>>::default());
    let (typed, rest) = (models.clone(), others.clone());
    let worker = stage
        .builder()
        .on(move |delivery: Training| {
            typed.lock().unwrap().push(delivery.result().unwrap().display_name);
            async { Ok::<_, BoxError>(()) }
        })
        .on(move |delivery: Delivery| {
            let result = match delivery.result() {
                Ok(Payload::Unknown(any)) => format!("{} {:?}", any.type_url, any.value),
                Ok(other) => format!("{other:?}"),
                Err(error) => error.to_string(),
            };
            rest.lock().unwrap().push((delivery.key.to_string(), result));
            async { Ok::<_, BoxError>(()) }
        })
        .build();
    // 4 is not there at all.
    worker.register((1..=4).map(|number| Registration::new(api::name(number)))).await.unwrap();
    run(&worker, until(async || stage.count(State::Handed).await == 4)).await;
    assert_eq!(*models.lock().unwrap(), ["model 1"]);
    let mut others = others.lock().unwrap().clone();
    others.sort();
    // Answers have the project's number.
    assert!(others[0].1.ends_with("/operations/2` ended with ABORTED: no"), "{}", others[0].1);
    assert_eq!(others[1].1, "type.googleapis.com/a.Future [255, 1, 2]");
    assert!(others[2].1.contains("is lost") && others[2].1.contains("NOT_FOUND"), "{}", others[2].1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_tried_again_then_buried_and_others_go_on() {
    let stage = Stage::new().await;
    for number in 0..40 {
        api::end(&stage.emulator, number);
    }
    // Of an unknown type, and as large as a reply can be.
    let large = Any { type_url: "type.googleapis.com/a.Future".into(), value: vec![7; 60 << 20] };
    let result = Some(operation::Result::Response(large));
    let poison = Operation { name: api::name(40), done: true, result, ..Default::default() };
    stage.emulator.put_operation(poison).unwrap();
    let tries = Shared::<Vec<(String, u32)>>::default();
    let seen = tries.clone();
    let worker = stage
        .builder()
        .with_tries(3)
        .with_handler_timeout(Duration::from_millis(200))
        .on(move |delivery: Delivery| {
            seen.lock().unwrap().push((delivery.key.to_string(), delivery.tries));
            async move {
                match delivery.key.as_str().rsplit('/').next().unwrap() {
                    "38" => panic!("on purpose"),
                    "39" => std::future::pending().await,
                    "40" => Err("too much".into()),
                    "7" if delivery.tries < 2 => Err("not yet".into()),
                    _ => Ok::<_, BoxError>(()),
                }
            }
        })
        .build();
    worker.register((0..=40).map(|number| Registration::new(api::name(number)))).await.unwrap();
    run(
        &worker,
        until(async || stage.count(State::Buried).await == 3 && stage.count(State::Handed).await == 38),
    )
    .await;
    let buried = stage.store.list(Some(State::Buried), None, 10).await.unwrap();
    let reasons: Vec<_> = buried.iter().map(|of| (of.tries, of.reason.clone().unwrap())).collect();
    assert_eq!(reasons[0], (3, "the handler panicked".into()));
    assert_eq!(reasons[1], (3, "the handler took longer than 200ms".into()));
    assert_eq!(reasons[2], (3, "too much".into()));
    let of = |number: usize| {
        let tries = tries.lock().unwrap();
        tries.iter().filter(|(key, _)| *key == api::name(number)).map(|(_, tries)| *tries).collect::<Vec<_>>()
    };
    assert_eq!((of(7), of(40), of(1)), (vec![0, 1, 2], vec![0, 1, 2], vec![0]));
    // Nothing more is in the way of the next.
    assert_eq!(stage.store.backlog(10).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_than_sixteen_are_in_hand() {
    let stage = Stage::new().await;
    for number in 0..100 {
        api::end(&stage.emulator, number);
    }
    let most = Shared::<(usize, usize)>::default();
    let counter = most.clone();
    let worker = stage
        .builder()
        .on(move |_: Delivery| {
            let counter = counter.clone();
            async move {
                {
                    let mut counter = counter.lock().unwrap();
                    counter.0 += 1;
                    counter.1 = counter.1.max(counter.0);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
                counter.lock().unwrap().0 -= 1;
                Ok::<_, BoxError>(())
            }
        })
        .build();
    worker.register((0..100).map(|number| Registration::new(api::name(number)))).await.unwrap();
    run(&worker, until(async || stage.count(State::Handed).await == 100)).await;
    let most = most.lock().unwrap().1;
    assert!((5..=16).contains(&most), "{most}");
}

#[tokio::test]
async fn a_result_that_no_handler_takes_waits_for_one() {
    let stage = Stage::new().await;
    api::end(&stage.emulator, 1);
    let worker = stage
        .builder()
        .with_tries(2)
        .on(|_: Delivery<Issue, CreateIssueModelMetadata>| async { Ok::<_, BoxError>(()) })
        .build();
    worker.register([Registration::new(api::name(1))]).await.unwrap();
    run(&worker, until(async || stage.count(State::Buried).await == 1)).await;
    let reason = stage.store.list(Some(State::Buried), None, 1).await.unwrap()[0].reason.clone().unwrap();
    assert!(
        reason.starts_with("no handler takes `google.cloud.contactcenterinsights.v1.IssueModel`"),
        "{reason}"
    );
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused_before_anything_is_written() {
    let stage = Stage::new().await;
    let worker = stage.builder().build();
    let names = [Registration::new(api::name(1)), Registration::new("not a name")];
    assert!(matches!(worker.register(names).await, Err(Error::Api(_))));
    assert_eq!(stage.count(State::Pending).await, 0);
    assert!(matches!(worker.run(std::future::ready(())).await, Err(Error::Config(_))), "it has no handler");
    // Written into the store by others all the same, it is handed over as lost, and holds nothing up.
    stage
        .store
        .register(vec![Registration::new(Handle::from("not a name")), Registration::new(api::name(1))])
        .await
        .unwrap();
    api::end(&stage.emulator, 1);
    let worker = stage.builder().on(|_: Delivery| async { Ok::<_, BoxError>(()) }).build();
    run(&worker, until(async || stage.count(State::Handed).await == 2)).await;
}
