//! `cci`: long-running operations of the Contact Center AI Insights API from a shell, and its emulator.
//!
//! `main` maps how a command ended to an exit code; `run` does the command. Data goes to stdout, everything
//! else to stderr.
//!
//! The modules by floor, lowest first; each imports only from floors before its own:
//! `duration`, `escape`, `exit`, `http_rule`, `progress`, `shell`; `failure`; `api`, `terminal`, `token`; `name`, `scope`;
//! `hints`, `log`, `output`, `progress_bar`; `recording`, `reporter`, `web`; `record`, `verify`; `args`; `session`, `usage`; `commands`.
//! Within `api`: `naming`, `raw`, `rpc`; `request`. Within `args`: `connection`, `emulator`, `flags`, `progress`, `recording`, `scope`, `worker`;
//! `example`, `operations`; `methods`.
//! Within `output`: `layout`, `sort`, `summary`; `values`; `table`; `frame`, `list`. Within `commands`: `decode`, `ending`, `emulator`, `patience`,
//! `stop`; `tally`, `watch`; `operations`, `worker`; `many`; `wait`; `call`, `quickstart`. Within `commands::emulator`: `env`, `signals`, `start`; `exec`. Within
//! `commands::worker`: `sinks`; `run`.
// Of times: what comes from the wire or from a user overflows them. Integers are listed in clippy.toml.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test that fails may panic"
    )
)]

mod api;
mod args;
mod commands;
mod duration;
mod escape;
mod exit;
mod failure;
mod hints;
mod http_rule;
mod log;
mod name;
mod output;
mod progress;
mod progress_bar;
mod record;
mod recording;
mod reporter;
mod scope;
mod session;
mod shell;
mod terminal;
mod token;
mod usage;
mod verify;
mod web;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use tokio::runtime::Builder;

use crate::args::{Cli, Command, Invocation};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Format;

fn main() -> ExitCode {
    let asked = match asked() {
        Ok(asked) => asked,
        Err(error) => return usage::report(error),
    };
    run(asked).unwrap_or_else(|failure| {
        terminal::eprint_line(&failure);
        failure.exit().into()
    })
}

/// What the command line asks for.
enum Asked {
    Command(Cli),
    /// A method, by its name or by the command of its resource.
    Method(Invocation, Format),
}

fn asked() -> Result<Asked, clap::Error> {
    let words: Vec<_> = std::env::args_os().collect();
    // The commands of a resource are made from the descriptors, which takes a while: only of one that is named.
    let is_named = |group: &str| words.iter().skip(1).any(|word| word == group);
    let matches =
        args::augment(Cli::command(), &is_named).subcommand(args::call()).try_get_matches_from(&words)?;
    terminal::set_color(matches.get_one("color").copied().unwrap_or_default());
    let format = matches.get_one::<Format>("output").copied().unwrap_or_default();
    match matches.subcommand() {
        Some(("call", inner)) => Ok(Asked::Method(args::of_call(inner)?, format)),
        Some((group, inner)) if api::GROUPS.iter().any(|(name, _)| *name == group) => {
            Ok(Asked::Method(args::of_group(group, inner)?, format))
        }
        _ => Cli::from_arg_matches(&matches).map(Asked::Command),
    }
}

fn run(asked: Asked) -> Result<ExitCode, Failure> {
    // An emulator has something to say to those who set it up; a client says it all in its result.
    let is_emulator = matches!(&asked, Asked::Command(cli) if matches!(cli.command, Command::Emulator(_)));
    log::start(is_emulator.then_some("warn"));
    let runtime = builder(is_emulator)
        .enable_all()
        .build()
        .map_err(|error| Failure::because(Exit::Api, "cannot start the runtime", error))?;
    let result = match asked {
        Asked::Command(cli) => runtime.block_on(commands::run(cli)),
        Asked::Method(asked, format) => runtime.block_on(commands::invoke(asked, format)),
    };
    // A name that is still being resolved must not keep the process from ending.
    runtime.shutdown_background();
    result
}

/// One thread does for a client that makes a call at a time, and starts fastest. An emulator has several clients, and has
/// two threads more than there are processors: one that is slow to answer keeps no other waiting.
fn builder(is_emulator: bool) -> Builder {
    if !is_emulator {
        return Builder::new_current_thread();
    }
    let mut builder = Builder::new_multi_thread();
    let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    builder.worker_threads(processors.saturating_add(2));
    builder
}
