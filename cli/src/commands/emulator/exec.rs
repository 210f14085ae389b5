//! `cci emulator exec`: a command beside an emulator of its own.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};

use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights_emulator::Emulator as Server;
use tokio::process::{Child, Command};

use super::signals::{self, Signals};
use super::start::{start, write_whole};
use crate::args::Exec;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::eprint_line;
use crate::token::TOKEN_VARIABLE;

/// What shells say of a command that is not there, and of one that cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

pub(super) async fn run(args: Exec) -> Result<ExitCode, Failure> {
    let mut words = args.command.into_iter();
    let program = words.next().unwrap_or_default();
    let mut signals = signals::watch()?;
    let started = start(&args.serve, 0).await?;
    let emulator = &started.emulator;
    let ca = Authority::of(emulator, args.serve.listen.ca_out)?;
    let mut command = Command::new(&program);
    // A token of the real service is not for a command that talks to an emulator.
    command.args(words).env_remove(TOKEN_VARIABLE).envs(variables(emulator, ca.path()));
    let code = match command.spawn() {
        Ok(mut child) => watch(&mut child, &mut signals).await?,
        Err(error) => {
            let code = if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN };
            eprint_line(Failure::because(Exit::Usage, format!("cannot run {}", program.display()), error));
            code
        }
    };
    started.stop().await;
    Ok(code.into())
}

/// Where the command finds the emulator.
fn variables(emulator: &Server, ca: Option<&Path>) -> Vec<(&'static str, OsString)> {
    let mut variables = vec![("CONTACTCENTERINSIGHTS_EMULATOR_ENDPOINT", emulator.endpoint().into())];
    match ca {
        // What reads this speaks plaintext.
        None => variables.push((EMULATOR_HOST, emulator.host().into())),
        Some(ca) => {
            for name in [
                "CONTACTCENTERINSIGHTS_EMULATOR_CA",
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
                "NODE_EXTRA_CA_CERTS",
            ] {
                variables.push((name, ca.into()));
            }
        }
    }
    // No proxy leads to this machine.
    let host = emulator.host();
    let host = host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host).trim_matches(['[', ']']);
    for name in ["NO_PROXY", "no_proxy"] {
        let before = env::var(name).unwrap_or_default();
        let comma = if before.is_empty() { "" } else { "," };
        variables.push((name, format!("{before}{comma}{host},localhost").into()));
    }
    variables
}

/// The file with the authority's certificate; one that nobody asked for is removed in the end.
struct Authority {
    path: Option<PathBuf>,
    is_ours: bool,
}

impl Authority {
    fn of(emulator: &Server, asked: Option<PathBuf>) -> Result<Self, Failure> {
        let Some(pem) = emulator.ca_pem() else { return Ok(Self { path: None, is_ours: false }) };
        if asked.is_some() {
            return Ok(Self { path: asked, is_ours: false });
        }
        let path = env::temp_dir().join(format!("cci-emulator-{}-ca.pem", emulator.address().port()));
        write_whole(&path, pem)?;
        Ok(Self { path: Some(path), is_ours: true })
    }

    fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        if let (Some(path), true) = (&self.path, self.is_ours) {
            // Nothing but a file in the temporary directory is left behind.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Waits for the command to end; what signals come meanwhile are for it.
async fn watch(child: &mut Child, signals: &mut Signals) -> Result<u8, Failure> {
    loop {
        #[cfg(unix)]
        tokio::select! {
            status = child.wait() => return status.map(code).map_err(lost),
            signal = signals.next() => pass_on(child, signal),
        }
        #[cfg(not(unix))]
        tokio::select! {
            status = child.wait() => return status.map(code).map_err(lost),
            // The console has told the command too.
            () = signals.next_end() => {}
        }
    }
}

fn lost(error: std::io::Error) -> Failure {
    Failure::because(Exit::Api, "cannot wait for the command", error)
}

/// A command that has been waited for has no id any more, so that nothing else can be hit.
#[cfg(unix)]
fn pass_on(child: &Child, signal: rustix::process::Signal) {
    use rustix::process::{Pid, Signal, kill_process};

    if matches!(signal, Signal::INT | Signal::QUIT) && is_in_foreground() {
        // Typed at the terminal, which has sent it to the command too: once is enough.
        return;
    }
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(Err(error)) = id.map(|id| kill_process(id, signal)) {
        eprint_line(format_args!("cannot pass a signal on: {error}"));
    }
}

/// Whether Ctrl-C at the terminal reaches this process and its children.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    let own = rustix::process::getpgrp();
    rustix::termios::tcgetpgrp(std::io::stdin()).is_ok_and(|group| group == own)
}

fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let by_signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let by_signal = None;
    by_signal.or(status.code()).and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
