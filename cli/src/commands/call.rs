//! One call of any method: from an invocation to its request, its answer, and the end of the operation that it starts.

use std::io::{BufRead as _, IsTerminal as _, stdin};

use contact_center_insights::Error;
use contact_center_insights::json::{Printer, Reader};
use contact_center_insights::proto::longrunning::Operation;
use prost::Message as _;
use serde_json::{Map, Value};

use super::patience::{MAX_OUTAGE, Patience};
use super::wait;
use crate::api::{Api, Draft, Raw, Rpc};
use crate::args::{Connection, Invocation, read_data};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::name::parent;
use crate::output::{Format, ListPrinter};
use crate::session::Session;
use crate::terminal::{eprint_line, print, print_while_read};

pub(super) async fn run(asked: Invocation, output: Format) -> Result<(), Failure> {
    let api = Api::get();
    let Some(rpc) = api.rpc(&asked.method) else { return Err(unknown(api, &asked.method)) };
    let request = request(rpc, &asked)?;
    if asked.dry_run {
        return print(&output.value(&request)?);
    }
    let target = rpc.target().map(|target| rpc.text(&request, &target.field).to_owned()).unwrap_or_default();
    if rpc.deletes() && !asked.yes {
        confirm(rpc, &target)?;
    }
    let connection = asked.connection.clone().unwrap_or_else(Connection::none);
    let call = Prepared { rpc, session: Session::open(connection, &target)?, target };
    if let Some(items) = rpc.items().filter(|_| asked.items) {
        return call.list(request, items.json_name(), &asked, output).await;
    }
    let answer = call.send(&request).await?;
    if !rpc.is_long_running() {
        return print(&output.message(rpc.response().full_name(), &answer)?);
    }
    let operation = Operation::decode(answer.as_slice())
        .map_err(|error| Failure::because(Exit::Api, "the answer is not an operation", error))?;
    if asked.is_async {
        return print(&output.one(&operation)?);
    }
    let patience = Patience { timeout: asked.timeout, interval: None, max_outage: MAX_OUTAGE };
    wait::to_the_end(&call.session, &operation.name, patience, asked.progress.mode(), output, None).await
}

/// A call that can be made.
struct Prepared<'a> {
    rpc: &'a Rpc,
    session: Session,
    target: String,
}

impl Prepared<'_> {
    /// Sends a request in JSON; gives the bytes of the answer.
    async fn send(&self, request: &Value) -> Result<Vec<u8>, Failure> {
        let bytes = serialized(self.rpc, request)?;
        let caller = self.session.client().operations().caller();
        let call = caller.call::<Raw>(self.rpc.method(), self.rpc.routing(request), &Raw(bytes));
        Ok(call.await.map_err(|error| self.failed(error))?.0)
    }

    /// Says of what changes something whether that may have happened.
    fn failed(&self, error: Error) -> Failure {
        let is_open = error.may_have_been_applied() && !self.rpc.method().is_idempotent();
        let failure = self.session.failure(&self.target)(error);
        match is_open {
            true if self.rpc.is_long_running() => failure.with_more_help(&format!(
                "it may have been started all the same; before you do it again, look: {}",
                self.session.operations(&["list", &parent(&self.target)])
            )),
            true => {
                failure.with_more_help("it may have been done all the same; before you do it again, look")
            }
            false => failure,
        }
    }

    /// Prints the items of all pages, each page as it comes.
    async fn list(
        &self,
        mut request: Value,
        items: &str,
        asked: &Invocation,
        output: Format,
    ) -> Result<(), Failure> {
        let mut list = ListPrinter::new(output).wanted(asked.sort_by.as_deref(), asked.limit);
        loop {
            let answer = self.send(&request).await?;
            let page = Printer::new().value(self.rpc.response().full_name(), &answer);
            let mut page =
                page.map_err(|error| Failure::because(Exit::Api, "the answer cannot be read", error))?;
            let found = match page.get_mut(items).map(Value::take) {
                Some(Value::Array(found)) => found,
                _ => Vec::new(),
            };
            if !print_while_read(&list.page(found)?)? {
                return Ok(());
            }
            let token = page.get("nextPageToken").and_then(Value::as_str).unwrap_or_default();
            if token.is_empty() || !self.rpc.is_paged() || list.is_full() {
                return print(&list.end()?);
            }
            if request.get("pageToken").and_then(Value::as_str) == Some(token) {
                return Err(Failure::new(Exit::Api, "the server gives the same page again and again"));
            }
            if let Some(fields) = request.as_object_mut() {
                fields.remove("page_token");
                fields.insert("pageToken".to_owned(), token.into());
            }
        }
    }
}

