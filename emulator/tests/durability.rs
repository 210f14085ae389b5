//! What is kept of a data directory that is damaged or full, what is refused, and what is said: compared with
//! `docs/durability.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[allow(unreachable_pub, reason = "a module of several tests")]
#[path = "../../tests/support/documented.rs"]
mod documented;
mod support;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights_emulator::{Emulator, ManualClock, SyncMode};
use serde_json::json;
use support::{L, World};
use tempfile::TempDir;

/// Of what stands before a payload.
const HEADER: usize = 32;

async fn start(directory: &Path) -> Result<Emulator, String> {
    let builder = Emulator::builder().with_data_dir(directory).with_sync(SyncMode::Always);
    let started = builder.with_clock(ManualClock::default()).start().await;
    started.map_err(|error| {
        let mut words = Vec::new();
        let mut next = error.source();
        while let Some(error) = next {
            words.push(error.to_string());
            next = error.source();
        }
        words.join(": ")
    })
}

/// What the log said.
#[derive(Clone, Debug, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// With a letter for each number, and without the directory, so that it is the same at each place.
fn general(text: &str, directory: &Path) -> String {
    let text = text
        .replace(&format!("{}/", directory.display()), "")
        .replace(&directory.display().to_string(), "DIR");
    let mut general = String::new();
    for character in text.trim().chars() {
        match (character.is_ascii_digit(), general.ends_with('N')) {
            (true, true) => {}
            (true, false) => general.push('N'),
            (false, _) => general.push(character),
        }
    }
    general
}

/// The file, and the state after each change.
struct Log {
    file: Vec<u8>,
    states: Vec<Vec<u8>>,
}

