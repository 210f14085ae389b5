//! What one caller's dear calls cost the others: nothing but the processor.

use std::time::Duration;

use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::{
    Analysis, Conversation, CreateAnalysisRequest, CreateConversationRequest, ListConversationsRequest,
    ListConversationsResponse,
};
use contact_center_insights::proto::longrunning::{GetOperationRequest, Operation};
use prost::Message;

use super::*;
use crate::clock::SystemClock;
use crate::store::Change;

/// A service in whose location operations take long, with the conversation `large` in it.
fn large(profile: &str, clock: impl Clock + 'static) -> Service {
    let profiles = Profiles { all: profile.parse().unwrap(), by_method: BTreeMap::new() };
    let mut world = World::new(Settings { profiles, ..Settings::default() });
    let segment = TranscriptSegment { text: "I hate order 4711. ".repeat(400), ..Default::default() };
    let transcript = Transcript { transcript_segments: vec![segment; 40] };
    let name = format!("{L}/conversations/large");
    world
        .store
        .insert(&Conversation { name, transcript: Some(transcript), ..Conversation::default() })
        .unwrap();
    Service::new(State { world, ..State::default() }, Arc::new(clock))
}

pub(super) fn begin(service: &Service, method: &str, request: &impl Message) -> Dispatched {
    let service_name = if method.ends_with("Operation") { OPERATIONS } else { INSIGHTS };
    service.begin(&format!("{service_name}/{method}"), request.encode_to_vec().into(), &RestOnly::default())
}

pub(super) fn done(dispatched: Dispatched) -> Answer {
    match dispatched {
        Dispatched::Done(answer) => answer,
        Dispatched::Long(_) => panic!("takes long"),
    }
}

pub(super) fn long(dispatched: Dispatched) -> Box<dyn FnOnce() -> Answer + Send> {
    match dispatched {
        Dispatched::Done(answer) => panic!("is done: {answer:?}"),
        Dispatched::Long(act) => act,
    }
}

fn analyse() -> CreateAnalysisRequest {
    CreateAnalysisRequest { parent: format!("{L}/conversations/large"), analysis: Some(Analysis::default()) }
}

fn get(service: &Service, name: &str) -> Dispatched {
    begin(service, "GetOperation", &GetOperationRequest { name: name.to_owned() })
}

fn operation(answer: Answer) -> Operation {
    Operation::decode(&*answer.unwrap()).unwrap()
}

#[test]
fn what_takes_long_is_not_done_where_others_wait() {
    let service = large("immediate", ManualClock::default());
    let act = long(begin(&service, "CreateAnalysis", &analyse()));
    // Nothing has happened, and whoever calls is answered.
    assert_eq!(get(&service, &format!("{L}/operations/1")).code(), Code::NotFound);
    let analysed = operation(act());
    assert!(analysed.done, "{analysed:?}");
    assert!(operation(done(get(&service, &analysed.name))).done);
    assert_eq!(service.0.lock().state.world.store.weight("projects/7/locations/elsewhere"), 0);
}

impl Dispatched {
    fn code(self) -> Code {
        done(self).map_or_else(|status| status.code(), |_| Code::Ok)
    }
}

