use std::time::{Duration, UNIX_EPOCH};

use contact_center_insights::proto::rpc;
use proptest::prelude::*;
use prost::Message;
use prost_types::Any;

use super::*;

type World = Vec<String>;

impl FollowUps for World {}

const L: &str = "projects/p/locations/l";

/// Writes down what happens to it; its metadata is its progress in percent.
#[derive(Clone, PartialEq, Message)]
struct Diary {
    #[prost(bool, tag = "1")]
    refuses: bool,
    #[prost(bool, tag = "2")]
    fails: bool,
    /// Written down before each event.
    #[prost(string, tag = "3")]
    tag: String,
}

impl Job<World> for Diary {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        if self.refuses {
            return Err(errors::not_found("thing", "t"));
        }
        world.push(format!("{}begin", self.tag));
        Ok(())
    }

    fn metadata(&self, moment: &Moment) -> Any {
        Any {
            type_url: format!("{:?}", moment.end_time.is_some()),
            value: vec![u8::try_from(moment.share(100)).unwrap()],
        }
    }

    fn complete(&mut self, world: &mut World, _now: SystemTime) -> Result<Any, Status> {
        if self.fails {
            return Err(errors::not_found("thing", "t"));
        }
        world.push(format!("{}complete", self.tag));
        Ok(Any { type_url: "response".into(), value: Vec::new() })
    }

    fn undo(&mut self, world: &mut World, _now: SystemTime) {
        world.push(format!("{}undo", self.tag));
    }
}

fn start(target: &str, profile: &str) -> Start<World> {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let id = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Start {
        name: format!("{L}/operations/{id}"),
        method: "CreateIssueModel",
        claims: vec![Claim::on(target)],
        profile: profile.parse().unwrap(),
        job: Box::new(Diary::default()),
    }
}

/// Ends what is due, in order.
fn advance(engine: &mut Engine<World>, world: &mut World, now: SystemTime) {
    while let Some((due, name)) = engine.next_due(None).filter(|((at, _), _)| *at <= now) {
        let name = Arc::clone(name);
        engine.end_due(world, due, &name);
    }
}

fn list(engine: &Engine<World>, now: u64) -> Vec<Operation> {
    engine.list(L).values().map(|entry| entry.at(at(now))).collect()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn percent(operation: &Operation) -> u8 {
    operation.metadata.as_ref().unwrap().value[0]
}

fn error(operation: &Operation) -> rpc::Status {
    match operation.result.clone() {
        Some(Outcome::Error(status)) => status,
        other => panic!("{other:?}"),
    }
}

#[test]
fn immediate_is_done_at_the_start() {
    for profile in ["immediate", "polls:0", "time:0s"] {
        let (mut engine, mut world) = (Engine::default(), World::new());
        let operation = engine.start(&mut world, start("t", profile), at(0)).unwrap();
        assert!(operation.done && matches!(operation.result, Some(Outcome::Response(_))), "{profile}");
        assert_eq!(world, ["begin", "complete"]);
        assert_eq!(engine.poll(&mut world, &operation.name, at(1)).unwrap(), operation);
    }
}

#[test]
fn polls_are_counted_and_lists_are_not() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let name = engine.start(&mut world, start("t", "polls:4"), at(0)).unwrap().name;
    let mut seen = Vec::new();
    for poll in 0..5 {
        assert_eq!(list(&engine, 0).len(), 1);
        let operation = engine.poll(&mut world, &name, at(poll)).unwrap();
        seen.push((percent(&operation), operation.done));
    }
    assert_eq!(seen, [(25, false), (50, false), (75, false), (100, true), (100, true)]);
    assert_eq!(world, ["begin", "complete"]);
}

#[test]
fn time_passes_on_the_clock_alone() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let name = engine.start(&mut world, start("t", "time:100s"), at(1000)).unwrap().name;
    for (now, wanted) in [(900, 0), (1000, 0), (1009, 0), (1010, 10), (1060, 60), (1099, 99)] {
        advance(&mut engine, &mut world, at(now));
        let operation = engine.poll(&mut world, &name, at(now)).unwrap();
        assert_eq!((percent(&operation), operation.done), (wanted, false), "{now}");
    }
    advance(&mut engine, &mut world, at(1100));
    assert!(engine.poll(&mut world, &name, at(1100)).unwrap().done);
}

