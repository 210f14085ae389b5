//! `cci verify`: replays recordings against an emulator, and prints what differs.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::args::Verify;
use crate::escape::{counted, line, line_within};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Format;
use crate::recording::Contract;
use crate::terminal::{eprint_line, print};
use crate::verify::{Compared, verify};

/// How much of a value a table shows, in characters.
const MOST_OF_VALUE: usize = 200;

pub(super) async fn run(args: &Verify, output: Format) -> Result<ExitCode, Failure> {
    let contract = Contract::new();
    let (mut all, mut different) = (0, Vec::new());
    for file in &args.files {
        let compared = verify(&contract, file, args.gcs_root.as_deref()).await?;
        let (of_file, name) = (compared.len(), file.display().to_string());
        let differ: Vec<_> =
            compared.into_iter().filter(|compared| !compared.differences.is_empty()).collect();
        eprint_line(format_args!("{name}: {} of {of_file} alike", of_file - differ.len()));
        all += of_file;
        different.extend(differ.into_iter().map(|compared| (name.clone(), compared)));
    }
    print(&printed(&different, output)?)?;
    if args.files.len() > 1 {
        let exchanges = counted(all, "exchange", "exchanges");
        eprint_line(format_args!("{} of {exchanges} alike", all - different.len()));
    }
    Ok(if different.is_empty() { ExitCode::SUCCESS } else { Exit::Api.into() })
}

/// The exchanges that differ.
fn printed(different: &[(String, Compared)], output: Format) -> Result<String, Failure> {
    match output {
        Format::Json | Format::Jsonl | Format::Yaml | Format::Csv | Format::Jq(_) => {
            let documents: Vec<Value> =
                different.iter().map(|(file, compared)| document(file, compared)).collect();
            output.value(&documents.into())
        }
        Format::Name => Ok(different.iter().fold(String::new(), |mut text, (file, compared)| {
            let _ = writeln!(text, "{}", place(file, compared));
            text
        })),
        Format::Table | Format::Wide => {
            Ok(different.iter().fold(String::new(), |mut text, (file, compared)| {
                let (verb, path) = (&compared.exchange.verb, &compared.exchange.path);
                let _ = writeln!(text, "{} {verb} {}", place(file, compared), line(path));
                for difference in &compared.differences {
                    let shown = |value: &Option<Value>| match value {
                        Some(value) => line_within(&value.to_string(), MOST_OF_VALUE),
                        None => "nothing".to_owned(),
                    };
                    let _ = writeln!(text, "  {}", line(&difference.place));
                    let _ = writeln!(text, "    recorded  {}", shown(&difference.recorded));
                    let _ = writeln!(text, "    emulator  {}", shown(&difference.emulator));
                }
                text
            }))
        }
    }
}

/// Such as `calls.jsonl 7`.
fn place(file: &str, compared: &Compared) -> String {
    format!("{} {}", line(file), compared.exchange.n)
}

fn document(file: &str, compared: &Compared) -> Value {
    let differences = compared.differences.iter().map(|difference| {
        json!({"place": difference.place, "recorded": difference.recorded, "emulator": difference.emulator})
    });
    json!({
        "file": file,
        "n": compared.exchange.n,
        "method": compared.exchange.verb,
        "path": compared.exchange.path,
        "differences": differences.collect::<Vec<_>>(),
    })
}
