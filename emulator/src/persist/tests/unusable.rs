//! Snapshots whose frames are whole, and whose contents no state can have; and what is told of stored bytes that are torn.

use super::*;
use crate::contract::Contract;
use crate::persist::batch::{Batch, Kind, Put};
use crate::persist::frame::{Chain, HEAD};
use crate::store::Change;
use contact_center_insights::proto::insights::{CalculateStatsRequest, GetConversationRequest};

/// A snapshot of these steps.
fn image(kinds: Vec<Kind>) -> Vec<u8> {
    let mut batches: Vec<_> = kinds.into_iter().map(Batch::step).collect();
    batches.push(Batch::of(&State::default(), Vec::new(), None));
    let (mut chain, mut image) = (Chain::new(HEAD), HEAD.to_vec());
    for payload in batches.iter().map(Message::encode_to_vec).chain([Vec::new()]) {
        let header = chain.header(chain.frames, &payload);
        image.extend(header.bytes());
        image.extend(payload);
        chain = chain.after(&header);
    }
    image
}

fn put(serial: u64, bytes: Vec<u8>) -> Kind {
    Kind::Put(Put { serial, bytes: bytes.into() })
}

fn conversation(name: &str) -> Vec<u8> {
    Conversation { name: name.into(), agent_id: "7".into(), ..Conversation::default() }.encode_to_vec()
}

/// An operation, as it was written down.
fn operation_of(name: &str, change: impl FnOnce(&mut crate::engine::Saved)) -> Kind {
    let operation = Some(Operation { name: name.into(), ..Operation::default() });
    let mut saved = crate::engine::Saved { serial: 1, operation, ..Default::default() };
    change(&mut saved);
    Kind::Operation(saved)
}

#[test]
fn what_cannot_be_used_is_refused_with_its_name_and_nothing_changes() {
    let good = || put(1, conversation(&format!("{L}/conversations/good")));
    let name = format!("{L}/conversations/bad");
    let whole = conversation(&name);
    let operation = format!("{L}/operations/1");
    let cases = [
        (put(2, whole[..whole.len() - 1].to_vec()), "conversations/bad`: it is not a `Conversation`"),
        // Whole as far as its own fields go; the text within is not UTF-8.
        (put(2, [&whole[..], b"\x2a\x01\xff"].concat()), "conversations/bad`: it is not a `Conversation`"),
        (put(2, Conversation::default().encode_to_vec()), "resource ``: it has no name"),
        (put(2, Vec::new()), "resource ``: it has no name"),
        (put(2, conversation("x")), "resource `x`: no kind of resource has such a name"),
        (put(2, conversation(&operation)), "no kind of resource has such a name"),
        (put(u64::MAX, whole), "is not a place in the order of creation"),
        (operation_of("x", |_| ()), "operation `x`: the name is not of the form"),
        (operation_of(&operation, |saved| saved.serial = u64::MAX), "is not a place in the order of starts"),
        (
            operation_of(&operation, |saved| saved.method = "Nothing".into()),
            "an operation of `Nothing` cannot be resumed",
        ),
    ];
    let service = service();
    let before = service.snapshot();
    for (bad, why) in cases {
        let status = service.restore(&image(vec![good(), bad])).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(why), "{}", status.message());
        assert_eq!(service.snapshot(), before);
    }
    let (one, other) = (operation_of(&operation, |_| ()), operation_of(&format!("{L}/operations/2"), |_| ()));
    let status = service.restore(&image(vec![one, other])).unwrap_err();
    assert!(status.message().contains("operations/1` has its place in the order"), "{}", status.message());
    service.restore(&image(vec![good()])).unwrap();
    assert_eq!(list(&service), 1);
}

#[test]
fn a_snapshot_is_whole_or_refused_wherever_it_is_cut() {
    let service = service();
    let image = service.snapshot();
    for cut in 0..image.len() {
        service.restore(&image[..cut]).unwrap_err();
    }
    service.restore(&[&image[..], &[0]].concat()).unwrap_err();
    service.restore(&image).unwrap();
}

/// As a file of a version before restores were looked at may hold it.
fn with_torn() -> Service {
    let service = service();
    let name = format!("{L}/conversations/torn");
    let whole = Conversation { name: name.clone(), agent_id: "7".repeat(9), ..Conversation::default() };
    let bytes = whole.encode_to_vec();
    let bytes = bytes[..bytes.len() - 1].to_vec().into();
    service.change(|state, _| state.world.store.apply(Change::Put { name, serial: 99, bytes })).unwrap();
    service
}

#[test]
fn stored_bytes_that_are_torn_are_told_as_data_loss_with_the_name() {
    let service = with_torn();
    let request = CalculateStatsRequest { location: L.into(), ..CalculateStatsRequest::default() };
    let status = try_call(&service, "CalculateStats", &request).unwrap_err();
    assert_eq!(status.code(), Code::DataLoss);
    assert!(
        status.message().contains(&format!("`{L}/conversations/torn` is damaged")),
        "{}",
        status.message()
    );
    let other = GetConversationRequest { name: format!("{L}/conversations/call-0001"), view: 0 };
    try_call(&service, "GetConversation", &other).unwrap();
}

#[test]
fn resources_that_no_call_could_reach_are_left_out_of_an_own_file() {
    let disk = FakeDisk::default();
    disk.put(
        "state",
        &image(vec![put(1, conversation("x")), put(2, conversation(&format!("{L}/conversations/c")))]),
    );
    let (service, _) = on(&disk, SyncMode::EverySecond);
    assert_eq!(list(&service), 1);
    assert!(Contract::get().resource_named("x").is_none());
}
