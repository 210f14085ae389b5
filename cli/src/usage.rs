//! What is said of arguments that cannot be understood: clap's own words, without tips that lead astray.

use std::env;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Command, CommandFactory as _};

use crate::args::Cli;
use crate::escape::is_unsafe;
use crate::exit::Exit;
use crate::terminal::eprint_line;

/// Typed wrong and meant: so many letters apart at most.
const MOST_TYPOS: usize = 2;

/// Prints what clap has to say: help, the version, or what is wrong.
pub(crate) fn report(error: Error) -> ExitCode {
    let error = with_honest_tips(error);
    let code = error.exit_code();
    // clap repeats what was typed, as it was typed.
    if error.use_stderr() && env::args_os().any(|word| word.to_string_lossy().contains(is_unsafe)) {
        eprint_line(error.render().to_string().trim_end());
    } else {
        // A reader that has left has what it wanted.
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(code).unwrap_or(Exit::Usage as u8))
}

/// Keeps of clap's tips what the user may have meant, and adds where a subcommand is that was asked for too high up.
fn with_honest_tips(mut error: Error) -> Error {
    for (given, tip) in [
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
        (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue),
    ] {
        let Some(given) = text(&error, given) else { continue };
        match error.remove(tip) {
            Some(ContextValue::String(word)) if is_near(&given, &word) => {
                error.insert(tip, ContextValue::String(word));
            }
            Some(ContextValue::Strings(mut words)) => {
                words.retain(|word| is_near(&given, word));
                if !words.is_empty() {
                    error.insert(tip, ContextValue::Strings(words));
                }
            }
            _ => {}
        }
    }
    if let Some(ContextValue::StyledStrs(mut tips)) = error.remove(ContextKind::Suggested) {
        // No name or file here begins with a dash: it is a flag that is not there.
        tips.retain(|tip| !tip.to_string().starts_with("to pass '"));
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(arg) = text(&error, ContextKind::InvalidArg)
        && let Some(tip) = elsewhere(arg.split('=').next().unwrap_or_default())
    {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    let subcommand = text(&error, ContextKind::InvalidSubcommand);
    if error.kind() == ErrorKind::ArgumentConflict {
        // It is known, and stands behind arguments of the command above.
        if let Some(name) = subcommand {
            let tip = format!("options for `{name}` go after it: {name} [OPTIONS]");
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        }
        return error;
    }
    let places = subcommand.map(|name| below(&name)).unwrap_or_default();
    if !places.is_empty() {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(places));
    }
    error
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The subcommands of subcommands that have this name: `operations get` for `get`.
fn below(name: &str) -> Vec<String> {
    let mut places =
        places(|command| command.get_name() == name || command.get_all_aliases().any(|alias| alias == name));
    places.retain(|place| place.contains(' '));
    // `get` and `list` are meant of operations.
    if places.iter().any(|place| !place.starts_with("config ")) {
        places.retain(|place| !place.starts_with("config "));
    }
    places
}

/// What to do with an option that is not one here, but is elsewhere.
fn elsewhere(option: &str) -> Option<String> {
    if option == "--format" {
        return Some(
            "formats are named by -o: -o json, -o yaml, -o table, -o jq=EXPR for single fields".to_owned(),
        );
    }
    let name = option.strip_prefix("--")?;
    let mut places =
        places(|command| command.get_arguments().any(|argument| argument.get_long() == Some(name)));
    places.sort_by_key(|place| !place.starts_with("operations "));
    let (first, others) = places.split_first()?;
    let others = if others.is_empty() { "" } else { " and others" };
    Some(format!("`{option}` is an option of `{first}`{others}, and goes after it: {first} ... {option}"))
}

/// The commands that are meant, by their whole names.
fn places(is_meant: impl Fn(&Command) -> bool) -> Vec<String> {
    fn walk(command: &Command, path: &str, is_meant: &dyn Fn(&Command) -> bool, places: &mut Vec<String>) {
        // To be built has added helps.
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            let path = format!("{path} {}", command.get_name());
            if is_meant(command) {
                places.push(path.trim_start().to_owned());
            }
            walk(command, &path, is_meant, places);
        }
    }
    let mut cli = Cli::command();
    cli.build();
    let mut places = Vec::new();
    walk(&cli, "", &is_meant, &mut places);
    places
}

/// Whether one may be the other with a slip or two.
fn is_near(given: &str, meant: &str) -> bool {
    let (given, meant) = (given.trim_start_matches('-'), meant.trim_start_matches('-'));
    let apart = distance(given, meant);
    given.chars().next() == meant.chars().next() && apart <= MOST_TYPOS && apart * 2 < given.chars().count()
}

/// How many letters must be put in, taken out or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (above, x) in a.chars().enumerate() {
        let (mut diagonal, mut left) = (above, above + 1);
        for (cell, y) in row.iter_mut().skip(1).zip(b.chars()) {
            left = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, left);
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn said(arguments: &[&str]) -> String {
        let error = Cli::try_parse_from(std::iter::once(&"cci").chain(arguments)).unwrap_err();
        with_honest_tips(error).render().to_string()
    }

    #[test]
    fn tips_are_given_only_for_what_may_be_meant() {
        for (arguments, tip) in [
            (&["opertions"][..], "similar subcommand exists: 'operations'"),
            (&["operations", "lst"], "similar subcommand exists: 'list'"),
            (&["operations", "list", "p", "--fliter", "x"], "similar argument exists: '--filter'"),
            (&["quickstart", "-o", "jsn"], "similar value exists: 'json'"),
            (&["get"], "similar subcommand exists: 'operations get'"),
            (&["exec"], "similar subcommand exists: 'emulator exec'"),
            (&["operations", "list", "--format=json"], "tip: formats are named by -o: -o json"),
            (&["operations", "list", "--format", "value(name)"], "-o jq=EXPR for single fields"),
            (
                &["--endpoint=http://h:1", "operations", "get", "1"],
                "goes after it: operations get ... --endpoint",
            ),
            (&["operations", "--endpoint", "http://h:1", "list"], "is an option of `operations "),
            (&["operations", "get", "1", "--timeout", "3s"], "`--timeout` is an option of `operations wait`"),
        ] {
            assert!(said(arguments).contains(tip), "{}", said(arguments));
        }
        for (arguments, tip) in [
            (&["emulator", "--seed", "x", "exec", "--", "true"][..], "options for `exec` go after it"),
            (&["emulator", "--exit-with-stdin", "env", "--lang", "go"], "options for `env` go after it"),
        ] {
            let said = said(arguments);
            assert!(said.contains("cannot be used with") && !said.contains("similar"), "{said}");
            assert!(said.contains(tip), "{said}");
        }
        for arguments in [
            &["complements"][..],
            &["iterations"],
            &["quickest"],
            &["operations", "completions"],
            &["emulator", "quicken"],
            &["operations", "get", "x", "--nmae"],
            &["operations", "list", "p", "--time"],
            &["quickstart", "-o", "jason-like"],
            &["--emulate"],
        ] {
            assert!(!said(arguments).contains("tip:"), "{}", said(arguments));
        }
    }

    #[test]
    fn distances_are_counted() {
        for (a, b, apart) in
            [("", "", 0), ("", "ab", 2), ("lst", "list", 1), ("fliter", "filter", 2), ("ab", "", 2)]
        {
            assert_eq!(distance(a, b), apart, "{a} {b}");
        }
    }
}
