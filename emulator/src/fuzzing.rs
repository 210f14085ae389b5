//! Doors for the fuzz targets of the repository (`fuzz/`), behind the feature `fuzzing`. Not public: they change or go at any
//! time, with no version to tell it.
//!
//! A target that goes through a socket makes a hundredth of the calls. So these lead to what sockets lead to: the two
//! transports, and below them filters, masks and the log.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};
use prost_reflect::DynamicMessage;

use crate::contract::Contract;
use crate::emulator::Emulator;
use crate::filter::{Filter, Order};
use crate::journal::Transport;
use crate::message::mask::Mask;
use crate::message::selection::Selection;
use crate::work::Work;
use crate::{grpc, persist, rest};

/// Answers a JSON request: status and body.
pub async fn rest(emulator: &Emulator, verb: &str, path: &str, query: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let headers = HeaderMap::new();
    let mut record = emulator.pipeline.begin(Transport::Rest, path, &headers, None);
    let call = rest::RestRequest { verb, path, query, headers: &headers, body: Bytes::copy_from_slice(body) };
    let response = rest::answer(&mut record, call).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await;
    (status, body.map(|body| body.to_bytes().to_vec()).unwrap_or_default())
}

/// Answers a gRPC request, whose body is taken as it is: `grpc-status`, and the body of the reply. An answer that went well
/// has its status in the trailers.
pub async fn grpc(emulator: &Emulator, method: &str, body: &[u8]) -> (Option<u16>, Vec<u8>) {
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(body)));
    let Ok(path) = format!("/{method}").parse() else { return (None, Vec::new()) };
    *request.uri_mut() = path;
    request.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let response = grpc::answer(&emulator.pipeline, request).await;
    let code = |headers: &HeaderMap| headers.get("grpc-status")?.to_str().ok()?.parse().ok();
    let head = code(response.headers());
    let Ok(body) = response.into_body().collect().await else { return (head, Vec::new()) };
    let trailers = body.trailers().and_then(code);
    (head.or(trailers), body.to_bytes().to_vec())
}

/// The paths of all methods, and the names of the messages that they take.
#[must_use]
pub fn methods() -> Vec<(String, String)> {
    let methods = Contract::get().methods();
    methods.map(|method| (method.path.clone(), method.input.full_name().to_owned())).collect()
}

/// Compiles a filter and an order for the resource of this place in the contract, and applies both to its bytes.
#[must_use]
pub fn filter(resource: usize, filter: &str, order: &str, bytes: &[u8]) -> Option<(bool, Vec<u8>)> {
    let resources = Contract::get().resources();
    let listed = &resources.get(resource % resources.len().max(1))?.message;
    let filter = Filter::compile(filter, listed).ok()?;
    let order = Order::parse(order, "name", listed).ok()?;
    Some((filter.selects(bytes, &Work::most()).ok()?, order.key(bytes, &Work::most()).ok()?))
}

/// Reads a mask for that resource, and sets what it names of one in another.
#[must_use]
pub fn mask(resource: usize, paths: &[String], source: &[u8], target: &[u8]) -> Option<Vec<u8>> {
    let resources = Contract::get().resources();
    let message = &resources.get(resource % resources.len().max(1))?.message;
    let mask = Mask::read("update_mask", paths, message).ok()?;
    let source = DynamicMessage::decode(message.clone(), source).ok()?;
    let mut target = DynamicMessage::decode(message.clone(), target).ok()?;
    mask.apply("resource", &source, &mut target).ok()?;
    Some(prost::Message::encode_to_vec(&target))
}

/// Cuts an answer down to the fields that are selected.
#[must_use]
pub fn selection(resource: usize, fields: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let resources = Contract::get().resources();
    let message = &resources.get(resource % resources.len().max(1))?.message;
    let wanted = Selection::read(fields).and_then(|selection| selection.check(message)).ok()?;
    Some(wanted.of(bytes.to_vec()))
}

/// A file of a data directory, or a snapshot, with these payloads: the fuzzer knows of no checksums.
#[must_use]
pub fn framed(payloads: &[&[u8]]) -> Vec<u8> {
    persist::framed(payloads)
}

/// What a file of a data directory leads to, as a snapshot.
///
/// # Errors
/// Why the emulator would not start.
pub fn replay(file: &[u8]) -> Result<Vec<u8>, String> {
    persist::replay(file)
}
