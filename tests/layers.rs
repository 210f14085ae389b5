//! A room of the library imports only rooms below it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first; `status` and `error` share a floor.
const FLOORS: [&[&str]; 9] = [
    &["proto", "names", "chance"],
    &["any"],
    &["status", "error"],
    &["auth"],
    &["transport"],
    &["call"],
    &["lro"],
    &["client"],
    &["json"],
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

/// The rooms that a file names by `crate::room`, outside comments: there, links may point anywhere.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            let room: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push((number + 1, room));
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
        if room == "lib" {
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
    assert!(checked > 30, "only {checked} imports found: the check has gone blind");
}

#[test]
fn the_check_sees_what_it_must() {
    let seen = imports("use crate::call::Call;\n/// [`crate::Client`]\nfn f() { crate::auth::x() }");
    assert_eq!(seen, [(1, "call".to_owned()), (3, "auth".to_owned())]);
    assert!(floor("client") > floor("auth"));
}
