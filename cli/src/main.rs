//! `cci`: long-running operations of the Contact Center AI Insights API from a shell, and its emulator.
//!
//! `main` maps how a command ended to an exit code; `run` does the command. Data goes to stdout, everything
//! else to stderr.
//!
//! The modules by floor, lowest first; each imports only from floors before its own:
//! `duration`, `escape`, `exit`, `http_rule`, `progress`, `shell`; `failure`; `api`, `config`, `terminal`, `token`; `scope`;
//! `name`; `headers`, `hints`, `log`, `output`, `progress_bar`; `recording`, `reporter`, `web`; `rest`; `record`, `verify`;
//! `args`; `session`, `usage`; `commands`. Within `api`: `naming`, `raw`, `rpc`; `request`. Within `args`: `connection`, `progress`,
//! `scope`; `config`, `doctor`, `emulator`, `example`, `filters`, `flags`, `recording`, `rest`, `worker`; `methods`, `operations`. Within
//! `config`: `file`. Within `hints`: `beside`. Within `log`: `calls`. Within `output`: `jq`, `layout`, `sort`, `summary`; `values`; `table`; `format`, `frame`,
//! `list`. Within `rest`: `path`. Within `session`: `given`. Within `commands`: `complete`, `config`, `decode`, `doctor`, `ending`,
//! `emulator`, `help`, `patience`, `rest`, `stop`; `tally`, `watch`; `operations`, `worker`; `many`; `wait`; `call`, `quickstart`.
//! Within `commands::doctor`: `report`; `identity`, `network`. Within `commands::emulator`: `env`, `signals`, `start`; `exec`. Within
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
mod config;
mod duration;
mod escape;
mod exit;
mod failure;
mod headers;
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
mod rest;
mod scope;
mod session;
mod shell;
mod terminal;
mod token;
mod usage;
mod verify;
mod web;

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use mimalloc::MiMalloc;
use tokio::runtime::Builder;

use crate::args::{Cli, Command, Invocation};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Format;

/// Gives memory back: an emulator that was full, and is emptied, is small again. glibc's keeps nearly all that its threads
/// ever had, of which next to nothing is in use.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    commands::answer_shell();
    let line = match asked() {
        Ok(line) => line,
        Err(error) => return usage::report(error),
    };
    run(line).unwrap_or_else(|failure| {
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

impl Asked {
    /// Whether it prints results, for which the profile may have a format. Those that change or try the configuration
    /// must work with a bad one.
    fn prints(&self) -> bool {
        match self {
            Self::Command(cli) => !matches!(
                cli.command,
                Command::Completions(_)
                    | Command::Config(_)
                    | Command::Doctor(_)
                    | Command::Emulator(_)
                    | Command::Man(_)
                    | Command::Record(_)
            ),
            Self::Method(..) => true,
        }
    }

    /// Whether it finds something out for people, unless somebody asks for a document.
    fn is_for_people(&self) -> bool {
        matches!(self, Self::Command(cli) if matches!(cli.command, Command::Doctor(_) | Command::Config(_)))
    }

    fn set_format(&mut self, format: Format) {
        match self {
            Self::Command(cli) => cli.output = format,
            Self::Method(_, known) => *known = format,
        }
    }
}

/// What is asked for, and how.
struct CommandLine {
    asked: Asked,
    /// Whether it says how results are printed.
    has_format: bool,
    verbose: u8,
}

fn asked() -> Result<CommandLine, clap::Error> {
    let words: Vec<_> = std::env::args_os().collect();
    // The commands of a resource are made from the descriptors, which takes a while: only of one that is named.
    let is_named = |group: &str| words.iter().skip(1).any(|word| word == group);
    // Left to the end of the process, since to take it to pieces takes as long as to parse.
    let command = Box::leak(Box::new(args::augment(Cli::command(), &is_named).subcommand(args::call())));
    let matches = command.try_get_matches_from_mut(&words)?;
    profile(&matches).into_iter().for_each(config::choose);
    let verbose = matches.get_count("verbose");
    let has_format = matches.value_source("output") == Some(ValueSource::CommandLine);
    terminal::set_color(matches.get_one("color").copied().unwrap_or_default());
    let format = matches.get_one::<Format>("output").copied().unwrap_or_default();
    let asked = match matches.subcommand() {
        Some(("call", inner)) => Asked::Method(args::of_call(inner)?, format),
        Some((group, inner)) if api::GROUPS.iter().any(|(name, _)| *name == group) => {
            Asked::Method(args::of_group(group, inner)?, format)
        }
        _ => Asked::Command(Cli::from_arg_matches(&matches)?),
    };
    Ok(CommandLine { asked, has_format, verbose })
}

/// The profile that `--profile` names; elsewhere the flag is of another type.
fn profile(matches: &ArgMatches) -> Option<String> {
    let mut inner = matches;
    while let Some((_, below)) = inner.subcommand() {
        inner = below;
    }
    inner.try_get_one::<String>("profile").ok().flatten().cloned()
}

fn run(CommandLine { mut asked, has_format, verbose }: CommandLine) -> Result<ExitCode, Failure> {
    if !has_format && asked.is_for_people() {
        asked.set_format(Format::Table);
    }
    if !has_format
        && asked.prints()
        && let Some(found) = config::get(config::OUTPUT)?
    {
        let format = Format::parse(&found.value);
        asked.set_format(format.map_err(|reason| config::unusable(config::OUTPUT, &found, reason))?);
    }
    // An emulator has something to say to those who set it up; a client says it all in its result.
    let is_emulator = matches!(&asked, Asked::Command(cli) if matches!(cli.command, Command::Emulator(_)));
    log::start(is_emulator.then_some("warn"), verbose);
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
