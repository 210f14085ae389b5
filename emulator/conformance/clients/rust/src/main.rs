//! Drives google-cloud-contactcenterinsights-v1, which speaks REST only: conformance-rust ADDRESS rest.
//! README.md has the line protocol.

mod methods;

use std::error::Error as _;
use std::io::{BufRead as _, Write as _};

use google_cloud_auth::credentials::anonymous;
use google_cloud_contactcenterinsights_v1::client::ContactCenterInsights;
use google_cloud_gax::error::Error;
use google_cloud_gax::error::rpc::StatusDetails;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What a call that went well came back with.
pub(crate) struct Answer {
    response: Value,
}

/// Why one did not.
pub(crate) enum Failure {
    /// The client's error for a call.
    Call(Error),
    /// The client's error for an operation that was started.
    Operation(Error),
    /// Nothing was sent.
    Client(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Client(error.to_string())
    }
}

/// The request in the client's own type.
pub(crate) fn read<T: DeserializeOwned>(request: Value) -> Result<T, Failure> {
    Ok(serde_json::from_value(request)?)
}

/// A response in the client's own type, as ProtoJSON.
pub(crate) fn show<T: Serialize>(response: &T) -> Result<Answer, Failure> {
    let response = match serde_json::to_value(response)? {
        Value::Null => json!({}),
        shown => shown,
    };
    Ok(Answer { response })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is there already")?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).ok_or("usage: conformance-rust ADDRESS rest")?;
    let client = ContactCenterInsights::builder()
        .with_endpoint(format!("http://{address}"))
        .with_credentials(anonymous::Builder::new().build())
        .build()
        .await?;
    for line in std::io::stdin().lock().lines() {
        let call: Value = serde_json::from_str(&line?)?;
        let text = |key: &str| call.get(key).and_then(Value::as_str).unwrap_or_default();
        let request = call.get("request").cloned().unwrap_or_default();
        let answer = match methods::call(&client, text("method"), request, text("mode")).await {
            Ok(answer) => json!({ "code": "OK", "response": answer.response }),
            Err(Failure::Call(error)) => refused(&error, "call"),
            Err(Failure::Operation(error)) => refused(&error, "operation"),
            Err(Failure::Client(message)) => json!({ "code": "CLIENT", "message": message }),
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn refused(error: &Error, during: &str) -> Value {
    let Some(status) = error.status() else {
        let source = error.source().map(ToString::to_string).unwrap_or_default();
        return json!({ "code": "CLIENT", "message": format!("{error}: {source}") });
    };
    let mut reason = Value::Null;
    let mut fields = Vec::new();
    for detail in &status.details {
        match detail {
            StatusDetails::ErrorInfo(info) => reason = info.reason.clone().into(),
            StatusDetails::BadRequest(bad) => {
                fields.extend(bad.field_violations.iter().map(|violation| violation.field.clone()));
            }
            _ => {}
        }
    }
    json!({
        "code": status.code.name(),
        "message": status.message,
        "reason": reason,
        "fields": fields,
        "during": during,
    })
}
