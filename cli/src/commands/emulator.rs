//! `cci emulator`: serves the API from memory until it is told to stop.

mod env;
mod exec;
mod health;
mod signals;
mod start;

use std::process::ExitCode;
use std::{future, io, thread};

use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights_emulator::DEFAULT_PORT;
use serde_json::json;
use tokio::sync::oneshot;

use self::signals::watch;
use self::start::start;
use crate::args::{Emulator, EmulatorCommand, Serve};
use crate::failure::Failure;
use crate::terminal::{eprint_line, print};

pub(super) async fn run(args: Emulator) -> Result<ExitCode, Failure> {
    match args.command {
        None => serve(args.serve, args.exit_with_stdin).await.map(|()| ExitCode::SUCCESS),
        Some(EmulatorCommand::Exec(args)) => exec::run(*args).await,
        Some(EmulatorCommand::Env(args)) => env::run(&args).map(|()| ExitCode::SUCCESS),
        Some(EmulatorCommand::Health(args)) => health::run(args).await.map(|()| ExitCode::SUCCESS),
    }
}

async fn serve(args: Serve, exit_with_stdin: bool) -> Result<(), Failure> {
    // Watched from before the first line is printed: who has read it may stop us.
    let mut signals = watch()?;
    let started = start(&args, DEFAULT_PORT).await?;
    let emulator = &started.emulator;
    print(&format!("{}\n", json!({ "ready": true, "address": emulator.host() })))?;
    if args.listen.tls {
        eprint_line(format_args!(
            "it speaks TLS at {}; clients must trust its CA (--ca-out FILE)",
            emulator.endpoint()
        ));
    } else {
        eprint_line(format_args!("to use it: export {EMULATOR_HOST}={}", emulator.host()));
    }
    eprint_line(format_args!("to look at it: {}/ in a browser", emulator.endpoint()));
    tokio::select! {
        () = signals.next_end() => {}
        () = end_of_stdin(), if exit_with_stdin => {}
    }
    tokio::select! {
        () = started.stop() => {}
        // Twice means at once.
        () = signals.next_end() => {}
    }
    Ok(())
}

/// Until stdin is closed. A thread of its own reads it: a runtime waits at its end for reads of its own.
async fn end_of_stdin() {
    let (ended, end) = oneshot::channel::<()>();
    let read = move || {
        let _held = ended;
        // Stdin that cannot be read is closed.
        io::copy(&mut io::stdin().lock(), &mut io::sink())
    };
    match thread::Builder::new().name("stdin".into()).spawn(read) {
        Ok(_) => _ = end.await,
        Err(error) => {
            eprint_line(format_args!("cannot watch stdin: {error}"));
            future::pending::<()>().await;
        }
    }
}
