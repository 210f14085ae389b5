//! Processes, and what is done to them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::child::Orders;
use crate::crashing::EDGES;

type MakeOrders = dyn Fn(&str, i64) -> Orders + Send;

pub(crate) struct Fleet {
    make: Box<MakeOrders>,
    children: Vec<Child>,
    pub(crate) kills: u64,
    pub(crate) aborts: u64,
    pub(crate) freezes: u64,
    /// Whether children abort by themselves, at a random edge.
    pub(crate) aborting: bool,
}

impl Fleet {
    pub(crate) fn new(make: impl Fn(&str, i64) -> Orders + Send + 'static) -> Self {
        let make = Box::new(make);
        Self { make, children: Vec::new(), kills: 0, aborts: 0, freezes: 0, aborting: false }
    }

    pub(crate) fn grow(&mut self, count: usize) {
        for _ in 0..count {
            let child = self.spawn();
            self.children.push(child);
        }
    }

    fn spawn(&self) -> Child {
        let edge = if self.aborting && fastrand::u8(..3) > 0 {
            EDGES[fastrand::usize(..EDGES.len())]
        } else {
            "none"
        };
        let orders = (self.make)(edge, fastrand::i64(1..4));
        Command::new(std::env::current_exe().unwrap())
            .args(orders.arguments())
            .stdin(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Puts others in the place of those that have aborted.
    pub(crate) fn tend(&mut self) {
        for place in 0..self.children.len() {
            if let Some(status) = self.children[place].try_wait().unwrap() {
                assert_ne!(status.code(), Some(70), "a child was handed something wrong");
                self.aborts += 1;
                self.children[place] = self.spawn();
            }
        }
    }

    /// Kills one, and puts another in its place.
    pub(crate) fn kill(&mut self, place: usize) {
        self.children[place].kill().unwrap();
        self.children[place].wait().unwrap();
        self.kills += 1;
        self.children[place] = self.spawn();
    }

    /// Kills one for good.
    pub(crate) fn remove(&mut self, place: usize) {
        let mut child = self.children.remove(place);
        child.kill().unwrap();
        child.wait().unwrap();
        self.kills += 1;
    }

    pub(crate) fn random(&self) -> usize {
        fastrand::usize(..self.children.len())
    }

    pub(crate) fn signal(&self, place: usize, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.children[place]), signal);
    }

    /// Freezes one for a time.
    pub(crate) async fn freeze(&mut self, place: usize, time: Duration) {
        self.signal(place, Signal::STOP);
        tokio::time::sleep(time).await;
        self.signal(place, Signal::CONT);
        self.freezes += 1;
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// How often each name was handed over, by the files of all children.
pub(crate) fn handed(path: &Path) -> HashMap<String, u64> {
    let (folder, stem) = (path.parent().unwrap(), path.file_name().unwrap().to_str().unwrap());
    let files = std::fs::read_dir(folder).unwrap().flatten().map(|of| of.path());
    let ours = |of: &PathBuf| of.file_name().unwrap().to_str().unwrap().starts_with(&format!("{stem}."));
    let mut counts = HashMap::new();
    for file in files.filter(ours) {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            *counts.entry(line.to_owned()).or_default() += 1;
        }
    }
    counts
}
