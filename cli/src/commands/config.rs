//! `cci config`: what the configuration says, and changing it.

use std::env;

use clap::ValueEnum as _;
use contact_center_insights::Endpoint;
use contact_center_insights::client::EMULATOR_HOST;
use serde_json::{Value, json};

use crate::args::{Config, ConfigCommand, DEFAULT_REQUEST_TIMEOUT};
use crate::config::{self, File, Found, KEYS};
use crate::duration::parse_limit;
use crate::escape::line;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Format;
use crate::scope::Scope;
use crate::terminal::{eprint_line, print};

pub(super) fn run(Config { command, .. }: Config, output: Format) -> Result<(), Failure> {
    match command {
        ConfigCommand::Set { key, value } => set(&key, Some(&value)),
        ConfigCommand::Unset { key } => set(&key, None),
        ConfigCommand::Get { key } => {
            let found = now(known(&key)?)?.ok_or_else(|| {
                let help = format!("to set it: cci config set {key} VALUE");
                Failure::new(Exit::NotFound, format!("nothing says {key}")).with_help(help)
            })?;
            print(&(line(&found.value).into_owned() + "\n"))
        }
        ConfigCommand::List => list(output),
        ConfigCommand::Use { name } => activate(name, output),
    }
}

/// The key of this name.
fn known(key: &str) -> Result<&'static str, Failure> {
    let spelled = key.to_ascii_lowercase().replace('_', "-");
    KEYS.into_iter().find(|known| *known == spelled).ok_or_else(|| {
        let help = format!("the keys are {}", KEYS.join(", "));
        Failure::new(Exit::Usage, format!("`{key}` is not a key of the configuration")).with_help(help)
    })
}

fn set(key: &str, value: Option<&str>) -> Result<(), Failure> {
    let key = known(key)?;
    if let Some(value) = value {
        check(key, value)?;
    }
    let mut file = File::read(config::path())?;
    // A profile that is not there yet is made.
    let profile = match config::chosen() {
        Some(Found { value, .. }) => value,
        None => file.active(None)?,
    };
    is_name(&profile)?;
    file.set(&profile, key, value)?;
    file.save()?;
    let done = if value.is_some() { "set" } else { "taken out" };
    eprint_line(format_args!("{key} is {done} in the profile {profile} of {}", file.shown()));
    // What wins over the file would make the change look lost.
    if let Some(found) = now(key)?.filter(|found| value.is_some_and(|value| found.value != value)) {
        eprint_line(format_args!("note: {} says `{}`, which counts here", found.source, found.value));
    }
    Ok(())
}

/// Refuses what no command could use.
fn check(key: &str, value: &str) -> Result<(), Failure> {
    let refused = |reason: String, help: &str| {
        Err(Failure::because(Exit::Usage, format!("`{value}` cannot be the {key}"), reason).with_help(help))
    };
    match key {
        config::PROJECT | config::LOCATION => {
            let is_fine = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
            if value.is_empty() || !value.chars().all(is_fine) {
                let reason = "an id has letters, digits, `-`, `_`, `.` and `:`";
                return refused(reason.to_owned(), "give the id alone, such as my-project or us-central1");
            }
        }
        config::ENDPOINT => {
            if let Err(error) = value.parse::<Endpoint>() {
                return refused(
                    error.to_string(),
                    "https://HOST[:PORT], or http://HOST:PORT for an emulator",
                );
            }
        }
        config::REQUEST_TIMEOUT => {
            if let Err(reason) = parse_limit(value) {
                return refused(reason, "such as 90s, 5m, or none");
            }
        }
        config::OUTPUT => {
            if let Err(reason) = Format::parse(value) {
                return refused(reason, "such as json, yaml or table");
            }
        }
        // A file may come later.
        _ => {}
    }
    Ok(())
}

fn is_name(profile: &str) -> Result<(), Failure> {
    let is_fine = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if profile.is_empty() || !profile.chars().all(is_fine) {
        let reason = format!("`{profile}` is not the name of a profile: letters, digits, `-`, `_` and `.`");
        return Err(Failure::new(Exit::Usage, reason));
    }
    Ok(())
}