/// The request that was asked for, in JSON.
fn request(rpc: &Rpc, asked: &Invocation) -> Result<Value, Failure> {
    let data = asked.data.as_deref().map(document).transpose()?.unwrap_or_default();
    let mut draft = Draft::new(rpc, data)?;
    for (path, text) in &asked.fields {
        draft.set(path, text)?;
    }
    if let Some(size) = asked.page_size {
        draft.set("page_size", &size.to_string())?;
    } else if let Some(limit) = asked
        .limit
        .filter(|_| rpc.is_paged() && asked.sort_by.is_none())
        .and_then(|limit| i32::try_from(limit).ok())
    {
        // A limit below the server's page size is one small page.
        draft.set("page_size", &limit.to_string())?;
    }
    if let Some(target) = rpc.target() {
        let typed = asked.target.clone().unwrap_or_else(|| rpc.text(draft.value(), &target.field).to_owned());
        let scope = asked.scope.clone().scope();
        let name = match (typed.as_str(), target.fixed_end()) {
            ("", Some(end)) => scope.parent()? + end,
            ("", None) => {
                let help = format!("it has the form {}", crate::scope::spelled(&target.pattern));
                return Err(Failure::new(Exit::Usage, "which one? A name is missing").with_help(help));
            }
            (typed, _) => scope.resolve(&target.pattern, typed)?,
        };
        draft.set(&target.field, &name)?;
    }
    if rpc.name().starts_with("Update") {
        let given = asked.mask.clone().unwrap_or_else(|| mask(rpc, &asked.fields, draft.value()));
        if !given.is_empty() {
            draft.set("update_mask", &camel(&given))?;
        }
    }
    let mut request = draft.value().clone();
    // What is made may have no fields: over REST it would be an empty body.
    if let (Some(body), Some(fields)) = (rpc.body(), request.as_object_mut())
        && !fields.contains_key(body.name())
    {
        fields.entry(body.json_name()).or_insert_with(|| Value::Object(Map::new()));
    }
    Ok(request)
}

