//! A disk that is full: reads go on, changes are refused and have not happened.

use contact_center_insights::proto::insights::DeleteConversationRequest;

use super::fake::FakeDisk;
use super::*;
use crate::dispatch::Service;

/// What each kind of call answers while nothing can be written.
fn refused(status: &Status) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let message = status.message();
    assert!(message.contains("the data directory /data is full"), "{message}");
}

fn poll(service: &Service, name: &str) -> Operation {
    let request = GetOperationRequest { name: name.into() };
    let answer = service.dispatch("google.longrunning.Operations/GetOperation", &request.encode_to_vec());
    Operation::decode(answer.unwrap().as_slice()).unwrap()
}

#[test]
fn reads_go_on_and_what_is_refused_has_not_happened() {
    for mode in [SyncMode::EverySecond, SyncMode::Always] {
        for space in [0, 1, 40] {
            let disk = FakeDisk::default();
            let (service, _) = on(&disk, mode);
            create(&service, 1).unwrap();
            let operation = Operation::decode(train(&service).unwrap().as_slice()).unwrap();
            let before = service.snapshot();
            let file = disk.bytes("state").unwrap();
            disk.leave(space);
            refused(&create(&service, 2).unwrap_err());
            let gone =
                DeleteConversationRequest { name: format!("{L}/conversations/call-0001"), force: true };
            refused(&try_call(&service, "DeleteConversation", &gone).unwrap_err());
            refused(&service.reset(None).unwrap_err());
            refused(&service.restore(&before).unwrap_err());
            assert_eq!(list(&service), 1);
            // It is answered, and not counted: the profile is `polls:2`.
            for _ in 0..3 {
                assert!(!poll(&service, &operation.name).done);
            }
            assert_eq!(service.snapshot(), before);
            let left = disk.bytes("state").unwrap();
            assert!(left == file || left[..left.len()] == file[..], "nothing is left of what was refused");
            assert_eq!(disk.bytes("state.new"), None, "it would take space");

            disk.free();
            create(&service, 2).unwrap();
            poll(&service, &operation.name);
            assert!(poll(&service, &operation.name).done);
            let (again, _) = on(&disk, mode);
            assert_eq!((list(&again), again.snapshot()), (2, service.snapshot()));
        }
    }
}

#[test]
fn an_emulator_starts_on_a_full_disk_and_needs_no_second_copy() {
    let disk = FakeDisk::default();
    let (service, writer) = on(&disk, SyncMode::EverySecond);
    create(&service, 1).unwrap();
    writer.sync().unwrap();
    let image = service.snapshot();
    let written = disk.bytes("state").unwrap();
    drop(service);
    disk.leave(0);
    disk.events();
    let (again, _) = on(&disk, SyncMode::EverySecond);
    assert_eq!((again.snapshot(), list(&again)), (image.clone(), 1));
    refused(&create(&again, 2).unwrap_err());
    assert!(!disk.events().iter().any(|event| event.starts_with("create")));
    drop(again);

    // The same with an end that is torn, for which there is no space beside.
    disk.free();
    disk.put("state", &[&written[..], &[7; 9]].concat());
    disk.leave(3);
    let (torn, _) = on(&disk, SyncMode::EverySecond);
    assert_eq!(torn.snapshot(), image);
    refused(&create(&torn, 2).unwrap_err());
    assert_eq!(disk.bytes("state").unwrap()[written.len()..], [7; 9], "nothing is lost for want of space");
    disk.free();
    create(&torn, 2).unwrap();
    assert_eq!(disk.bytes("state.torn").unwrap(), [7; 9]);
    let (last, _) = on(&disk, SyncMode::EverySecond);
    assert_eq!((list(&last), last.snapshot()), (2, torn.snapshot()));
}

#[test]
fn a_file_that_cannot_be_written_anew_is_added_to() {
    let disk = FakeDisk::default();
    let (service, _) = on(&disk, SyncMode::EverySecond);
    let large = Conversation { agent_id: "7".repeat(3 << 20), ..Conversation::default() };
    let name = format!("{L}/conversations/large");
    let large = CreateConversationRequest {
        parent: L.into(),
        conversation: Some(large),
        conversation_id: "large".into(),
    };
    for _ in 0..2 {
        try_call(&service, "CreateConversation", &large).unwrap();
        let gone = DeleteConversationRequest { name: name.clone(), force: true };
        try_call(&service, "DeleteConversation", &gone).unwrap();
    }
    // Enough for the call, not for all of the state a second time.
    disk.leave(4 << 20);
    try_call(&service, "CreateConversation", &large).unwrap();
    assert!(disk.events().iter().any(|event| event == "create state.new"), "it was tried");
    assert_eq!((list(&service), disk.bytes("state.new")), (1, None));
    let (again, _) = on(&disk, SyncMode::EverySecond);
    assert_eq!(again.snapshot(), service.snapshot());
}

#[test]
fn what_has_come_about_by_time_is_read_and_written_down_later() {
    // Where there are files, operations are ended beside the state.
    for gcs_root in [None, Some(std::env::temp_dir())] {
        let disk = FakeDisk::default();
        let clock = ManualClock::default();
        let mut settings = Settings { min_training: 0, gcs_root, ..Settings::default() };
        settings.profiles.all = "time:1h".parse().unwrap();
        let (service, _) = with(&disk, SyncMode::EverySecond, settings.clone(), &clock);
        let operation = Operation::decode(train(&service).unwrap().as_slice()).unwrap();
        disk.leave(0);
        clock.advance(Duration::from_hours(2));
        assert_eq!(list(&service), 0, "other reads go on");
        assert!(poll(&service, &operation.name).done);
        refused(&create(&service, 1).unwrap_err());
        assert!(poll(&service, &operation.name).done, "what is refused does not take that back");
        disk.free();
        create(&service, 1).unwrap();
        let (again, _) = with(&disk, SyncMode::EverySecond, settings, &clock);
        assert_eq!(again.snapshot(), service.snapshot());
    }
}

#[test]
fn the_time_of_a_virtual_clock_is_written_down_even_if_nothing_else_changes() {
    let disk = FakeDisk::default();
    let clock = ManualClock::default();
    let (service, _) = with(&disk, SyncMode::EverySecond, Settings::default(), &clock);
    clock.advance(Duration::from_hours(2));
    service.change(|_, _| ()).unwrap();
    let mut state = State::default();
    let (_, found) =
        Log::on(Arc::new(disk.clone()), Path::new("/data"), SyncMode::EverySecond, &mut state).unwrap();
    assert_eq!(found.time, Some(crate::clock::Clock::now(&clock)));
}
