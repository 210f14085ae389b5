//! Replays a recording against an emulator of its own, and tells what differs.

mod compare;
mod plan;
mod values;

use std::fs;
use std::path::{Component, Path};

use bytes::Bytes;
use contact_center_insights::Endpoint;
use contact_center_insights_emulator::Emulator;
use http::{Request, header::CONTENT_TYPE};
use http_body_util::Full;
use serde_json::{Value, json};

pub(crate) use self::compare::Difference;
use self::values::Values;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording::{Contract, Exchange, Query, read_file};
use crate::web::Web;

/// Operations of the emulator run until the recording shows them ended.
const UNTIL_TOLD: &str = "polls:1000000000";

/// An exchange, and how the emulator's answer differs.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    pub(crate) exchange: Exchange,
    pub(crate) differences: Vec<Difference>,
}

/// Replays one file. Objects behind `gs://` URIs are in `gcs_root`; without it, transcripts are made from the answers
/// that show them.
///
/// # Errors
/// If the file is not a recording, or the emulator cannot be started or asked.
pub(crate) async fn verify(
    contract: &Contract,
    file: &Path,
    gcs_root: Option<&Path>,
) -> Result<Vec<Compared>, Failure> {
    let exchanges = plan::ordered(read_file(file)?);
    let mut values = Values::default();
    let own = objects(&mut values, &exchanges, gcs_root)?;
    let root = gcs_root.or_else(|| own.as_ref().map(tempfile::TempDir::path));
    let emulator = start(contract, &values, &exchanges, root).await?;
    let endpoint: Endpoint =
        emulator.endpoint().parse().map_err(|error: contact_center_insights::Error| {
            Failure::because(Exit::Api, "cannot ask the emulator", error)
        })?;
    let mut replay = Replay { contract, values, web: Web::new(endpoint)? };
    let mut compared = Vec::with_capacity(exchanges.len());
    for exchange in exchanges {
        let differences = replay.exchange(&exchange).await?;
        compared.push(Compared { exchange, differences });
    }
    emulator.stop().await;
    compared.sort_by_key(|compared| compared.exchange.n);
    Ok(compared)
}

/// A directory with the objects that the exchanges read, unless there is one already.
fn objects(
    values: &mut Values,
    exchanges: &[Exchange],
    gcs_root: Option<&Path>,
) -> Result<Option<tempfile::TempDir>, Failure> {
    if gcs_root.is_some() {
        return Ok(None);
    }
    let failed =
        |error| Failure::because(Exit::Api, "cannot make a directory for objects of Cloud Storage", error);
    let directory = tempfile::tempdir().map_err(failed)?;
    for (uri, content) in plan::objects(exchanges) {
        let uri = values.fill(&uri);
        let Some(object) = uri.strip_prefix("gs://").map(Path::new) else { continue };
        // A recording is only a file, and leads nowhere else.
        if !object.components().all(|part| matches!(part, Component::Normal(_))) {
            continue;
        }
        let path = directory.path().join(object);
        let folder = path.parent().unwrap_or(directory.path());
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, values.fill(&content))).map_err(failed)?;
    }
    Ok(Some(directory))
}

async fn start(
    contract: &Contract,
    values: &Values,
    exchanges: &[Exchange],
    root: Option<&Path>,
) -> Result<Emulator, Failure> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        Failure::because(Exit::Api, "cannot start an emulator", error)
    };
    let profile = |text: &str| {
        text.parse().map_err(|error: contact_center_insights_emulator::ProfileError| failed(error.into()))
    };
    let mut builder = Emulator::builder().with_profile(profile(UNTIL_TOLD)?);
    for method in plan::immediate(contract, exchanges) {
        builder = builder.with_method_profile(method, profile("immediate")?);
    }
    let text: String = exchanges.iter().map(Exchange::to_line).collect();
    for (id, number) in values.projects(&text) {
        builder = builder.with_project_number(id, number);
    }
    if let Some(root) = root {
        builder = builder.with_gcs_root(root);
    }
    builder.start().await.map_err(|error| failed(error.into()))
}

/// A recording on its way through an emulator.
#[derive(Debug)]
struct Replay<'a> {
    contract: &'a Contract,
    values: Values,
    web: Web,
}

impl Replay<'_> {
    /// Sends a request as it was recorded, and compares the answers.
    async fn exchange(&mut self, exchange: &Exchange) -> Result<Vec<Difference>, Failure> {
        for operation in exchange.answer.as_ref().map(plan::ended).unwrap_or_default() {
            self.end(&self.values.known(operation)).await?;
        }
        let path = self.values.fill(&plan::path(exchange));
        let query = Query::of_recording(&self.values.fill(&exchange.query)).to_request();
        let target = if query.is_empty() { encoded(&path) } else { format!("{}?{query}", encoded(&path)) };
        let body = exchange.body.as_ref().map(|body| self.values.fill(&body.to_string())).unwrap_or_default();
        let (status, answer) = self.send(&exchange.verb, &target, body).await?;
        let mut differences = Vec::new();
        if status != exchange.status {
            differences.push(Difference {
                place: "status".into(),
                recorded: Some(exchange.status.into()),
                emulator: Some(status.into()),
            });
        }
        let method = self.contract.method(&exchange.verb, &path);
        let recorded = exchange.answer.as_ref();
        differences.extend(compare::bodies(
            &mut self.values,
            self.contract,
            method,
            recorded,
            answer.as_ref(),
        ));
        Ok(differences)
    }

    /// Tells the emulator to end an operation as it would end by itself. One that has ended, or is not there, is left.
    async fn end(&self, operation: &str) -> Result<(), Failure> {
        let body = json!({ "name": operation }).to_string();
        self.send("POST", "/_emulator/v1/operations:complete", body).await.map(|_| ())
    }

    async fn send(&self, verb: &str, target: &str, body: String) -> Result<(u16, Option<Value>), Failure> {
        let failed = |error: crate::web::BoxError| {
            Failure::because(Exit::Api, format!("cannot ask the emulator for {target}"), error)
        };
        let uri = self.web.uri(target).map_err(failed)?;
        let request = Request::builder().method(verb).uri(uri).header(CONTENT_TYPE, "application/json");
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| failed(error.into()))?;
        let (head, body) = self.web.send(request).await.map_err(failed)?.into_parts();
        let answer = serde_json::from_slice(&body).ok();
        Ok((head.status.as_u16(), answer))
    }
}

/// A decoded path as it is sent.
fn encoded(path: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b':')
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~')
        .remove(b'@');
    percent_encoding::utf8_percent_encode(path, KEPT).to_string()
}
