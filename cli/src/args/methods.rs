//! `cci call`, and the commands of the resources, made from the descriptors.

use std::path::Path;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _, value_parser};

use super::example::examples;
use super::flags::{flag, flags};
use super::{Connection, ProgressArgs, ScopeArgs};
use crate::api::{Api, GROUPS, Place, Rpc, kebab};
use crate::duration;
use crate::scope::spelled;

/// One call of a method, as it was asked for.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Invocation {
    /// The name of the method.
    pub(crate) method: String,
    /// The name of what it is about, or of its parent, as it was typed.
    pub(crate) target: Option<String>,
    /// The whole request, or what it begins with.
    pub(crate) data: Option<String>,
    /// Dotted fields and their values, in the order of the command line where that can be told.
    pub(crate) fields: Vec<(String, String)>,
    /// The fields that an update changes; by default those that are given.
    pub(crate) mask: Option<String>,
    pub(crate) page_size: Option<i32>,
    pub(crate) limit: Option<usize>,
    /// The fields that a list is sorted by.
    pub(crate) sort_by: Option<String>,
    /// Whether all pages of a list are walked, and its items printed.
    pub(crate) items: bool,
    pub(crate) dry_run: bool,
    pub(crate) yes: bool,
    /// Whether the name of a started operation is printed at once.
    pub(crate) is_async: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) progress: ProgressArgs,
    pub(crate) scope: ScopeArgs,
    pub(crate) connection: Option<Connection>,
}

/// Adds a command for each group of methods. Only those of `wanted` are made whole, for which the descriptors are read.
pub(crate) fn augment(mut command: Command, wanted: &dyn Fn(&str) -> bool) -> Command {
    let api = GROUPS.iter().any(|(name, _)| wanted(name)).then(Api::get);
    for (name, about) in GROUPS {
        let group = Command::new(name).about(about);
        let group = match api.filter(|_| wanted(name)) {
            Some(api) => whole(group, api, name),
            None => group,
        };
        command = command.subcommand(group);
    }
    command
}

fn whole(mut group: Command, api: &Api, name: &str) -> Command {
    group = group.subcommand_required(true).arg_required_else_help(true);
    let placed = api.rpcs().iter().filter_map(|rpc| Some((rpc, Place::of(rpc.name())?)));
    for (rpc, place) in placed.filter(|(_, place)| place.group.first() == Some(&name)) {
        let made = method(rpc, &place);
        group = match place.group.get(1) {
            Some(inner) => {
                let begun = group.find_subcommand(inner).is_none();
                if begun {
                    let about = format!("The {inner} of {name}");
                    let inner = Command::new(*inner).about(about).subcommand_required(true);
                    group = group.subcommand(inner.arg_required_else_help(true));
                }
                group.mut_subcommand(inner, |command| command.subcommand(made))
            }
            None => group.subcommand(made),
        };
    }
    group
}

/// The command of one method.
fn method(rpc: &Rpc, place: &Place) -> Command {
    let about = format!("{} ({})", sentence(rpc), rpc.name());
    let mut command = Command::new(place.verb.clone());
    if let Some(target) = rpc.target() {
        let form = spelled(&target.pattern);
        let word =
            form.rsplit('/').find(|part| part.chars().all(|c| !c.is_ascii_lowercase())).unwrap_or("NAME");
        let help = format!("`{form}`, its end, or its ids");
        let help = match target.fixed_end() {
            Some(_) => format!("{help}; by default that of --project and --location"),
            None => help,
        };
        command = command.arg(Arg::new("target").value_name(word.to_owned()).help(help));
    }
    for (path, field) in flags(rpc) {
        command = command.arg(flag(&path, &field));
    }
    common(command, rpc).about(about).after_help(examples(rpc, place))
}

