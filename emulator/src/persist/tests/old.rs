//! Files of version 1, and files of version 2 in which something has been changed.

use super::fake::FakeDisk;
use super::*;
use crate::persist::frame::{HEAD, HEAD_1, HEADER, Header};

/// Where each frame begins, and the payloads, of a file of version 2.
fn frames(file: &[u8]) -> Vec<(usize, &[u8])> {
    let (mut at, mut found) = (HEAD.len(), Vec::new());
    while at < file.len() {
        let header = Header::read(file[at..at + HEADER].try_into().unwrap()).unwrap();
        let end = at + HEADER + usize::try_from(header.length).unwrap();
        found.push((at, &file[at + HEADER..end]));
        at = end;
    }
    found
}

/// A file as version 1 wrote it.
fn old(payloads: &[&[u8]]) -> Vec<u8> {
    let mut file = HEAD_1.to_vec();
    for payload in payloads {
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        file.extend(length);
        file.extend(crc32fast::hash(&length).to_le_bytes());
        file.extend(crc32fast::hash(payload).to_le_bytes());
        file.extend(*payload);
    }
    file
}

fn as_old(file: &[u8]) -> Vec<u8> {
    let frames = frames(file);
    let payloads: Vec<&[u8]> = frames.iter().map(|(_, payload)| *payload).collect();
    old(&payloads.into_iter().filter(|payload| !payload.is_empty()).collect::<Vec<_>>())
}

/// Three conversations, one call each, all synced but for the last.
fn three() -> (FakeDisk, Vec<Vec<u8>>) {
    let disk = FakeDisk::default();
    let (service, writer) = on(&disk, SyncMode::EverySecond);
    let mut states = vec![service.snapshot()];
    for id in 1..=3 {
        writer.sync().unwrap();
        create(&service, id).unwrap();
        states.push(service.snapshot());
    }
    (disk, states)
}

fn open(bytes: &[u8]) -> Result<(FakeDisk, Service), String> {
    let disk = FakeDisk::default();
    disk.put("state", bytes);
    let mut state =
        State { world: World::new(Settings { min_training: 0, ..Settings::default() }), ..State::default() };
    match Log::on(Arc::new(disk.clone()), Path::new("/data"), SyncMode::EverySecond, &mut state) {
        Ok((log, _)) => Ok((disk, Service::kept(state, Arc::new(ManualClock::default()), log))),
        Err(OpenError::Damaged(path, why)) => {
            assert_eq!(path, Path::new("/data/state"));
            Err(why.to_string())
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn an_old_file_is_read_and_goes_on_in_the_new_version() {
    let (disk, states) = three();
    let before = as_old(&disk.bytes("state").unwrap());
    let (disk, service) = open(&before).unwrap();
    assert_eq!(Some(&service.snapshot()), states.last());
    create(&service, 4).unwrap();
    let after = disk.bytes("state").unwrap();
    assert!(after.starts_with(&before) && after[before.len()..].starts_with(HEAD), "nothing is copied");
    let (_, again) = open(&after).unwrap();
    assert_eq!(again.snapshot(), service.snapshot());
    assert_eq!(list(&again), 4);
    // The new frames go on from the old ones: without the last of those, they do not fit.
    let cut = [&HEAD_1[..], &after[before.len()..]].concat();
    assert_eq!(open(&cut).map(|_| ()).unwrap_err(), "frames 0 to 3 are missing before byte 16");
}

#[test]
fn an_old_snapshot_is_restored() {
    let service = service();
    let image = service.snapshot();
    let other = Service::new(State::default(), Arc::new(ManualClock::new(UNIX_EPOCH)));
    other.restore(&as_old(&image)).unwrap();
    assert_eq!(other.snapshot(), image);
    let old = as_old(&image);
    other.restore(&old[..old.len() - 1]).unwrap_err();
}

#[test]
fn the_end_of_an_old_file_is_torn_as_ever() {
    let (disk, states) = three();
    let old = as_old(&disk.bytes("state").unwrap());
    let cut = &old[..old.len() - 1];
    let (disk, service) = open(cut).unwrap();
    assert_eq!(service.snapshot(), states[2]);
    assert!(cut.ends_with(&disk.bytes("state.torn").unwrap()));
    create(&service, 3).unwrap();
    let (_, again) = open(&disk.bytes("state").unwrap()).unwrap();
    assert_eq!(again.snapshot(), service.snapshot());
    let mut changed = old.clone();
    changed[60] ^= 1;
    assert!(open(&changed).unwrap_err().contains("has been changed"));
}

#[test]
fn a_frame_that_is_taken_out_or_doubled_is_noticed() {
    let (disk, states) = three();
    let file = disk.bytes("state").unwrap();
    let starts: Vec<usize> = frames(&file).iter().map(|(at, _)| *at).collect();
    for (number, pair) in starts.windows(2).enumerate() {
        let without = [&file[..pair[0]], &file[pair[1]..]].concat();
        let why = open(&without).unwrap_err();
        assert!(why.contains(&format!("frames {number} to {number} are missing")), "{why}");
    }
    let last = *starts.last().unwrap();
    let (disk, service) = open(&[&file[..], &file[last..]].concat()).unwrap();
    assert_eq!(Some(&service.snapshot()), states.last());
    assert_eq!(disk.bytes("state.torn").unwrap(), file[last..]);
}

#[test]
fn a_whole_frame_of_another_file_does_not_fit() {
    let (one, _) = three();
    let other = FakeDisk::default();
    let (service, _) = on(&other, SyncMode::EverySecond);
    train(&service).unwrap();
    create(&service, 7).unwrap();
    create(&service, 8).unwrap();
    let (one, other) = (one.bytes("state").unwrap(), other.bytes("state").unwrap());
    let (at, _) = frames(&one)[3];
    let (start, _) = frames(&other)[3];
    // Its own checksum and its place are right; what comes before it is not.
    let (disk, _) = open(&[&one[..at], &other[start..]].concat()).unwrap();
    assert_eq!(disk.bytes("state.torn").unwrap(), other[start..]);
}
