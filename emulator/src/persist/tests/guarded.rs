//! A real directory: whom it is open to, and that nothing leads out of it.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn only_the_owner_can_look_into_it() {
    let directory = Directory::new("owner");
    let (_, log, _) = directory.open().unwrap();
    assert_eq!((mode(&directory.0), mode(&directory.file())), (0o700, 0o600));
    drop(log);

    // As older versions made it.
    set_mode(&directory.0, 0o755);
    set_mode(&directory.file(), 0o644);
    fs::write(directory.0.join("lock"), "").unwrap();
    let whole = fs::read(directory.file()).unwrap();
    fs::write(directory.file(), [&whole[..], &[1]].concat()).unwrap();
    let (_, log, _) = directory.open().unwrap();
    assert_eq!((mode(&directory.0), mode(&directory.file())), (0o700, 0o600));
    assert_eq!(mode(&directory.0.join("state.torn")), 0o600);
    drop(log);

    // What holds other people's files is not ours to close.
    set_mode(&directory.0, 0o755);
    fs::write(directory.0.join("notes.txt"), "").unwrap();
    let (_, log, _) = directory.open().unwrap();
    assert_eq!((mode(&directory.0), mode(&directory.file())), (0o755, 0o600));
    drop(log);
}

#[test]
fn no_symbolic_link_is_followed() {
    let (directory, elsewhere) = (Directory::new("links"), Directory::new("links-elsewhere"));
    fs::create_dir_all(&elsewhere.0).unwrap();
    let victim = elsewhere.0.join("victim");
    fs::write(&victim, "precious").unwrap();
    fs::create_dir_all(&directory.0).unwrap();
    for name in ["state.new", "lock", "state.torn.new", "state.torn"] {
        symlink(&victim, directory.0.join(name)).unwrap();
    }
    let (state, log, _) = directory.open().unwrap();
    let service = Service::kept(state, Arc::new(ManualClock::default()), log);
    service.restore(&self::service().snapshot()).unwrap();
    drop(service);
    let whole = fs::read(directory.file()).unwrap();
    fs::write(directory.file(), [&whole[..], &[1, 2]].concat()).unwrap();
    drop(directory.open().unwrap());
    assert_eq!(fs::read(directory.0.join("state.torn")).unwrap(), [1, 2]);
    assert!(!fs::symlink_metadata(directory.0.join("state.torn")).unwrap().is_symlink());
    assert_eq!(fs::read(&victim).unwrap(), b"precious");

    fs::remove_file(directory.file()).unwrap();
    symlink(&victim, directory.file()).unwrap();
    let error = directory.open().unwrap_err();
    assert!(matches!(&error, OpenError::Io(path, _) if *path == directory.file()), "{error}");
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn what_is_not_a_file_does_not_hold_the_start_up() {
    let directory = Directory::new("fifo");
    fs::create_dir_all(&directory.0).unwrap();
    let made = std::process::Command::new("mkfifo").arg(directory.file()).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no mkfifo");
        return;
    }
    let error = directory.open().unwrap_err();
    let OpenError::Io(_, source) = &error else { panic!("{error}") };
    assert!(source.to_string().contains("not a regular file"), "{source}");
}

#[test]
fn the_lock_is_the_directory_itself() {
    let directory = Directory::new("lock");
    let (_, log, _) = directory.open().unwrap();
    for name in fs::read_dir(&directory.0).unwrap() {
        // Whoever cleans up lets nobody in.
        fs::remove_file(name.unwrap().path()).unwrap();
    }
    assert!(matches!(directory.open(), Err(OpenError::Taken)));
    drop(log);
    directory.open().unwrap();
}
