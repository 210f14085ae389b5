//! `cci emulator`: serves the API from memory until it is told to stop.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights_emulator::{Emulator as Server, Seed, StartError};
use serde_json::json;

use crate::args::Emulator;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{command, print, say};

pub(super) async fn run(args: Emulator) -> Result<(), Failure> {
    let mut builder = Server::builder().with_address((Ipv4Addr::LOCALHOST, args.port).into());
    for profile in args.profile {
        builder = match profile.method {
            Some(method) => builder.with_method_profile(method, profile.profile),
            None => builder.with_profile(profile.profile),
        };
    }
    if let Some(file) = &args.seed {
        builder = builder.with_seed(read_seed(file)?);
    }
    if let Some(directory) = args.gcs_root {
        builder = builder.with_gcs_root(directory);
    }
    // Watched from before the first line is printed: who has read it may stop us.
    let mut signals =
        Signals::new().map_err(|e| Failure::because(Exit::Api, "cannot watch for signals", e))?;
    let emulator = builder.start().await.map_err(not_started)?;
    print(&format!("{}\n", json!({ "ready": true, "address": emulator.host() })))?;
    say(format_args!("to use it: export {EMULATOR_HOST}={}", emulator.host()));
    signals.next().await;
    tokio::select! {
        () = emulator.stop() => {}
        // Twice means at once.
        () = signals.next() => {}
    }
    Ok(())
}

fn read_seed(file: &Path) -> Result<Seed, Failure> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
        let help = "a seed is {\"operations\": [...], ...}: lists of resources as the REST API prints them, each \
                    with its full name";
        Failure::because(Exit::Usage, format!("cannot use the seed {}", file.display()), error)
            .with_help(help)
    };
    let text = fs::read_to_string(file).map_err(|error| unusable(error.into()))?;
    Seed::from_json(&text).map_err(|error| unusable(error.into()))
}

fn not_started(error: StartError) -> Failure {
    let is_taken =
        matches!(&error, StartError::Bind { source, .. } if source.kind() == io::ErrorKind::AddrInUse);
    let failure = match &error {
        StartError::Method(_) | StartError::GcsRoot { .. } => Failure::new(Exit::Usage, error),
        _ => Failure::new(Exit::Api, error),
    };
    if is_taken {
        let help = "another program listens there, perhaps another emulator; to take a free port: ";
        failure.with_help(help.to_owned() + &command(["emulator", "--port", "0"]))
    } else {
        failure
    }
}

/// The signals that end the emulator well: Ctrl-C, and SIGTERM where there is one.
#[derive(Debug)]
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
