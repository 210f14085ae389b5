//! A module imports only from modules below it, siblings make no circle, and no file is long; in every package.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod check;
mod source;
mod tokens;
mod tree;

use std::fs;
use std::path::Path;

use check::Floors;
use tree::Tree;

/// Each package's folder of sources, and its floors. A name that is not there yet does no harm.
const CRATES: [(&str, &Floors); 4] =
    [("src", LIBRARY), ("emulator/src", EMULATOR), ("cli/src", CLI), ("worker/src", WORKER)];

const LIBRARY: &Floors = &[
    &["jitter", "proto", "names", "time"],
    &["any"],
    &["status"],
    &["error"],
    &["auth"],
    &["transport"],
    &["call"],
    &["lro"],
    &["track"],
    &["client"],
    &["json"],
];

const EMULATOR: &Floors = &[
    &[
        "apart",
        "clock",
        "contract",
        "edit_distance",
        "errors",
        "journal",
        "outbox",
        "projects",
        "snippets",
        "time",
        "tls",
        "work",
    ],
    &["content", "message", "names", "paging", "profile", "script"],
    &["engine", "filter", "store"],
    &["lists"],
    &["world"],
    &["state"],
    &["methods", "seed"],
    &["persist"],
    &["dispatch"],
    &["pipeline"],
    &["admin"],
    &["emulator", "grpc", "page", "reflection", "rest"],
    &["server"],
    &["builder", "fuzzing"],
];

const CLI: &Floors = &[
    &["duration", "escape", "exit", "http_rule", "progress", "shell"],
    &["failure"],
    &["api", "config", "terminal", "token"],
    &["scope"],
    &["name"],
    &["headers", "hints", "log", "output", "progress_bar"],
    &["recording", "reporter", "web"],
    &["rest"],
    &["record", "verify"],
    &["args"],
    &["session", "usage"],
    &["commands"],
];

const WORKER: &Floors = &[
    &["error_text", "key", "time"],
    &["error", "row"],
    &["handover"],
    &["store"],
    &["metrics", "share"],
    &["engine", "lanes", "listen", "reconcile", "start"],
    &["worker"],
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below a folder: paths from there with `/`, and texts, in order; none if there is no such folder.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                // What is built, what is installed, what is hidden.
                if name != "target" && name != "node_modules" && !name.starts_with('.') {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative: Vec<_> =
                    path.strip_prefix(folder).unwrap().iter().map(|part| part.to_str().unwrap()).collect();
                found.push((relative.join("/"), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn modules_import_downwards_and_make_no_circles() {
    let mut findings = Vec::new();
    for (folder, floors) in CRATES {
        let files = files(&root().join(folder));
        let tree = Tree::new(folder, files.iter().map(|(file, text)| (file.as_str(), text.as_str())));
        let edges = tree.edges().len();
        assert!(
            files.len() < 20 || edges > files.len(),
            "{folder}: only {edges} imports found: the check has gone blind"
        );
        findings.extend(check::modules(folder, &tree, floors));
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn no_file_is_long() {
    let files = files(root());
    assert!(files.len() > 200, "only {} files found: the check has gone blind", files.len());
    let findings = check::lengths(files.iter().map(|(file, text)| (file.as_str(), text.as_str())));
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}
