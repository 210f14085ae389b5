//! Where results go: a program, a webhook, stdout. Each gets the same document.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;

use bytes::Bytes;
use contact_center_insights::{Endpoint, json};
use contact_center_insights_worker::{BoxError, Delivery};
use http::{Method, Request, Uri};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::web::Web;

/// What is known of a result, with the operation as the REST API prints it; null if it is lost.
fn document(delivery: &Delivery) -> Result<Value, BoxError> {
    let operation = delivery.operation.as_ref().map(|operation| json::from_operation(operation.raw()));
    Ok(json!({
        "key": delivery.key.as_str(),
        "name": delivery.handle.name,
        "context": delivery.context,
        "tries": delivery.tries,
        "lost": delivery.lost,
        "operation": operation.transpose()?,
    }))
}

/// Prints one line. A reader that has left has not taken it.
pub(super) fn print_line(delivery: &Delivery) -> Result<(), BoxError> {
    let line = format!("{}\n", document(delivery)?);
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    Ok(stdout.flush()?)
}

/// A program that is run for each result.
#[derive(Clone, Debug)]
pub(super) struct Exec(Arc<Vec<OsString>>);

impl Exec {
    pub(super) fn new(words: Vec<OsString>) -> Self {
        Self(Arc::new(words))
    }

    /// Exit code 0 means that it has taken the result. It is killed when its time is up.
    pub(super) async fn run(&self, delivery: &Delivery) -> Result<(), BoxError> {
        let (program, arguments) = self.0.split_first().ok_or("no program is named")?;
        let document = document(delivery)?.to_string();
        let mut child =
            Command::new(program).args(arguments).stdin(Stdio::piped()).kill_on_drop(true).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read it may still take the result.
            let _ = stdin.write_all(document.as_bytes()).await;
        }
        let status = child.wait().await?;
        if status.success() { Ok(()) } else { Err(format!("the program ended with {status}").into()) }
    }
}

/// A URL that each result is posted to.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    web: Web,
    path: String,
}

impl Webhook {
    pub(super) fn new(url: &str) -> Result<Self, Failure> {
        let refuse = |reason: &str| {
            Failure::new(Exit::Usage, format!("the webhook cannot be used: {reason}"))
                .with_help("it is a URL: https://HOST[:PORT]/PATH")
        };
        let uri: Uri = url.parse().map_err(|_| refuse("it is not a URL"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refuse("it has no scheme and host"));
        };
        if authority.as_str().contains('@') {
            return Err(refuse("a user in it would be shown to every process of the machine"));
        }
        let endpoint: Endpoint = format!("{scheme}://{authority}")
            .parse()
            .map_err(|error: contact_center_insights::Error| Failure::new(Exit::Usage, error))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { web: Web::new(endpoint)?, path })
    }

    /// 2xx means that it has taken the result; redirects are not followed.
    pub(super) async fn post(&self, delivery: &Delivery) -> Result<(), BoxError> {
        let body = Bytes::from(document(delivery)?.to_string());
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.web.uri(&self.path)?)
            .header("content-type", "application/json")
            .header("idempotency-key", delivery.key.as_str())
            .body(Full::new(body))?;
        let status = self.web.send(request).await?.status();
        if status.is_success() { Ok(()) } else { Err(format!("the webhook answered {status}").into()) }
    }
}
