//! Maintainers' chores; users of the library never run this.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod canonical;
mod comments;
mod options;
mod printer;
mod protos;

const USAGE: &str = "\
usage: cargo xtask protos --from FILE.fds [--into DIR]   print proto/ from a FileDescriptorSet
       cargo xtask digest [--of DIR]                     print the digest of the contract in proto/";

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
    let (mut from, mut folder) = (None, PathBuf::from("proto"));
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        match flag.as_str() {
            "--from" => from = Some(PathBuf::from(value)),
            "--into" | "--of" => folder = PathBuf::from(value),
            _ => return Err(format!("unknown flag {flag}\n{USAGE}")),
        }
    }
    match command.as_str() {
        "protos" => {
            let from = from.ok_or_else(|| format!("protos needs --from\n{USAGE}"))?;
            protos::refresh(&from, &folder)
        }
        "digest" => print_digest(&folder),
        _ => Err(format!("unknown chore {command}\n{USAGE}")),
    }
}

fn print_digest(folder: &Path) -> Result<(), String> {
    println!("{}", canonical::digest(&protos::compile(folder)?)?);
    Ok(())
}
