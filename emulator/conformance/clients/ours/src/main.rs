//! Drives this repository's own client, which speaks gRPC only: conformance ADDRESS grpc.
//! README.md has the line protocol.

mod methods;

use std::error::Error as _;
use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use contact_center_insights::auth::Credentials;
use contact_center_insights::json::JsonError;
use contact_center_insights::lro::PollPolicy;
use contact_center_insights::proto::rpc::{BadRequest, ErrorInfo};
use contact_center_insights::status::code_name;
use contact_center_insights::{Client, Error};
use serde_json::{Value, json};

/// Between two polls of an operation.
const POLLING: Duration = Duration::from_millis(50);

/// What a call, or an operation, that went well came back with.
#[derive(Debug, Default)]
struct Answer {
    response: Value,
    metadata: Option<Value>,
}

/// Why one did not.
#[derive(Debug)]
enum Failure {
    /// The client's error; for one of an operation, with the last metadata.
    Refused(Box<Error>, Option<Value>),
    /// Nothing was sent, or what came cannot be read.
    Client(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(Box::new(error), None)
    }
}

impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Self {
        Self::Client(format!("{error}: {:?}", error.source().map(ToString::to_string)))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).ok_or("usage: conformance ADDRESS grpc")?;
    // An emulator's operations end at once: the waits that suit the service would be most of what this takes.
    let often = PollPolicy::default().with_first_wait(POLLING).with_max_wait(POLLING);
    let client = Client::builder()
        .with_endpoint(format!("http://{address}"))
        .with_credentials(Credentials::anonymous())
        .with_poll_policy(often)
        .build()?;
    for line in std::io::stdin().lock().lines() {
        let call: Value = serde_json::from_str(&line?)?;
        let text = |key: &str| call.get(key).and_then(Value::as_str).unwrap_or_default();
        let request = call.get("request").cloned().unwrap_or_default();
        let answer = match methods::call(&client, text("method"), &request, text("mode")).await {
            Ok(Answer { response, metadata }) => {
                json!({ "code": "OK", "response": response, "metadata": metadata })
            }
            Err(Failure::Refused(error, metadata)) => refused(&error, metadata.as_ref()),
            Err(Failure::Client(message)) => json!({ "code": "CLIENT", "message": message }),
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn refused(error: &Error, metadata: Option<&Value>) -> Value {
    let Some(status) = error.status() else {
        let source = error.source().map(ToString::to_string);
        return json!({ "code": "CLIENT", "message": format!("{error}: {source:?}") });
    };
    let fields = status.detail::<BadRequest>().unwrap_or_default().field_violations;
    json!({
        "code": code_name(status.code()),
        "message": status.message(),
        "reason": status.detail::<ErrorInfo>().map(|info| info.reason),
        "fields": fields.into_iter().map(|violation| violation.field).collect::<Vec<_>>(),
        "during": if matches!(error, Error::Operation { .. }) { "operation" } else { "call" },
        "metadata": metadata,
    })
}