/// The flags of every method of its kind.
fn common(command: Command, rpc: &Rpc) -> Command {
    let mut command = command.arg(data()).arg(switch("dry-run", "Print the request, and send nothing"));
    if rpc.items().is_some() {
        command = command.arg(page_size()).arg(sort_by()).arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(value_parser!(usize))
                .help("How many to print at most"),
        );
    }
    if rpc.is_long_running() {
        command = command
            .arg(switch("async", "Print the operation as it starts, and do not wait for it"))
            .arg(timeout());
        command = ProgressArgs::augment_args(command);
    }
    if rpc.name().starts_with("Update") {
        let help = "The fields to change, with commas; by default those that are given";
        command = command.arg(Arg::new("mask").long("mask").value_name("FIELDS").help(help));
    }
    if rpc.deletes() {
        command = command.arg(switch("yes", "Do not ask"));
    }
    Connection::augment_args(ScopeArgs::augment_args(command))
}

/// A flag without a value.
fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn data() -> Arg {
    let help = "The request in JSON: as it is, `@FILE`, or `-` for stdin. Fields given beside it are put in";
    Arg::new("data").long("data").short('d').value_name("JSON").help(help)
}

fn page_size() -> Arg {
    let help = "How many a call asks for; the server's own number by default";
    Arg::new("page-size")
        .long("page-size")
        .value_name("N")
        .value_parser(value_parser!(i32).range(1..))
        .help(help)
}

fn sort_by() -> Arg {
    let help = "The order, by fields such as `createTime`; `~FIELD` turns it round. All is fetched before it is printed";
    Arg::new("sort-by").long("sort-by").value_name("FIELD").allow_hyphen_values(true).help(help)
}

fn timeout() -> Arg {
    let help = "Stop waiting after this long, such as `90s` or `2h`: exit code 8. The operation goes on";
    Arg::new("timeout").long("timeout").value_name("DURATION").value_parser(duration::parse).help(help)
}

/// `cci call`.
pub(crate) fn call() -> Command {
    Command::new("call")
        .about("Call any method by its name, with a request of fields or JSON")
        .after_help(
            "Examples:\n  cci call ListConversations parent=projects/p/locations/us-central1 filter='agent_id=\"7\"'\n  \
             cci call CreateView view.display_name=late --location us-central1\n  \
             cci call GetSettings",
        )
        .defer(call_args)
}

fn call_args(command: Command) -> Command {
    let command = command
        .arg(Arg::new("method").value_name("METHOD").required(true).help("Such as `ListConversations`"))
        .arg(
            Arg::new("fields")
                .value_name("FIELD=VALUE")
                .num_args(0..)
                .help("Fields of the request, dotted; messages as JSON"),
        )
        .arg(data())
        .arg(switch("all", "Walk all pages of a list, and print its items"))
        .arg(switch("dry-run", "Print the request, and send nothing"))
        .arg(switch("wait", "Wait for the operation that the method starts"))
        .arg(timeout());
    Connection::augment_args(ScopeArgs::augment_args(ProgressArgs::augment_args(command)))
}

/// What `cci call` was asked for.
pub(crate) fn of_call(matches: &ArgMatches) -> Result<Invocation, clap::Error> {
    let mut fields = Vec::new();
    for text in matches.get_many::<String>("fields").into_iter().flatten() {
        let (path, value) = text.split_once('=').ok_or_else(|| {
            let problem = format!("`{text}` is not FIELD=VALUE\n");
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, problem)
        })?;
        fields.push((path.to_owned(), value.to_owned()));
    }
    Ok(Invocation {
        method: matches.get_one::<String>("method").cloned().unwrap_or_default(),
        data: matches.get_one("data").cloned(),
        fields,
        items: matches.get_flag("all"),
        dry_run: matches.get_flag("dry-run"),
        yes: true,
        is_async: !matches.get_flag("wait"),
        timeout: matches.get_one("timeout").copied(),
        progress: ProgressArgs::from_arg_matches(matches)?,
        scope: ScopeArgs::from_arg_matches(matches)?,
        connection: Some(Connection::from_arg_matches(matches)?),
        ..Invocation::default()
    })
}

