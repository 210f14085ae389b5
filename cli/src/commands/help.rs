//! `cci completions` and `cci man`: what shells and `man` need, made of the tree of all commands.

use std::env;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::env::Shells;
use clap_mangen::Man as Page;

use super::complete;
use crate::args::{self, Cli, Completions, Man};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{eprint_line, print};

/// The variable by which the scripts ask for completions.
const ASKED: &str = "CCI_COMPLETE";

/// Answers a shell that asks for completions, and ends the process; does nothing otherwise.
pub(crate) fn answer_shell() {
    if env::var_os(ASKED).is_none() {
        return;
    }
    let words: Vec<_> = env::args_os().collect();
    let is_named = |group: &str| words.iter().any(|word| word == group);
    CompleteEnv::with_factory(|| complete::with_names(tree(&is_named))).var(ASKED).complete();
}

/// All commands; those of resources are whole where they are wanted.
fn tree(wanted: &dyn Fn(&str) -> bool) -> Command {
    args::augment(Cli::command(), wanted).subcommand(args::call())
}

pub(super) fn completions(args: &Completions) -> Result<(), Failure> {
    let broken =
        |error: &dyn std::fmt::Display| Failure::new(Exit::Api, format!("cannot make the script: {error}"));
    let shells = Shells::builtins();
    let shell = shells.completer(args.shell.name()).ok_or_else(|| broken(&"this shell is not known"))?;
    let mut script = Vec::new();
    shell
        .write_registration(ASKED, "cci", "cci", &completer(), &mut script)
        .map_err(|error| broken(&error))?;
    print(&String::from_utf8_lossy(&script))
}

/// The program that the script calls: this one, found as it was now.
fn completer() -> String {
    let Some(program) = env::args_os().next() else { return "cci".to_owned() };
    let path = Path::new(&program);
    if path.components().count() < 2 {
        return program.to_string_lossy().into_owned();
    }
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

pub(super) fn man(args: &Man) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::because(Exit::Api, "cannot write the manual", error);
    match &args.dir {
        None => {
            let mut page = Vec::new();
            Page::new(tree(&|_| false)).render(&mut page).map_err(unwritable)?;
            print(&String::from_utf8_lossy(&page))
        }
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(unwritable)?;
            clap_mangen::generate_to(tree(&|_| true), dir).map_err(unwritable)?;
            eprint_line(format_args!(
                "the pages are in {}; to read one: man -l {}/cci.1",
                dir.display(),
                dir.display()
            ));
            Ok(())
        }
    }
}