/// The fields of the resource that are given, which an update changes.
fn mask(rpc: &Rpc, fields: &[(String, String)], request: &Value) -> String {
    let Some(body) = rpc.body() else { return String::new() };
    let mut names: Vec<String> = Vec::new();
    let within = format!("{}.", body.name());
    for (path, _) in fields {
        let name = path.strip_prefix(&within).unwrap_or_default();
        // Of a map, all of it: masks end at fields.
        let name = name.split('.').next().unwrap_or_default();
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    if names.is_empty() {
        let body = request.get(body.name()).or_else(|| request.get(body.json_name()));
        let keys = body.and_then(Value::as_object).into_iter().flat_map(|body| body.keys());
        names.extend(keys.filter(|key| *key != "name").cloned());
    }
    names.join(",")
}

/// A mask as JSON has it: `display_name` becomes `displayName`.
fn camel(mask: &str) -> String {
    let mut upper = false;
    mask.chars()
        .filter_map(|letter| match letter {
            '_' | '-' => {
                upper = true;
                None
            }
            letter if std::mem::take(&mut upper) => Some(letter.to_ascii_uppercase()),
            letter => Some(letter),
        })
        .collect()
}

fn document(text: &str) -> Result<Value, Failure> {
    let text = read_data(text)
        .map_err(|error| Failure::because(Exit::Usage, format!("cannot read `--data {text}`"), error))?;
    serde_json::from_str(&text).map_err(|error| Failure::because(Exit::Usage, "`--data` is not JSON", error))
}

fn serialized(rpc: &Rpc, request: &Value) -> Result<Vec<u8>, Failure> {
    let name = rpc.request().full_name().to_owned();
    let read = Reader::new().snake_case_masks(true).bytes(&name, request);
    read.map(|read| read.value).map_err(|error| {
        Failure::because(Exit::Usage, format!("this is not a {}", rpc.request().name()), error)
    })
}

/// Asks at a terminal, and refuses elsewhere.
fn confirm(rpc: &Rpc, target: &str) -> Result<(), Failure> {
    let refused = |reason: &str| {
        Failure::new(Exit::Usage, reason.to_owned()).with_help("to delete without being asked: --yes")
    };
    if !stdin().is_terminal() {
        return Err(refused("nobody is there to confirm that this is to be deleted"));
    }
    eprint_line(format_args!("{} of {target}: type `yes` to go on", rpc.name()));
    let mut answer = String::new();
    let read = stdin().lock().read_line(&mut answer);
    match read {
        Ok(_) if matches!(answer.trim(), "yes" | "y") => Ok(()),
        _ => Err(refused("nothing was deleted")),
    }
}

fn unknown(api: &Api, name: &str) -> Failure {
    let wanted = name.to_ascii_lowercase();
    let near: Vec<_> = api
        .rpcs()
        .iter()
        .map(Rpc::name)
        .filter(|known| known.to_ascii_lowercase().contains(&wanted) && !wanted.is_empty())
        .take(8)
        .collect();
    let help = if near.is_empty() {
        let names: Vec<_> = api.rpcs().iter().map(Rpc::name).collect();
        format!("the methods are {}", names.join(", "))
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    Failure::new(Exit::Usage, format!("`{name}` is not a method of the API")).with_help(help)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(method: &str, fields: &[(&str, &str)]) -> Invocation {
        let fields = fields.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Invocation { method: method.to_owned(), fields, ..Invocation::default() }
    }

    #[test]
    fn an_update_changes_what_is_given() {
        let api = Api::get();
        let rpc = api.rpc("UpdateView").unwrap();
        let name = "projects/p/locations/l/views/7";
        let mut update = asked("UpdateView", &[("view.display_name", "late")]);
        update.target = Some(name.to_owned());
        let wanted = json!({"view": {"displayName": "late", "name": name}, "updateMask": "displayName"});
        assert_eq!(request(rpc, &update).unwrap(), wanted);
        update.mask = Some("display_name,value".to_owned());
        assert_eq!(request(rpc, &update).unwrap()["updateMask"], "displayName,value");
        update.fields.clear();
        update.mask = None;
        update.data = Some(r#"{"view": {"value": "x"}}"#.to_owned());
        assert_eq!(request(rpc, &update).unwrap()["updateMask"], "value");
    }

    #[test]
    fn what_is_missing_is_named() {
        let api = Api::get();
        let failure = request(api.rpc("GetView").unwrap(), &asked("GetView", &[])).unwrap_err().to_string();
        assert!(failure.contains("projects/PROJECT/locations/LOCATION/views/VIEW"), "{failure}");
        assert!(unknown(api, "conversations").to_string().contains("ListConversations"));
        assert!(unknown(api, "x9").to_string().contains("GetOperation"));
    }

    /// Its own fields, in values that they take.
    #[test]
    fn the_examples_of_help_make_requests() {
        let api = Api::get();
        let whole = crate::args::augment(clap::Command::new("cci"), &|_| true);
        for rpc in api.rpcs() {
            let Some(place) = crate::api::Place::of(rpc.name()) else { continue };
            let mut command = &whole;
            for word in place.group.iter().copied().chain([place.verb.as_str()]) {
                command = command.find_subcommand(word).unwrap();
            }
            let help = command.get_after_help().unwrap().to_string();
            let help = crate::args::unfolded(&help);
            for line in help.lines().filter_map(|line| line.trim().strip_prefix("cci ")) {
                let line = format!("cci {}", line.replace(" --output table", ""));
                let matches = whole.clone().try_get_matches_from(crate::args::words(&line)).unwrap();
                let (group, inner) = matches.subcommand().unwrap();
                let asked = crate::args::of_group(group, inner).unwrap();
                assert_eq!(asked.method, rpc.name());
                let request = request(rpc, &asked).unwrap_or_else(|failure| panic!("{line}: {failure}"));
                serialized(rpc, &request).unwrap_or_else(|failure| panic!("{line}: {failure}"));
            }
        }
    }
}