#[test]
fn what_is_due_ends_in_order_of_due_time() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    for (tag, profile) in
        [("slow ", "time:9s"), ("fast ", "time:3s"), ("slow too ", "time:9s"), ("never ", "time:99s")]
    {
        let job = Diary { tag: tag.into(), ..Diary::default() };
        engine.start(&mut world, Start { job: Box::new(job), ..start(tag, profile) }, at(0)).unwrap();
    }
    world.clear();
    advance(&mut engine, &mut world, at(50));
    assert_eq!(world, ["fast complete", "slow complete", "slow too complete"]);
    assert_eq!(list(&engine, 50).iter().filter(|operation| operation.done).count(), 3);
}

#[test]
fn r04_what_prevents_the_start_is_the_error_of_the_call() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let refused =
        Start { job: Box::new(Diary { refuses: true, ..Diary::default() }), ..start("t", "polls:1") };
    assert_eq!(engine.start(&mut world, refused, at(0)).unwrap_err().code(), Code::NotFound);
    assert_eq!(list(&engine, 0).len(), 0);
    assert!(world.is_empty());
}

#[test]
fn r04_what_goes_wrong_later_is_the_error_of_the_operation() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let fails = Start { job: Box::new(Diary { fails: true, ..Diary::default() }), ..start("t", "immediate") };
    let operation = engine.start(&mut world, fails, at(0)).unwrap();
    assert_eq!(error(&operation).code, Code::NotFound as i32);
    let scripted =
        engine.start(&mut world, start("t", "immediate,fail=RESOURCE_EXHAUSTED:no room"), at(0)).unwrap();
    let status = Status::from(error(&scripted));
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "no room"));
    assert_eq!(status.detail::<rpc::ErrorInfo>().unwrap().reason, "SCRIPTED_FAILURE");
    assert_eq!(world, ["begin", "undo", "begin", "undo"]);
}

#[test]
fn r06_a_second_operation_on_the_same_thing_is_aborted() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let first = engine.start(&mut world, start("t", "polls:1"), at(0)).unwrap();
    let error = engine.start(&mut world, start("t", "polls:1"), at(0)).unwrap_err();
    assert_eq!(error.code(), Code::Aborted);
    assert!(error.message().contains(&first.name));
    engine.start(&mut world, start("other", "polls:1"), at(0)).unwrap();
    engine.poll(&mut world, &first.name, at(0)).unwrap();
    engine.start(&mut world, start("t", "polls:1"), at(0)).unwrap();
}

#[test]
fn r07_cancelled_operations_stay_and_have_ended_as_cancelled() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let name = engine.start(&mut world, start("t", "polls:9"), at(0)).unwrap().name;
    engine.cancel(&mut world, &name, at(1)).unwrap();
    let operation = engine.poll(&mut world, &name, at(2)).unwrap();
    assert!(operation.done);
    assert_eq!(error(&operation).code, 1);
    assert_eq!(world, ["begin", "undo"]);
    assert_eq!(engine.cancel(&mut world, "projects/p/locations/l/operations/0", at(1)), None);
}

#[test]
fn r08_cancelling_what_has_ended_changes_nothing() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let done = engine.start(&mut world, start("t", "immediate"), at(0)).unwrap();
    engine.cancel(&mut world, &done.name, at(1)).unwrap();
    assert_eq!(engine.poll(&mut world, &done.name, at(2)).unwrap(), done);
}

#[test]
fn placed_operations_stay_as_they_are_until_cancelled() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let name = "projects/p/locations/l/operations/OPERATION_ID";
    let placed = Operation { name: name.into(), ..Operation::default() };
    engine.place(placed.clone());
    advance(&mut engine, &mut world, at(9_999_999));
    assert_eq!(engine.poll(&mut world, name, at(0)).unwrap(), placed);
    engine.cancel(&mut world, name, at(0)).unwrap();
    assert_eq!(error(&engine.poll(&mut world, name, at(0)).unwrap()).code, 1);
}

#[test]
fn one_operation_at_a_time_may_do_what_has_a_limit() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let claims = |target: &str| vec![Claim::on(target), Claim::only_one(running::ONLY_ONE[0], L)];
    let first =
        engine.start(&mut world, Start { claims: claims("a"), ..start("a", "polls:9") }, at(0)).unwrap();
    let error =
        engine.start(&mut world, Start { claims: claims("b"), ..start("b", "polls:9") }, at(0)).unwrap_err();
    assert!(error.message().contains("training an issue model in `projects/p/locations/l`"), "{error}");
    engine.cancel(&mut world, &first.name, at(0)).unwrap();
    engine.start(&mut world, Start { claims: claims("b"), ..start("b", "polls:9") }, at(0)).unwrap();
}

