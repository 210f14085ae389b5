//! States that come back as they were.

mod fake;
mod full;
mod guarded;
mod old;
mod syncing;
mod unusable;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use contact_center_insights::proto::insights::{
    Conversation, CreateConversationRequest, CreateIssueModelRequest, IssueModel, ListConversationsRequest,
    ListConversationsResponse,
};
use contact_center_insights::proto::longrunning::{GetOperationRequest, Operation};
use contact_center_insights::{Code, Status};
use prost::Message;

use self::fake::FakeDisk;
use super::log::OpenError;
use super::writer::Writer;
use super::*;
use crate::clock::ManualClock;
use crate::contract::INSIGHTS;
use crate::dispatch::Service;
use crate::state::State;
use crate::world::{Settings, World};

const L: &str = "projects/p/locations/us";

/// A state with some of everything.
fn service() -> Service {
    let world = World::new(Settings { min_training: 0, ..Settings::default() });
    let service = Service::new(State { world, ..State::default() }, Arc::new(ManualClock::default()));
    for id in ["call-0001", "call-0002", "call-0003"] {
        let request = CreateConversationRequest {
            parent: L.into(),
            conversation: Some(Conversation::default()),
            conversation_id: id.into(),
        };
        call(&service, "CreateConversation", &request);
    }
    let model = IssueModel { display_name: "m".into(), model_type: 2, ..IssueModel::default() };
    call(
        &service,
        "CreateIssueModel",
        &CreateIssueModelRequest { parent: L.into(), issue_model: Some(model) },
    );
    service
        .place(Operation { name: format!("{L}/operations/7"), done: true, ..Operation::default() })
        .unwrap();
    service
}

fn call(service: &Service, method: &str, request: &impl Message) -> Vec<u8> {
    service.dispatch(&format!("{INSIGHTS}/{method}"), &request.encode_to_vec()).unwrap()
}

fn try_call(service: &Service, method: &str, request: &impl Message) -> Result<Vec<u8>, Status> {
    service.dispatch(&format!("{INSIGHTS}/{method}"), &request.encode_to_vec())
}

fn create(service: &Service, id: u32) -> Result<Vec<u8>, Status> {
    let request = CreateConversationRequest {
        parent: L.into(),
        conversation: Some(Conversation::default()),
        conversation_id: format!("call-{id:04}"),
    };
    try_call(service, "CreateConversation", &request)
}

fn train(service: &Service) -> Result<Vec<u8>, Status> {
    let model = IssueModel { display_name: "m".into(), model_type: 2, ..IssueModel::default() };
    let request = CreateIssueModelRequest { parent: L.into(), issue_model: Some(model) };
    try_call(service, "CreateIssueModel", &request)
}

/// How many conversations are listed.
fn list(service: &Service) -> usize {
    let request = ListConversationsRequest { parent: L.into(), ..ListConversationsRequest::default() };
    let answer = try_call(service, "ListConversations", &request).unwrap();
    ListConversationsResponse::decode(answer.as_slice()).unwrap().conversations.len()
}

/// A service whose directory is on a disk in memory.
fn on(disk: &FakeDisk, mode: SyncMode) -> (Service, Arc<Writer>) {
    let mut settings = Settings { min_training: 0, ..Settings::default() };
    settings.profiles.all = "polls:2".parse().unwrap();
    with(disk, mode, settings, &ManualClock::default())
}