impl Log {
    async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let emulator = start(directory.path()).await.unwrap();
        let mut states = vec![emulator.snapshot()];
        for id in 1..=4 {
            let name = format!("{L}/operations/{id}");
            emulator.put_operation(Operation { name, done: id % 2 == 0, ..Operation::default() }).unwrap();
            states.push(emulator.snapshot());
        }
        emulator.stop().await;
        Self { file: std::fs::read(directory.path().join("state")).unwrap(), states }
    }

    /// Without the note at its end.
    fn without_note(&self) -> Vec<u8> {
        self.file[..self.file.len() - HEADER].to_vec()
    }

    /// Where each frame begins, and where the file ends.
    fn frames(&self) -> Vec<usize> {
        let mut frames = vec![8];
        while let Some(at) = frames.last().copied().filter(|at| *at < self.file.len()) {
            let length = self.file[at + 16..at + 24].try_into().unwrap();
            frames.push(at + HEADER + usize::try_from(u64::from_le_bytes(length)).unwrap());
        }
        frames
    }

    /// What comes of a file. Of each that is taken it could be tried whether more can be written; that takes its time.
    async fn outcome(&self, bytes: &[u8], goes_on: bool) -> (Outcome, String) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("state");
        std::fs::write(&path, bytes).unwrap();
        let said = Said::default();
        let writer = said.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .with_level(false)
            .with_target(false)
            .without_time()
            .with_max_level(tracing::Level::WARN)
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let started = start(directory.path()).await;
        drop(guard);
        let emulator = match started {
            Ok(emulator) => emulator,
            Err(why) => {
                assert_eq!(std::fs::read(&path).unwrap(), bytes, "left as it is");
                return (Outcome::Refused, general(&why, directory.path()));
            }
        };
        let state = emulator.snapshot();
        let kept = self.states.iter().position(|known| *known == state).expect("a state that there was");
        let torn = std::fs::read(directory.path().join("state.torn")).unwrap_or_default();
        let left = std::fs::read(&path).unwrap();
        assert_eq!([&left[..bytes.len() - torn.len()], &torn].concat(), bytes, "all of it is still there");
        if goes_on {
            let name = format!("{L}/operations/9");
            emulator.put_operation(Operation { name, ..Operation::default() }).unwrap();
            let after = emulator.snapshot();
            emulator.stop().await;
            let again = start(directory.path()).await.unwrap();
            assert_eq!(again.snapshot(), after);
        }
        let outcome = if kept + 1 == self.states.len() { Outcome::All } else { Outcome::CutOff };
        (outcome, general(&String::from_utf8(said.0.lock().unwrap().clone()).unwrap(), directory.path()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    All,
    CutOff,
    Refused,
}

/// All damage of one kind.
fn damages(log: &Log) -> Vec<(String, Vec<Vec<u8>>)> {
    let mut all = Vec::new();
    for (file, ends) in [(log.file.clone(), "a note"), (log.without_note(), "a change")] {
        let flips = (0..file.len()).map(|at| {
            let mut changed = file.clone();
            changed[at] ^= 1 << (at % 8);
            changed
        });
        all.push((format!("a bit of one byte is changed; ends in {ends}"), flips.collect()));
        let cuts = (0..file.len()).map(|length| file[..length].to_vec());
        all.push((format!("cut to each shorter length; ends in {ends}"), cuts.collect()));
        let frames: Vec<usize> = log.frames().into_iter().filter(|at| *at <= file.len()).collect();
        let without = frames.windows(2).filter(|pair| pair[1] < file.len());
        let without = without.map(|pair| [&file[..pair[0]], &file[pair[1]..]].concat());
        all.push((format!("one frame of the middle is missing; ends in {ends}"), without.collect()));
        let last = frames[frames.len() - 2];
        let zeroed = (last..file.len()).map(|from| [&file[..from], &vec![0; file.len() - from]].concat());
        all.push((
            format!("the end is zeros from a byte of the last frame on; ends in {ends}"),
            zeroed.collect(),
        ));
        let longer = (1..=HEADER).map(|more| [&file[..], &vec![0; more]].concat());
        all.push((format!("up to {HEADER} zeros are added; ends in {ends}"), longer.collect()));
    }
    all
}

#[tokio::test]
async fn every_byte_that_is_changed_or_missing_has_the_outcome_of_the_table() {
    let log = Log::new().await;
    let mut table = String::from(
        "| what is done to the file | times | all kept | cut off | refused | said |\n|---|---|---|---|---|---|\n",
    );
    let mut words: Vec<String> = Vec::new();
    for (name, files) in damages(&log) {
        let mut outcomes = BTreeMap::from([(Outcome::All, 0), (Outcome::CutOff, 0), (Outcome::Refused, 0)]);
        let mut said = BTreeMap::new();
        for (number, file) in files.iter().enumerate() {
            let (outcome, text) = log.outcome(file, number % 16 == 0).await;
            *outcomes.get_mut(&outcome).unwrap() += 1;
            let number = words.iter().position(|known| *known == text).unwrap_or_else(|| {
                words.push(text);
                words.len() - 1
            });
            *said.entry(number).or_insert(0) += 1;
        }
        let said: Vec<String> =
            said.iter().map(|(number, times)| format!("{} ({times})", number + 1)).collect();
        let counts: Vec<String> = outcomes.values().map(ToString::to_string).collect();
        writeln!(table, "| {name} | {} | {} | {} |", files.len(), counts.join(" | "), said.join(", "))
            .unwrap();
    }
    table.push_str("\nWhat is said, with `N` for numbers, and how often:\n\n");
    for (number, text) in words.iter().enumerate() {
        let text = if text.is_empty() { "nothing" } else { text };
        writeln!(table, "{}. {text}", number + 1).unwrap();
    }
    documented::compare_part("durability", "damage", &table);
}

/// A small file system, for as long as this lives.
struct Tmpfs(PathBuf);

impl Tmpfs {
    /// `None` where there is no right to mount one.
    fn mount(at: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(at).output();
        mount.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_has_the_answers_of_the_table() {
    let directory = TempDir::new().unwrap();
    let Some(_mounted) = Tmpfs::mount(directory.path()) else {
        eprintln!("skipped: no right to mount a tmpfs");
        return;
    };
    let data = directory.path().join("data");
    let (filler, spare) = (directory.path().join("filler"), directory.path().join("spare"));
    let mut world = World::of(support::builder().with_data_dir(&data).start().await.unwrap());
    world.conversation("call-0001").await;
    let operation = world.train("m").await;
    let before = world.emulator.snapshot();
    std::fs::write(&spare, vec![0; 64 * 1024]).unwrap();
    let refused = std::fs::write(&filler, vec![0; 1 << 20]).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    // What is left of the last page of the log.
    let large = "7".repeat(8000);

    let mut table = String::from("| call | answer |\n|---|---|\n");
    let conversations = format!("{L}/conversations");
    let create = json!({ "agentId": large }).to_string();
    let calls = [
        ("CreateConversation", "POST", conversations.clone(), create.clone()),
        ("GetConversation", "GET", format!("{conversations}/call-0001"), String::new()),
        ("ListConversations", "GET", conversations.clone(), String::new()),
        (
            "UpdateConversation",
            "PATCH",
            format!("{conversations}/call-0001?updateMask=agentId"),
            create.clone(),
        ),
    ];
    for (method, verb, path, body) in calls {
        let (status, reply) = world.rest(verb, &path, &body).await;
        let message = reply["error"]["message"].as_str().map(|text| format!(": {text}")).unwrap_or_default();
        let answer = format!("{status}{}", message.replace(&data.display().to_string(), "DIR"));
        writeln!(table, "| `{method}` | {answer} |").unwrap();
    }
    for _ in 0..20 {
        // The polls that there is no space for are not counted, and those that there is are.
        world.poll(&operation.name).await;
    }
    writeln!(table, "| `GetOperation` | 200 |").unwrap();
    assert_eq!(world.rest("GET", &conversations, "").await.1["conversations"].as_array().unwrap().len(), 1);
    world.emulator.restore(&before).unwrap_err();
    let full = world.emulator.snapshot();
    world.emulator.stop().await;

    let again = support::builder().with_data_dir(&data).start().await.unwrap();
    assert_eq!(again.snapshot(), full);
    let world = World::of(again);
    let (refused, _) = world.rest("POST", &conversations, &create).await;
    let (read, _) = world.rest("GET", &conversations, "").await;
    std::fs::remove_file(&spare).unwrap();
    let (written, _) = world.rest("POST", &conversations, &create).await;
    writeln!(table, "| after a start on the full disk: `CreateConversation` | {refused} |").unwrap();
    writeln!(table, "| after a start on the full disk: `ListConversations` | {read} |").unwrap();
    writeln!(table, "| with space again: `CreateConversation` | {written} |").unwrap();
    let after = world.emulator.snapshot();
    world.emulator.stop().await;
    assert_eq!(support::builder().with_data_dir(&data).start().await.unwrap().snapshot(), after);
    documented::compare_part("durability", "full", &table);
}