/// What a command of a group was asked for.
pub(crate) fn of_group(group: &str, matches: &ArgMatches) -> Result<Invocation, clap::Error> {
    let (mut path, mut inner) = (vec![group], matches);
    while let Some((name, below)) = inner.subcommand() {
        path.push(name);
        inner = below;
    }
    let api = Api::get();
    let rpc = api.rpcs().iter().find(|rpc| {
        let place = Place::of(rpc.name());
        place.is_some_and(|place| {
            path.iter().copied().eq(place.group.iter().copied().chain([place.verb.as_str()]))
        })
    });
    let Some(rpc) = rpc else {
        return Err(clap::Error::raw(clap::error::ErrorKind::InvalidSubcommand, "no such command\n"));
    };
    let mut fields = Vec::new();
    for (path, _) in flags(rpc) {
        let given = inner.get_many::<String>(&path).into_iter().flatten();
        fields.extend(given.map(|value| (path.clone(), value.clone())));
    }
    let is_set = |name: &str| inner.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false);
    Ok(Invocation {
        method: rpc.name().to_owned(),
        target: inner.try_get_one("target").ok().flatten().cloned(),
        data: inner.get_one("data").cloned(),
        fields,
        mask: inner.try_get_one("mask").ok().flatten().cloned(),
        page_size: inner.try_get_one("page-size").ok().flatten().copied(),
        limit: inner.try_get_one("limit").ok().flatten().copied(),
        sort_by: inner.try_get_one("sort-by").ok().flatten().cloned(),
        items: true,
        dry_run: is_set("dry-run"),
        yes: is_set("yes"),
        is_async: is_set("async"),
        timeout: inner.try_get_one("timeout").ok().flatten().copied(),
        // Only what waits has these flags.
        progress: if rpc.is_long_running() {
            ProgressArgs::from_arg_matches(inner)?
        } else {
            ProgressArgs::default()
        },
        scope: ScopeArgs::from_arg_matches(inner)?,
        connection: Some(Connection::from_arg_matches(inner)?),
    })
}

/// `List conversations` for `ListConversations`.
fn sentence(rpc: &Rpc) -> String {
    let words = kebab(rpc.name()).replace('-', " ").replace(" qa ", " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Reads what `--data` gives: JSON as it is, `@FILE`, or `-` for stdin.
pub(crate) fn read_data(text: &str) -> std::io::Result<String> {
    match (text, text.strip_prefix('@')) {
        ("-", _) => std::io::read_to_string(std::io::stdin()),
        (_, Some(file)) => std::fs::read_to_string(Path::new(file)),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_sound() {
        augment(Command::new("cci"), &|_| true).subcommand(call()).debug_assert();
    }

    #[test]
    fn commands_say_what_they_do() {
        let mut command = augment(Command::new("cci"), &|name| name == "conversations").subcommand(call());
        let help = command.render_help().to_string();
        assert!(help.contains("Call any method by its name"), "{help}");
        let group = command.find_subcommand_mut("conversations").unwrap();
        assert!(group.render_help().to_string().contains("List conversations (ListConversations)"));
        let create = group.find_subcommand_mut("create").unwrap().render_long_help().to_string();
        assert!(create.contains("Create conversation (CreateConversation)"), "{create}");
        // What the server sets cannot be given.
        assert!(!create.contains("--turn-count") && !create.contains("--create-time"), "{create}");
    }

    #[test]
    fn flags_are_those_of_the_request_and_of_its_body() {
        let command = augment(Command::new("cci"), &|name| name == "conversations");
        let line = "cci conversations create --conversation-id 7 --medium CHAT --agent-id a --project p --location l";
        let matches = command.try_get_matches_from(line.split(' ')).unwrap();
        let (name, inner) = matches.subcommand().unwrap();
        let asked = of_group(name, inner).unwrap();
        assert_eq!(asked.method, "CreateConversation");
        let mut fields = asked.fields;
        fields.sort();
        let wanted =
            [("conversation.agent_id", "a"), ("conversation.medium", "CHAT"), ("conversation_id", "7")];
        assert_eq!(fields, wanted.map(|(path, value)| (path.to_owned(), value.to_owned())));
    }
}