fn with(disk: &FakeDisk, mode: SyncMode, settings: Settings, clock: &ManualClock) -> (Service, Arc<Writer>) {
    let mut state = State { world: World::new(settings), ..State::default() };
    let (log, _) = Log::on(Arc::new(disk.clone()), Path::new("/data"), mode, &mut state).unwrap();
    let writer = Arc::clone(log.writer());
    (Service::kept(state, Arc::new(clock.clone()), log), writer)
}

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cci-persist-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn open(&self) -> Result<(State, Log, bool), OpenError> {
        let mut state = State::default();
        let (log, found) = Log::open(&self.0, SyncMode::EverySecond, &mut state)?;
        Ok((state, log, found.is_new))
    }

    fn file(&self) -> PathBuf {
        self.0.join("state")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_snapshot_of_what_was_restored_is_the_same_bytes() {
    let service = service();
    let image = service.snapshot();
    let other = Service::new(State::default(), Arc::new(ManualClock::new(UNIX_EPOCH)));
    other.restore(&image).unwrap();
    assert_eq!(other.snapshot(), image);
    other.restore(&image).unwrap();
    assert_eq!(other.snapshot(), image, "in place of what was there");
    // And it lives on in the same way.
    let next = CreateConversationRequest {
        parent: L.into(),
        conversation: Some(Conversation::default()),
        ..CreateConversationRequest::default()
    };
    assert_eq!(call(&service, "CreateConversation", &next), call(&other, "CreateConversation", &next));
}

#[test]
fn bytes_that_are_no_snapshot_change_nothing() {
    let service = service();
    let image = service.snapshot();
    let mut changed = image.clone();
    changed[40] ^= 1;
    for bad in [&b""[..], b"x", &image[..image.len() - 1], &changed] {
        service.restore(bad).unwrap_err();
        assert_eq!(service.snapshot(), image);
    }
}

#[test]
fn a_directory_gives_back_what_was_put_into_it() {
    let directory = Directory::new("back");
    let image = {
        let (state, log, is_new) = directory.open().unwrap();
        assert!(is_new);
        let service = Service::kept(state, Arc::new(ManualClock::default()), log);
        service.restore(&self::service().snapshot()).unwrap();
        let next = CreateConversationRequest {
            parent: L.into(),
            conversation: Some(Conversation::default()),
            ..CreateConversationRequest::default()
        };
        call(&service, "CreateConversation", &next);
        assert!(matches!(directory.open(), Err(OpenError::Taken)));
        service.snapshot()
    };
    let (state, _, is_new) = directory.open().unwrap();
    assert!(!is_new);
    let time = Some(UNIX_EPOCH + Duration::from_hours(490_896));
    assert_eq!(snapshot(&state, time), image);
}

#[test]
fn a_torn_end_is_dropped_and_other_damage_is_refused() {
    let directory = Directory::new("torn");
    {
        let (state, log, _) = directory.open().unwrap();
        let service = Service::kept(state, Arc::new(ManualClock::default()), log);
        service.restore(&self::service().snapshot()).unwrap();
    }
    let whole = std::fs::read(directory.file()).unwrap();
    let (before, ..) = directory.open().unwrap();
    let before = snapshot(&before, None);
    std::fs::write(directory.file(), [&whole[..], &[9, 0, 0]].concat()).unwrap();
    let (after, log, _) = directory.open().unwrap();
    assert_eq!(snapshot(&after, None), before);
    drop(log);
    assert_eq!(std::fs::read(directory.0.join("state.torn")).unwrap(), [9, 0, 0]);

    let mut changed = whole.clone();
    changed[30] ^= 1;
    std::fs::write(directory.file(), &changed).unwrap();
    let error = directory.open().unwrap_err();
    assert!(matches!(&error, OpenError::Damaged(path, _) if *path == directory.file()), "{error}");
    assert_eq!(std::fs::read(directory.file()).unwrap(), changed, "left as it is");
}

#[test]
fn a_file_that_is_mostly_past_is_written_anew() {
    let directory = Directory::new("anew");
    let (state, log, _) = directory.open().unwrap();
    let service = Service::kept(state, Arc::new(ManualClock::default()), log);
    let conversation = Conversation { agent_id: "7".repeat(1 << 20), ..Conversation::default() };
    let name = format!("{L}/conversations/call-0001");
    let request = CreateConversationRequest {
        parent: L.into(),
        conversation: Some(conversation),
        conversation_id: "call-0001".into(),
    };
    for _ in 0..20 {
        call(&service, "CreateConversation", &request);
        let gone = contact_center_insights::proto::insights::DeleteConversationRequest {
            name: name.clone(),
            force: true,
        };
        call(&service, "DeleteConversation", &gone);
    }
    let length = std::fs::metadata(directory.file()).unwrap().len();
    assert!(length < 12 << 20, "{length} bytes of 20 MiB that were written");
}
