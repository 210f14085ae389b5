//! `cci emulator` as a process, for benches.

#![allow(dead_code, reason = "a module of each bench, which uses its part")]

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The emulator's process. It ends when this is dropped.
pub(crate) struct Emulator {
    pub(crate) process: Child,
    pub(crate) address: String,
}

impl Emulator {
    /// On a port of its choice, with `option` and its file or folder. Returns once it says that it is ready.
    pub(crate) fn start(option: &str, path: &Path) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cci"))
            .args(["emulator", "--port", "0", option])
            .arg(path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        let address = line.split('"').rev().nth(1).ok_or("no address in the first line")?.to_owned();
        Ok(Self { process, address })
    }

    /// A field of `proc_pid_status(5)`; `None` where there is none.
    pub(crate) fn kib(&self, field: &str) -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
