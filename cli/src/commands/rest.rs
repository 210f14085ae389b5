//! `cci rest`, and what other commands ask over REST.

use contact_center_insights::call::{Method, Routing};
use contact_center_insights::http::HeaderValue;
use serde_json::{Value, json};

use crate::api::Raw;
use crate::args::{RestArgs, Verb, read_data};
use crate::escape;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::name::parent;
use crate::output::Format;
use crate::rest::{PATH, Place, VERBS};
use crate::session::Session;
use crate::terminal::print;

pub(super) async fn run(args: RestArgs, output: Format) -> Result<(), Failure> {
    let place = Place::read(&args.path, &args.query, &args.scope.scope())?;
    let body = body(args.verb, args.data.as_deref())?;
    let session = Session::open_rest(args.connection, &place.name)?;
    let method = method(args.verb);
    if args.dry_run {
        let url = format!("{}{}", session.endpoint(), place.path_and_query);
        return print(&output.value(&json!({ "verb": method.name(), "url": url, "body": body }))?);
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let answer = send(&session, method, &place, body).await?;
    match serde_json::from_slice::<Value>(&answer) {
        Ok(document) => print(&output.document(&document)?),
        Err(_) if answer.is_empty() => Ok(()),
        // Something to download.
        Err(_) => print(&escape::lines(&String::from_utf8_lossy(&answer))),
    }
}

/// The operation as the service gives it over REST, with what no proto has.
pub(super) async fn operation(session: &Session, name: &str) -> Result<Value, Failure> {
    let place = Place { path_and_query: format!("/v1/{name}"), name: name.to_owned() };
    let answer = send(session, method(Verb::Get), &place, String::new()).await?;
    serde_json::from_slice(&answer)
        .map_err(|error| Failure::because(Exit::Api, "the answer is not JSON", error))
}

async fn send(
    session: &Session,
    method: &'static Method,
    place: &Place,
    body: String,
) -> Result<Vec<u8>, Failure> {
    let path = HeaderValue::from_str(&place.path_and_query)
        .map_err(|error| Failure::because(Exit::Usage, "the path cannot be sent", error))?;
    let routing = match parent(&place.name) {
        location if place.name.starts_with(&location) => Routing::new(&[("name", &location)]),
        _ => Routing::default(),
    };
    let caller = session.client().operations().caller();
    let call = caller.call::<Raw>(method, routing, &Raw(body.into_bytes())).with_header(PATH, path);
    Ok(call.await.map_err(session.failure(&place.name))?.0)
}

fn method(verb: Verb) -> &'static Method {
    let [get, post, put, patch, delete] = &VERBS;
    match verb {
        Verb::Get => get,
        Verb::Post => post,
        Verb::Put => put,
        Verb::Patch => patch,
        Verb::Delete => delete,
    }
}

/// The body: read whole and checked before anything is sent.
fn body(verb: Verb, data: Option<&str>) -> Result<Option<Value>, Failure> {
    let Some(data) = data else {
        // Methods take an empty request as an empty object.
        let is_empty = matches!(verb, Verb::Get | Verb::Delete);
        return Ok((!is_empty).then(|| json!({})));
    };
    if verb == Verb::Get {
        let help = "parameters of a GET are those of its query: --query NAME=VALUE";
        return Err(Failure::new(Exit::Usage, "a GET has no body").with_help(help));
    }
    let text = read_data(data)
        .map_err(|error| Failure::because(Exit::Usage, format!("cannot read `--data {data}`"), error))?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| Failure::because(Exit::Usage, "`--data` is not JSON", error))
}
