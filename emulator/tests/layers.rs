//! A room of the emulator imports only rooms below it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first; rooms of one floor may see each other.
const FLOORS: [&[&str]; 19] = [
    &["distance", "contract", "tls"],
    &["fault"],
    &["names", "clock", "paging", "profile"],
    &["message"],
    &["filter"],
    &["store"],
    &["engine"],
    &["world"],
    &["work"],
    &["methods"],
    &["seed"],
    &["script", "journal"],
    &["persist"],
    &["dispatch"],
    &["exchange"],
    &["admin"],
    &["grpc", "rest", "reflection"],
    &["server"],
    &["builder", "emulator"],
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The rooms that a file names by `crate::room` or `crate::{room, ..}`, outside comments and tests: those may look
/// anywhere.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line == "#[cfg(test)]" {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            let list = part.strip_prefix('{').map_or(part, |list| list.split('}').next().unwrap_or_default());
            let rooms = if list.len() == part.len() { vec![part] } else { list.split(", ").collect() };
            for room in rooms {
                let room: String = room.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                found.push((number + 1, room));
            }
        }
    }
    found
}

#[test]
fn rooms_import_downwards_only() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    for file in sources(&folder) {
        let relative = file.strip_prefix(&folder).unwrap();
        let room = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if room == "lib"
            || file.ends_with("tests.rs")
            || file.ends_with("generated.rs")
            || file.ends_with("parity.rs")
        {
            continue;
        }
        let own = floor(room).unwrap_or_else(|| panic!("`{room}` has no floor: put it into FLOORS"));
        for (line, import) in imports(&fs::read_to_string(&file).unwrap()) {
            let below = floor(&import).unwrap_or_else(|| {
                panic!("{}:{line} imports `crate::{import}`, which is no room", relative.display())
            });
            assert!(below <= own, "{}:{line} imports upwards: `{import}`", relative.display());
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} imports found: the check has gone blind");
}

#[test]
fn the_check_sees_what_it_must() {
    let seen = imports(
        "use crate::store::Store;\n/// [`crate::Seed`]\nuse crate::{fault, names};\n#[cfg(test)]\nuse crate::rest;",
    );
    assert_eq!(seen, [(1, "store".to_owned()), (3, "fault".to_owned()), (3, "names".to_owned())]);
    assert!(floor("methods") > floor("work"));
}