#[test]
fn what_is_written_down_goes_on_where_it_was() {
    let (mut engine, mut again, mut world) = (Engine::default(), Engine::default(), World::new());
    engine.record();
    let name = engine.start(&mut world, start("t", "polls:3"), at(5)).unwrap().name;
    let timed = engine.start(&mut world, start("u", "time:9s,fail=ABORTED"), at(6)).unwrap().name;
    engine.place(Operation { name: format!("{L}/operations/placed"), ..Operation::default() });
    engine.poll(&mut world, &name, at(7));
    for changed in engine.take_changes() {
        let saved = Saved::decode(engine.save(&changed).unwrap().encode_to_vec().as_slice()).unwrap();
        let job = |_: &str, bytes: &[u8]| {
            Some(("CreateIssueModel", Box::new(Diary::decode(bytes).unwrap()) as Box<dyn Job<World>>))
        };
        again.restore(&saved, job).unwrap();
    }
    assert_eq!(list(&again, 8), list(&engine, 8));
    assert_eq!(again.start(&mut world, start("t", "polls:1"), at(8)).unwrap_err().code(), Code::Aborted);
    for engine in [&mut engine, &mut again] {
        advance(engine, &mut world, at(15));
        engine.poll(&mut world, &name, at(15));
        assert!(engine.poll(&mut world, &name, at(15)).unwrap().done);
        assert_eq!(error(&engine.poll(&mut world, &timed, at(15)).unwrap()).code, Code::Aborted as i32);
    }
    assert!(engine.take_changes().len() >= 2);
}

#[test]
fn a_snapshot_of_a_location_stays_as_it_was() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let name = engine.start(&mut world, start("t", "polls:1"), at(0)).unwrap().name;
    let before = engine.list(L);
    engine.poll(&mut world, &name, at(0));
    assert!(!before.values().next().unwrap().at(at(0)).done && list(&engine, 0)[0].done);
    assert_eq!(engine.complete(&mut world, &name, at(0)), Some(false));
}

#[test]
fn a_cleared_project_has_no_operations_and_no_claims() {
    let (mut engine, mut world) = (Engine::default(), World::new());
    let name = engine.start(&mut world, start("t", "time:5s"), at(0)).unwrap().name;
    engine.place(Operation { name: "projects/q/locations/l/operations/1".into(), ..Operation::default() });
    engine.clear(Some("p"));
    assert!(engine.look(&name).is_none() && engine.look("projects/q/locations/l/operations/1").is_some());
    advance(&mut engine, &mut world, at(9));
    assert_eq!(world, ["begin"]);
    assert!(engine.start(&mut world, start("t", "time:5s"), at(0)).is_ok());
    engine.clear(None);
    assert!(engine.look("projects/q/locations/l/operations/1").is_none());
}

#[derive(Clone, Debug)]
enum Step {
    Get,
    Cancel,
    Advance(u64),
}

proptest! {
    #[test]
    fn r02_done_means_exactly_one_result_and_running_none(
        profile in prop_oneof![
            Just("immediate"), Just("polls:3"), Just("time:5s"), Just("polls:2,fail=ABORTED"), Just("time:4s,fail=INTERNAL"),
        ],
        steps in prop::collection::vec(
            prop_oneof![3 => Just(Step::Get), 1 => Just(Step::Cancel), 2 => (0u64..4).prop_map(Step::Advance)], 0..12,
        ),
    ) {
        let (mut engine, mut world) = (Engine::default(), World::new());
        let mut now = 0;
        let mut last = engine.start(&mut world, start("t", profile), at(now)).unwrap();
        for step in steps {
            match step {
                Step::Get => {}
                Step::Cancel => engine.cancel(&mut world, &last.name, at(now)).unwrap(),
                Step::Advance(by) => now += by,
            }
            advance(&mut engine, &mut world, at(now));
            let next = if matches!(step, Step::Get) {
                engine.poll(&mut world, &last.name, at(now)).unwrap()
            } else {
                list(&engine, now).remove(0)
            };
            prop_assert_eq!(next.done, next.result.is_some());
            prop_assert!(percent(&next) >= percent(&last));
            if last.done {
                prop_assert_eq!(&next, &last);
            }
            last = next;
        }
        let ends = world.iter().filter(|word| *word != "begin").count();
        prop_assert_eq!(ends, usize::from(last.done));
    }
}
