//! Maintainers' chores; users of the library never run this.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

mod admin_api;
mod canonical;
mod comments;
mod guesses;
mod options;
mod printer;
mod protos;

const USAGE: &str = "\
usage: cargo xtask protos --from FILE.fds [--into DIR]   print proto/ from a FileDescriptorSet
       cargo xtask digest [--of DIR]                     print the digest of the contract in proto/
       cargo xtask descriptors --into FILE [--of DIR]    write the contract as a FileDescriptorSet
       cargo xtask emulator-docs                         write what docs/ has from the emulator's proto and rules";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Vec<String>) -> Result<(), String> {
    let mut args = args.into_iter();
    let command = args.next().ok_or(USAGE)?;
    let (mut from, mut into, mut of) = (None, None, None);
    while let Some(flag) = args.next() {
        let slot = match flag.as_str() {
            "--from" => &mut from,
            "--into" => &mut into,
            "--of" => &mut of,
            _ => return Err(format!("unknown flag {flag}\n{USAGE}")),
        };
        *slot = Some(PathBuf::from(args.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?));
    }
    let proto = PathBuf::from("proto");
    match command.as_str() {
        "protos" => {
            let from = from.ok_or_else(|| format!("protos needs --from\n{USAGE}"))?;
            protos::refresh(&from, &into.unwrap_or(proto))
        }
        "digest" => {
            println!("{}", canonical::digest(&protos::compile(&of.unwrap_or(proto))?)?);
            Ok(())
        }
        "descriptors" => {
            let into = into.ok_or_else(|| format!("descriptors needs --into\n{USAGE}"))?;
            let set = protos::compile(&of.unwrap_or(proto))?;
            fs::write(&into, set).map_err(|e| format!("cannot write {}: {e}", into.display()))
        }
        "emulator-docs" => emulator_docs(),
        _ => Err(format!("unknown chore {command}\n{USAGE}")),
    }
}

fn emulator_docs() -> Result<(), String> {
    let read = |path: &str| fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"));
    let write =
        |path: &str, text: String| fs::write(path, text).map_err(|e| format!("cannot write {path}: {e}"));
    write("docs/admin-api.md", admin_api::page(&PathBuf::from("emulator/proto"))?)?;
    let errors = "docs/emulator-errors.md";
    write(errors, guesses::page(&read(errors)?, &read("emulator/tests/rules/RULES.md")?)?)
}
