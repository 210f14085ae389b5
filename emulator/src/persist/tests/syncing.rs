//! When what is synced, and what is there after a loss of power.

use super::fake::FakeDisk;
use super::*;

#[test]
fn with_always_a_call_is_answered_after_its_change_is_synced() {
    let disk = FakeDisk::default();
    let (service, _) = on(&disk, SyncMode::Always);
    assert_eq!(
        disk.events(),
        ["create state.new", "write state.new", "sync state.new", "rename state.new state", "sync directory"],
        "the directory is synced after the file has got its name"
    );
    for id in 1..=3 {
        create(&service, id).unwrap();
        // The change, and the note that it is on the disk.
        assert_eq!(disk.events(), ["write state", "sync state", "write state"]);
        let (found, _) = on(&disk.after_power_loss(0), SyncMode::Always);
        assert_eq!(found.snapshot(), service.snapshot(), "all that was answered is there");
    }
    let list = list(&service);
    assert_eq!((disk.events(), list), (Vec::<String>::new(), 3), "a read changes nothing");
}

#[test]
fn by_default_changes_are_synced_together_and_once() {
    let disk = FakeDisk::default();
    let (service, writer) = on(&disk, SyncMode::EverySecond);
    create(&service, 1).unwrap();
    create(&service, 2).unwrap();
    disk.events();
    create(&service, 3).unwrap();
    assert_eq!(disk.events(), ["write state"]);
    let (before, _) = on(&disk.after_power_loss(0), SyncMode::EverySecond);
    assert_eq!(list(&before), 0, "as the README says, a loss of power may take the last second");
    // What the thread does, a second after the first change.
    writer.sync().unwrap();
    assert_eq!(disk.events(), ["sync state", "write state"]);
    writer.sync().unwrap();
    assert_eq!(disk.events(), [""; 0], "nothing has changed since");
    let (found, _) = on(&disk.after_power_loss(0), SyncMode::EverySecond);
    assert_eq!(found.snapshot(), service.snapshot());
}

#[test]
fn any_part_of_what_was_not_synced_leaves_a_state_that_there_was() {
    let disk = FakeDisk::default();
    let (service, writer) = on(&disk, SyncMode::EverySecond);
    create(&service, 1).unwrap();
    writer.sync().unwrap();
    let synced = disk.bytes("state").unwrap().len();
    let mut states = vec![service.snapshot()];
    for id in 2..=4 {
        create(&service, id).unwrap();
        states.push(service.snapshot());
    }
    for unsynced in 0..=disk.bytes("state").unwrap().len() - synced {
        let lost = disk.after_power_loss(unsynced);
        let (found, _) = on(&lost, SyncMode::EverySecond);
        assert!(states.contains(&found.snapshot()), "{unsynced}");
        // And it goes on from there.
        create(&found, 9).unwrap();
        let (again, _) = on(&lost, SyncMode::EverySecond);
        assert_eq!(again.snapshot(), found.snapshot(), "{unsynced}");
    }
}

#[test]
fn what_cannot_be_synced_is_refused_and_undone_and_the_file_is_written_anew() {
    let disk = FakeDisk::default();
    let (service, _) = on(&disk, SyncMode::Always);
    create(&service, 1).unwrap();
    let before = service.snapshot();
    disk.fail_to_sync(true);
    let status = create(&service, 2).unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(
        status.message().contains("/data") && status.message().contains("the disk is broken"),
        "{status}"
    );
    assert_eq!(service.snapshot(), before);
    create(&service, 2).unwrap_err();
    disk.fail_to_sync(false);
    disk.events();
    create(&service, 2).unwrap();
    assert_eq!(disk.events().first().map(String::as_str), Some("create state.new"), "the pages may be gone");
    let (found, _) = on(&disk.after_power_loss(0), SyncMode::Always);
    assert_eq!((list(&found), found.snapshot()), (2, service.snapshot()));
}

#[test]
fn the_thread_syncs_at_the_end() {
    let disk = FakeDisk::default();
    let (service, writer) = on(&disk, SyncMode::EverySecond);
    let syncing = crate::persist::writer::Syncing::start(&writer).unwrap();
    create(&service, 1).unwrap();
    drop(syncing);
    let (found, _) = on(&disk.after_power_loss(0), SyncMode::EverySecond);
    assert_eq!(found.snapshot(), service.snapshot());
}
