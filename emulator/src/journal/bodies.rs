//! The messages of calls, as text to be looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contact_center_insights::Status;
use contact_center_insights::json::Printer;
use contact_center_insights::proto::rpc;
use serde_json::json;

use crate::contract::Contract;

/// Of a message, in bytes; a longer one is not kept.
const MAX_BODY: usize = 1024 * 1024;

/// A request of the method with this name.
pub(super) fn request(method: &str, bytes: &[u8]) -> Option<String> {
    let found = Contract::get().methods().find(|found| found.name == method)?;
    shown(found.input.full_name(), bytes)
}

/// A reply of the method at this path.
pub(super) fn reply(path: &str, reply: &Result<impl AsRef<[u8]>, Status>) -> Option<String> {
    match reply {
        Ok(bytes) => shown(Contract::get().method(path)?.output.full_name(), bytes.as_ref()),
        Err(status) => Printer::new().message(&rpc::Status::from(status.clone())).ok().and_then(bounded),
    }
}

fn shown(message: &str, bytes: &[u8]) -> Option<String> {
    if bytes.len() > MAX_BODY {
        return None;
    }
    let text = Printer::new().text(message, bytes);
    bounded(text.unwrap_or_else(|_| json!({ "@bytes": STANDARD.encode(bytes) }).to_string()))
}

fn bounded(text: String) -> Option<String> {
    (text.len() <= MAX_BODY.saturating_mul(2)).then_some(text)
}
