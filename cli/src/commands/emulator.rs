//! `cci emulator`: serves the API from memory until it is told to stop.

mod env;
mod exec;
mod signals;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights_emulator::{Emulator as Server, Quotas, Seed, StartError};
use serde_json::json;

use self::signals::Signals;
use crate::args::{ClockChoice, EMULATOR_PORT, Emulator, EmulatorCommand, Serve};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{command, print, say};

pub(super) async fn run(args: Emulator) -> Result<ExitCode, Failure> {
    match args.command {
        None => serve(args.serve).await.map(|()| ExitCode::SUCCESS),
        Some(EmulatorCommand::Exec(args)) => exec::run(args).await,
        Some(EmulatorCommand::Env(args)) => env::run(&args).map(|()| ExitCode::SUCCESS),
    }
}

async fn serve(args: Serve) -> Result<(), Failure> {
    let port = args.port.unwrap_or(EMULATOR_PORT);
    // Watched from before the first line is printed: who has read it may stop us.
    let mut signals = Signals::new().map_err(unwatched)?;
    let emulator = start(&args, port).await?;
    print(&format!("{}\n", json!({ "ready": true, "address": emulator.host() })))?;
    if args.tls {
        say(format_args!(
            "it speaks TLS at {}; clients must trust its CA (--ca-out FILE)",
            emulator.endpoint()
        ));
    } else {
        say(format_args!("to use it: export {EMULATOR_HOST}={}", emulator.host()));
    }
    signals.next_end().await;
    tokio::select! {
        () = emulator.stop() => {}
        // Twice means at once.
        () = signals.next_end() => {}
    }
    Ok(())
}

fn unwatched(error: io::Error) -> Failure {
    Failure::because(Exit::Api, "cannot watch for signals", error)
}

/// An emulator as it was asked for, with the files written that were asked for.
async fn start(args: &Serve, port: u16) -> Result<Server, Failure> {
    let mut builder = Server::builder().with_address(SocketAddr::new(args.host, port));
    for profile in &args.profile {
        builder = match &profile.method {
            Some(method) => builder.with_method_profile(method, profile.profile.clone()),
            None => builder.with_profile(profile.profile.clone()),
        };
    }
    if let Some(file) = &args.seed {
        builder = builder.with_seed(read_seed(file)?);
    }
    if let Some(directory) = &args.gcs_root {
        builder = builder.with_gcs_root(directory);
    }
    if let Some(directory) = &args.data_dir {
        builder = builder.with_data_dir(directory);
    }
    if let ClockChoice::Virtual(clock) = &args.clock {
        builder = builder.with_clock(clock.clone());
    }
    if args.tls {
        builder = builder.with_tls();
    }
    if args.documented_quotas {
        builder = builder.with_quotas(Quotas::documented());
    }
    let emulator = builder.start().await.map_err(not_started)?;
    if let Some(file) = &args.faults {
        let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
            Failure::because(Exit::Usage, format!("cannot use the faults {}", file.display()), error)
        };
        let text = fs::read_to_string(file).map_err(|error| unusable(error.into()))?;
        emulator.add_faults_json(&text).map_err(|status| unusable(status.message().into()))?;
    }
    if let (Some(file), Some(ca)) = (&args.ca_out, emulator.ca_pem()) {
        write_whole(file, ca)?;
    }
    if let Some(file) = &args.addr_file {
        write_whole(file, &format!("{}\n", emulator.host()))?;
    }
    Ok(emulator)
}

/// Writes a file that others wait for: it is not there, or it is whole.
fn write_whole(file: &Path, text: &str) -> Result<(), Failure> {
    let mut partial = file.as_os_str().to_owned();
    partial.push(format!(".{}.part", std::process::id()));
    let written = fs::write(&partial, text).and_then(|()| fs::rename(&partial, file));
    written.map_err(|error| Failure::because(Exit::Usage, format!("cannot write {}", file.display()), error))
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
        StartError::Method(_)
        | StartError::Fault(_)
        | StartError::GcsRoot { .. }
        | StartError::DataDir { .. } => Failure::new(Exit::Usage, error),
        _ => Failure::new(Exit::Api, error),
    };
    if is_taken {
        let help = "another program listens there, perhaps another emulator; to take a free port: ";
        failure.with_help(help.to_owned() + &command(["emulator", "--port", "0"]))
    } else {
        failure
    }
}
