//! The whole command line: that it is sound, and that every command shows how it is called.

use clap::CommandFactory as _;

use super::*;

fn whole() -> clap::Command {
    augment(Cli::command(), &|_| true).subcommand(call())
}

/// With the arguments of every command.
fn built() -> clap::Command {
    let mut command = whole();
    command.build();
    command
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
    whole().debug_assert();
}

/// To make all of them takes longer than most of what is asked for.
#[test]
fn commands_get_their_arguments_once_they_are_asked_for() {
    let mut command = whole();
    let count = |command: &clap::Command| {
        let serve = command.find_subcommand("emulator").unwrap();
        serve.get_arguments().count() + serve.get_subcommands().count()
    };
    assert_eq!(count(&command), 0);
    command.build();
    assert!(count(&command) > 30, "{}", count(&command));
}

#[test]
fn what_a_command_says_of_itself_is_there_before_its_arguments_are() {
    fn compare(before: &clap::Command, after: &clap::Command) {
        let said = |command: &clap::Command| command.get_about().map(ToString::to_string);
        assert_eq!(said(before), said(after), "{}", after.get_name());
        for inner in before.get_subcommands() {
            compare(inner, after.find_subcommand(inner.get_name()).unwrap());
        }
    }
    compare(&whole(), &built());
}

#[test]
fn no_argument_takes_a_token() {
    let help = Cli::command().render_long_help().to_string();
    assert!(!help.contains("--access-token ") && !help.contains("--token"), "{help}");
    assert!(help.contains("Exit codes:"), "{help}");
}

/// The commands that do something, by their words.
fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
    let inner: Vec<_> = command.get_subcommands().filter(|inner| inner.get_name() != "help").collect();
    if inner.is_empty() || !command.is_subcommand_required_set() && path == "cci emulator" {
        let shown = command.get_after_long_help().or(command.get_after_help());
        let shown = shown.map(ToString::to_string).unwrap_or_default();
        // clap folds what is longer, and what is pasted would then be two commands.
        assert!(shown.lines().all(|line| line.len() <= 100 || !line.contains("cci ")), "{path}: {shown}");
        let help = command.clone().render_long_help().to_string() + &unfolded(&shown);
        found.push((path.to_owned(), help));
    }
    for inner in inner {
        leaves(inner, &format!("{path} {}", inner.get_name()), found);
    }
}

/// With lines that go on as one.
pub(crate) fn unfolded(text: &str) -> String {
    text.replace("\\\n      ", "")
}

/// The words of a shell's line, as far as examples need them.
pub(crate) fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted, mut is_open) = (Vec::new(), String::new(), false, false);
    for letter in line.chars() {
        match letter {
            '\'' => (is_quoted, is_open) = (!is_quoted, true),
            ' ' if !is_quoted => {
                if is_open {
                    words.push(std::mem::take(&mut word));
                }
                is_open = false;
            }
            letter => {
                word.push(letter);
                is_open = true;
            }
        }
    }
    assert!(!is_quoted, "{line}");
    words.extend(is_open.then_some(word));
    words
}

#[test]
fn every_command_has_an_example_that_can_be_called() {
    let mut found = Vec::new();
    leaves(&built(), "cci", &mut found);
    assert!(found.len() > 90, "{}", found.len());
    for (path, help) in found {
        let after = help.rsplit_once("Example").map(|(_, after)| after);
        let after = after.unwrap_or_else(|| panic!("{path} has no example"));
        let lines = after.lines().skip(1).take_while(|line| line.starts_with("  "));
        // Where the shell sends what is printed is not the command's.
        let alone =
            |part: &'_ str| -> String { part.split(" > ").next().unwrap_or_default().trim().to_owned() };
        let commands: Vec<String> = lines.flat_map(|line| line.split(" | ")).map(alone).collect();
        let own = commands.iter().filter(|command| command.starts_with(&path)).count();
        assert!(own > 0, "{path} is not in its examples: {commands:?}");
        for command in commands.iter().filter(|command| command.starts_with("cci ")) {
            let parsed = whole().try_get_matches_from(words(command));
            assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
        }
    }
}

#[test]
fn lists_have_the_fields_of_filters_in_their_help() {
    let mut found = Vec::new();
    leaves(&built(), "cci", &mut found);
    let filtered: Vec<_> = found.iter().filter(|(_, help)| help.contains("--filter <")).collect();
    assert!(filtered.len() >= 8, "{}", filtered.len());
    for (path, help) in filtered.iter().filter(|(path, _)| path.contains(" list")) {
        assert!(help.contains("create_time"), "{path}: {help}");
    }
}
