//! What completes names in a shell: operations, resources, locations, profiles. What the API is asked for has a second,
//! and nothing is said if it fails.

use std::env;
use std::ffi::OsStr;
use std::time::Duration;

use clap::Command;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use contact_center_insights::json::{Printer, Reader};
use contact_center_insights::transport::LOCATIONS;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::api::{Api, GROUPS, Place, Raw, Rpc};
use crate::args::Connection;
use crate::config::{self, File, KEYS};
use crate::duration::Limit;
use crate::scope::Scope;
use crate::session::Session;

/// Nobody waits longer for a completion.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many names are asked for.
const MOST: i32 = 100;
/// What runs, where only that can be meant.
const RUNNING: &str = "done=\"false\"";

/// Has arguments that are names be completed.
pub(super) fn with_names(mut command: Command) -> Command {
    // Before, a command has no arguments.
    command.build();
    below(command, &[])
}

fn below(command: Command, path: &[String]) -> Command {
    let of_args = path.to_vec();
    let command = command.mut_args(move |arg| {
        let path = of_args.clone();
        let completer = match (path.first().map(String::as_str), arg.get_id().as_str()) {
            (Some("operations"), "name" | "names") => {
                ArgValueCompleter::new(move |current: &OsStr| operations(&path, current))
            }
            (Some(group), "target") if GROUPS.iter().any(|(name, _)| *name == group) => {
                ArgValueCompleter::new(move |current: &OsStr| resources(&path, current))
            }
            (_, "location") => ArgValueCompleter::new(|current: &OsStr| {
                fitting(LOCATIONS.iter().map(|name| (*name).to_owned()), current)
            }),
            (Some("config"), "key") => ArgValueCompleter::new(|current: &OsStr| {
                fitting(KEYS.iter().map(|key| (*key).to_owned()), current)
            }),
            (Some(first), "profile") if !matches!(first, "emulator" | "quickstart") => {
                ArgValueCompleter::new(profiles)
            }
            _ => return arg,
        };
        arg.add(completer)
    });
    let path = path.to_vec();
    command.mut_subcommands(move |inner| {
        let mut path = path.clone();
        path.push(inner.get_name().to_owned());
        below(inner, &path)
    })
}

fn fitting(names: impl Iterator<Item = String>, current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    names.filter(|name| name.starts_with(&*current)).map(CompletionCandidate::new).collect()
}

fn profiles(current: &OsStr) -> Vec<CompletionCandidate> {
    let names = File::read(config::path()).map(|file| file.profiles()).unwrap_or_default();
    fitting(names.into_iter(), current)
}

/// What the command line says so far.
struct Typed {
    scope: Scope,
    connection: Connection,
}

impl Typed {
    fn read() -> Self {
        let words: Vec<String> = env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        let flag = |name: &str| {
            words.iter().enumerate().find_map(|(at, word)| {
                let rest = word.strip_prefix(name)?;
                if rest.is_empty() {
                    words.get(at + 1).cloned()
                } else {
                    rest.strip_prefix('=').map(str::to_owned)
                }
            })
        };
        flag("--profile").into_iter().for_each(config::choose);
        let connection = Connection {
            endpoint: flag("--endpoint"),
            access_token_file: flag("--access-token-file").map(Into::into),
            request_timeout: Some(Limit::Of(PATIENCE)),
            profile: None,
        };
        Self { scope: Scope::new(flag("--project"), flag("--location")), connection }
    }
}

/// Operations: by their ids, or by full names if one is begun.
fn operations(path: &[String], current: &OsStr) -> Vec<CompletionCandidate> {
    let is_get = path.last().is_some_and(|verb| verb == "get");
    let Some(list) = Api::get().rpc("ListOperations") else { return Vec::new() };
    let typed = Typed::read();
    let begun = current.to_string_lossy().into_owned();
    let parent = match begun.split_once("/operations/") {
        Some((parent, _)) => parent.to_owned(),
        None => match typed.scope.parent() {
            Ok(parent) => parent,
            Err(_) => return Vec::new(),
        },
    };
    let filter = if is_get { "" } else { RUNNING };
    let found = names(list, &json!({ "name": parent, "filter": filter, "pageSize": MOST }), &parent, typed);
    let before = format!("{parent}/operations/");
    let shown = found.into_iter().map(|name| {
        if begun.contains('/') { name } else { name.strip_prefix(&before).unwrap_or(&name).to_owned() }
    });
    fitting(shown, current)
}

/// Resources of the command at `path`, by their ids: where there are several, the last is completed.
fn resources(path: &[String], current: &OsStr) -> Vec<CompletionCandidate> {
    found(path, current).unwrap_or_default()
}

fn found(path: &[String], current: &OsStr) -> Option<Vec<CompletionCandidate>> {
    let api = Api::get();
    let placed = |rpc: &&Rpc| {
        let place = Place::of(rpc.name());
        place.is_some_and(|place| {
            path.iter().map(String::as_str).eq(place.group.iter().copied().chain([place.verb.as_str()]))
        })
    };
    let pattern = api.rpcs().iter().find(placed)?.target()?.pattern;
    let collection = pattern.strip_suffix("/*")?;
    let parents = collection.rsplit_once('/')?.0;
    let group = Place::of(api.rpcs().iter().find(placed)?.name())?.group;
    let list = api.rpcs().iter().find(|rpc| {
        rpc.items().is_some()
            && rpc.target().is_some_and(|target| target.pattern == parents)
            && Place::of(rpc.name()).is_some_and(|place| place.group == group)
    })?;
    let typed = Typed::read();
    let begun = current.to_string_lossy().into_owned();
    // The ids of what it is in: `3/` of `3/4`.
    let before = begun.rsplit_once('/').map_or("", |(before, _)| before);
    let ids = parents.split('/').skip(4).filter(|part| *part == "*").count();
    let parent = match (ids, before) {
        (0, "") => typed.scope.parent().ok()?,
        (0, _) => return None,
        (_, before) => typed.scope.resolve(parents, before).ok()?,
    };
    let field = list.target()?.field;
    let found = names(list, &json!({ field: parent, "pageSize": MOST }), &parent, typed);
    let shown = found.into_iter().filter_map(|name| {
        let id = name.rsplit('/').next()?;
        Some(if before.is_empty() { id.to_owned() } else { format!("{before}/{id}") })
    });
    Some(fitting(shown, current))
}

/// The names in the first page of a list; none if it takes long, or fails.
fn names(list: &Rpc, request: &Value, parent: &str, typed: Typed) -> Vec<String> {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return Vec::new() };
    let page = runtime.block_on(async {
        let asked = async {
            let session = Session::open(typed.connection, parent).ok()?;
            let name = list.request().full_name().to_owned();
            let bytes = Reader::new().bytes(&name, request).ok()?.value;
            let caller = session.client().operations().caller();
            let answer = caller.call::<Raw>(list.method(), list.routing(request), &Raw(bytes)).await.ok()?.0;
            Printer::new().value(list.response().full_name(), &answer).ok()
        };
        timeout(PATIENCE, asked).await.ok().flatten()
    });
    // A token that is still being fetched must not keep the shell waiting.
    runtime.shutdown_background();
    let items = page.as_ref().and_then(Value::as_object).into_iter().flat_map(|page| page.values());
    let items = items.filter_map(Value::as_array).flatten();
    items.filter_map(|item| item.get("name").and_then(Value::as_str)).map(str::to_owned).collect()
}