/// What commands go by, but for their flags.
fn now(key: &'static str) -> Result<Option<Found>, Failure> {
    let variable = |name: &str| {
        let value = env::var(name).ok().filter(|value| !value.is_empty())?;
        Some(Found { value, source: name.to_owned() })
    };
    match key {
        config::PROJECT => Scope::default().project(),
        config::LOCATION => Scope::default().location(),
        config::ENDPOINT => match variable(EMULATOR_HOST) {
            Some(found) => Ok(Some(found)),
            None => config::get(key),
        },
        _ => config::get(key),
    }
}

/// What holds where nothing says.
fn fallback(key: &str) -> Option<String> {
    match key {
        config::ENDPOINT => Some("the host of the location".to_owned()),
        config::REQUEST_TIMEOUT => Some(DEFAULT_REQUEST_TIMEOUT.print()),
        config::OUTPUT => Format::default().to_possible_value().map(|value| value.get_name().to_owned()),
        config::ACCESS_TOKEN_FILE => Some("application default credentials".to_owned()),
        _ => None,
    }
}

fn list(output: Format) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for key in KEYS {
        let found = now(key)?.or_else(|| {
            let value = fallback(key)?;
            Some(Found { value, source: "default".to_owned() })
        });
        let (value, source) = found.map_or((Value::Null, Value::Null), |found| {
            (Value::from(found.value), Value::from(found.source))
        });
        rows.push(json!({ "name": key, "value": value, "source": source }));
    }
    let file = File::read(config::path())?;
    let profile = file.active(config::chosen())?;
    for key in file.unknown(&profile) {
        eprint_line(format_args!(
            "note: the profile {profile} has `{key}`, which is not a key and says nothing"
        ));
    }
    print(&if output == Format::Table { lines(&rows) } else { output.rows(rows)? })
}

/// A key a line: of what it comes from, a table of 80 columns would show nothing.
fn lines(rows: &[Value]) -> String {
    let cell =
        |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(|text| line(text).into_owned());
    let lines = rows.iter().map(|row| {
        let key = cell(row, "name").unwrap_or_default();
        match (cell(row, "value"), cell(row, "source")) {
            (Some(value), Some(source)) => format!("{key:<18} {value}  ({source})\n"),
            _ => format!("{key:<18} not set\n"),
        }
    });
    lines.collect()
}

fn activate(name: Option<String>, output: Format) -> Result<(), Failure> {
    let mut file = File::read(config::path())?;
    let Some(name) = name else {
        let active = file.active(config::chosen())?;
        let rows = file.profiles().into_iter().map(|name| json!({ "active": name == active, "name": name }));
        return print(&output.rows(rows.collect())?);
    };
    // As one that a flag names: it has to be there.
    file.active(Some(Found { value: name.clone(), source: "`cci config use`".to_owned() }))?;
    file.activate(&name);
    file.save()?;
    eprint_line(format_args!("the profile {name} is the active one"));
    if let Some(found) = config::chosen().filter(|found| found.value != name) {
        eprint_line(format_args!("note: {} says `{}`, which counts here", found.source, found.value));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_checked() {
        assert_eq!(known("Request_Timeout").unwrap(), "request-timeout");
        let report = known("projct").unwrap_err().to_string();
        assert!(report.contains("project, location, endpoint"), "{report}");
        for (key, good, bad) in [
            ("project", "example.com:p", "projects/p"),
            ("location", "us-central1", "a b"),
            ("endpoint", "http://127.0.0.1:1", "ftp://x"),
            ("request-timeout", "1h30m", "soon"),
            ("output", "table", "xml"),
        ] {
            check(key, good).unwrap();
            let failure = check(key, bad).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(failure.to_string().contains(bad), "{failure}");
        }
        assert!(is_name("work.1").is_ok() && is_name("a b").is_err() && is_name("").is_err());
    }
}