#[test]
fn a_large_request_is_not_even_read_where_others_wait() {
    let service = service(Profile::immediate());
    let conversation = Conversation { metadata_json: "x".repeat(2 * LARGE), ..Conversation::default() };
    let request = CreateConversationRequest {
        parent: L.into(),
        conversation: Some(conversation),
        ..CreateConversationRequest::default()
    };
    long(begin(&service, "CreateConversation", &request))().unwrap();
    // Nor one that is not of its type.
    let torn = service.begin(
        &format!("{INSIGHTS}/CreateConversation"),
        vec![0xff; 2 * LARGE].into(),
        &RestOnly::default(),
    );
    assert_eq!(long(torn)().unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn a_large_body_is_not_read_where_others_wait() {
    let pipeline = Pipeline::of(service(Profile::default()), ManualClock::default());
    let (path, headers) = (format!("/v1/{L}/conversations"), HeaderMap::new());
    for (labels, is_apart) in [(1, false), (10_000, true)] {
        let body = format!("{{\"labels\": {{{}]", "\"a\": \"value\", ".repeat(labels));
        let call =
            rest::RestRequest { verb: "POST", path: &path, query: "", headers: &headers, body: body.into() };
        let mut record = pipeline.begin(Transport::Rest, &path, &headers, None);
        Runtime::new().unwrap().block_on(async {
            let mut answer = std::pin::pin!(rest::answer(&mut record, call));
            let occupied = pipeline.apart.occupied();
            let at_once = std::future::poll_fn(|cx| std::task::Poll::Ready(answer.as_mut().poll(cx))).await;
            assert_eq!(at_once.is_pending(), is_apart, "{labels}");
            drop(occupied);
            let answer = match at_once {
                std::task::Poll::Ready(answer) => answer,
                std::task::Poll::Pending => answer.await,
            };
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        });
    }
}

#[test]
fn the_last_poll_ends_an_operation_apart_and_the_ones_before_do_not() {
    let service = large("polls:2", ManualClock::default());
    let started = operation(long(begin(&service, "CreateAnalysis", &analyse()))());
    assert!(!operation(done(get(&service, &started.name))).done);
    let last = long(get(&service, &started.name));
    assert!(operation(last()).done);
    assert!(operation(done(get(&service, &started.name))).done);
}

#[test]
fn by_a_clock_that_is_moved_all_that_is_due_has_ended_before_a_call() {
    let clock = ManualClock::default();
    let service = large("time:1h", clock.clone());
    let started = operation(long(begin(&service, "CreateAnalysis", &analyse()))());
    assert!(!operation(done(get(&service, &started.name))).done);
    clock.advance(Duration::from_hours(1));
    let request = ListConversationsRequest { parent: L.into(), ..Default::default() };
    let listed = long(begin(&service, "ListConversations", &request))().unwrap();
    let listed = ListConversationsResponse::decode(&*listed).unwrap();
    assert!(listed.conversations[0].latest_analysis.is_some());
    assert!(operation(done(get(&service, &started.name))).done);
}

#[test]
fn by_a_clock_that_goes_nobody_waits_for_what_is_due() {
    let service = large("time:1ms", SystemClock);
    let started = operation(long(begin(&service, "CreateAnalysis", &analyse()))());
    // Whoever asks is answered at once, and told of the end when it has come.
    while !operation(done(get(&service, &started.name))).done {
        std::thread::yield_now();
    }
}

#[test]
fn what_is_done_beside_the_state_is_done_again_if_the_state_has_changed() {
    let service = large("immediate", ManualClock::default());
    let tried = std::cell::Cell::new(0);
    let name = format!("{L}/conversations/large");
    let act = |state: &mut State| {
        tried.set(tried.get() + 1);
        if tried.get() == 1 {
            // Meanwhile, somebody changes what this is about.
            let other = Conversation { name: name.clone(), agent_id: "7".into(), ..Default::default() };
            service.0.lock().state.world.store.put(&other).unwrap();
        }
        state.world.store.update(&name, |found: &mut Conversation| found.turn_count += 1)
    };
    let made = service.0.beside(act).unwrap();
    assert_eq!((tried.get(), made.agent_id.as_str(), made.turn_count), (2, "7", 1));
}

#[test]
fn a_fork_and_the_state_both_go_on() {
    let service = large("polls:9", ManualClock::default());
    let mut state = std::mem::take(&mut service.0.lock().state);
    state.world.store.record();
    let conversation =
        |id: &str| Conversation { name: format!("{L}/conversations/{id}"), ..Conversation::default() };
    let mut fork = state.fork();
    let ids = (fork.state.world.store.new_id(), state.world.store.new_id());
    assert_ne!(ids.0, ids.1, "ids are those of both");
    for id in ["b", "a"] {
        fork.state.world.store.insert(&conversation(id)).unwrap();
    }
    state.world.store.insert(&conversation("c")).unwrap();
    assert!(state.take_in(&mut fork));
    let all: Vec<(u64, Conversation)> = state.world.store.all(L).unwrap();
    let mut serials: Vec<u64> = all.iter().map(|(serial, _)| *serial).collect();
    serials.sort_unstable();
    serials.dedup();
    assert_eq!((all.len(), serials.len()), (4, 4), "each has a place of its own");
    assert_eq!(state.world.store.take_changes().len(), 3, "and all of it is written down");

    // If the state has stood still, it becomes like the fork, and that is written down too.
    let mut fork = state.fork();
    fork.state.world.store.insert(&conversation("d")).unwrap();
    assert!(state.world.store.is_still(&state.world.store.snapshot()));
    assert!(state.take_in(&mut fork));
    assert_eq!((state.world.store.everything().count(), state.world.store.take_changes().len()), (5, 1));

    // What is gone takes what was added below it along, and what was added below what is gone was added in vain.
    let analysis = Analysis { name: format!("{L}/conversations/c/analyses/1"), ..Analysis::default() };
    let conversations = crate::store::of::<Conversation>().unwrap();
    let name = format!("{L}/conversations/c");
    let mut fork = state.fork();
    fork.state.world.store.remove(conversations, &name).unwrap();
    state.world.store.insert(&analysis).unwrap();
    assert!(state.take_in(&mut fork));
    assert_eq!(state.world.store.everything().count(), 4);
    state.world.store.insert(&conversation("c")).unwrap();
    let mut fork = state.fork();
    fork.state.world.store.insert(&analysis).unwrap();
    state.world.store.remove(conversations, &name).unwrap();
    assert!(!state.take_in(&mut fork));
    assert_eq!(state.world.store.take_changes().last(), Some(&Change::Remove { name }));
}

#[test]
fn of_two_that_want_to_be_alone_one_is() {
    let service = large("polls:9", ManualClock::default());
    let mut state = std::mem::take(&mut service.0.lock().state);
    let now = SystemTime::UNIX_EPOCH;
    let train = |state: &mut State| {
        let Some(Handler::Write(start, _)) =
            methods::handler(&format!("{INSIGHTS}/BulkAnalyzeConversations"))
        else {
            panic!("no such method")
        };
        let request = contact_center_insights::proto::insights::BulkAnalyzeConversationsRequest {
            parent: L.into(),
            analysis_percentage: 100.0,
            ..Default::default()
        };
        start(&mut Context { state, now, rest_only: &RestOnly::default() }, &request.encode_to_vec())
    };
    let (mut one, mut other) = (state.fork(), state.fork());
    train(&mut one.state).unwrap();
    train(&mut other.state).unwrap();
    assert!(state.take_in(&mut one));
    assert!(!state.take_in(&mut other), "it has to try again, and is then told who was first");
    assert_eq!(train(&mut state).unwrap_err().code(), Code::Aborted);
    // An operation that has been cancelled meanwhile stays so.
    let name = state.engine.list(L).values().next().unwrap().at(now).name;
    let mut fork = state.fork();
    fork.state.engine.complete(&mut fork.state.world, &name, now).unwrap();
    state.engine.cancel(&mut state.world, &name, now).unwrap();
    assert!(!state.take_in(&mut fork));
}
