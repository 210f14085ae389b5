//! Makes attempts until one succeeds, the policy gives up, or the time is over.

use std::io::{Cursor, Write as _};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::client::Grpc;
#[cfg(feature = "gzip")]
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::{Code, Extensions, Request};
use tower::retry::budget::Budget as _;
use tracing::Instrument as _;

#[cfg(feature = "gzip")]
use super::Gzip;
use super::codec::BytesToMessage;
use super::failure::Failure;
use super::retry::{Decision, Past, RetryPolicy};
use super::sent::SentProbe;
use super::{Caller, Method, Plan, Reconcile, routing, trace};
use crate::auth::TokenCache;
use crate::error::{Error, ServerEffect, retry_delay};
use crate::transport::ProgressCell;

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Runs the plan to its end.
pub(super) async fn run<W: Message + Default + Send + 'static>(plan: &mut Plan) -> Result<W, Error> {
    let span = trace::call_span(plan.method, plan.caller.transport().endpoint());
    let result = attempts(plan).instrument(span.clone()).await;
    let code = result.as_ref().map_or_else(|error| error.code().unwrap_or(Code::Unknown), |_| Code::Ok);
    trace::record_end(&span, code);
    result
}

/// Makes attempts until one succeeds, or there is a reason to stop.
async fn attempts<W: Message + Default + Send + 'static>(plan: &mut Plan) -> Result<W, Error> {
    if let Err(error) = &mut plan.body {
        // Taken once: a call is awaited once.
        let placeholder = Error::protocol("the call was refused before");
        return Err(std::mem::replace(error, placeholder));
    }
    let started = Instant::now();
    let deadline = plan.timeout.and_then(|timeout| started.checked_add(timeout));
    plan.caller.budget().deposit();
    let mut attempts = 0;
    let mut waited = None;
    let mut has_renewed_token = false;
    let mut may_have_acted = false;
    let mut has_resent = false;
    loop {
        attempts += 1;
        let sent = if attempts == 1 { started } else { Instant::now() };
        let policy = plan.retry.as_ref().unwrap_or(&plan.caller.settings().retry);
        let tokens = plan.caller.transport().tokens();
        let generation = tokens.map(TokenCache::next_generation);
        let per_attempt = sent.checked_add(policy.attempt_timeout());
        let end = deadline.into_iter().chain(per_attempt).min();
        let progress = ProgressCell::default();
        let result = match end {
            // Pinned here, for it is large to be moved.
            Some(end) => timeout_at(end, pin!(attempt(plan, Some(end - sent), &progress))).await,
            None => Ok(attempt(plan, None, &progress).await),
        };
        let failure = match result {
            Ok(Ok(wire)) => return Ok(wire),
            Ok(Err(status)) => Failure::of(status),
            // Without a token it waited for one, and was not sent.
            Err(_) => match tokens.and_then(|tokens| tokens.starving(sent)) {
                Some(error) => Failure::without_token(error, sent.elapsed()),
                None => Failure::timed_out(sent.elapsed(), progress.get()),
            },
        };
        // The connection closed before the server took the request up: once, that costs no wait and no attempt, as
        // gRPC's clients do it (gRFC A6, transparent retries).
        if failure.is_unprocessed && !std::mem::replace(&mut has_resent, true) {
            continue;
        }
        if let Some((tokens, generation)) = tokens.zip(generation)
            && failure.is_refused_token()
            && !std::mem::replace(&mut has_renewed_token, true)
            && tokens.refuse(generation)
        {
            continue;
        }
        let asked = retry_delay(&failure.status);
        let past = Past { attempts: attempts - u32::from(has_resent), waited, asked };
        if let Some(reconcile) = plan.reconcile.as_deref()
            && may_have_acted
            && failure.status.code() == Code::AlreadyExists
            && let Some(wire) = fetch_existing(plan, reconcile, end).await
        {
            return Ok(wire);
        }
        may_have_acted |= failure.fault.effect == ServerEffect::Unknown;
        let is_repeatable = plan.is_idempotent || plan.reconcile.is_some();
        match policy.decide(past, failure.fault, is_repeatable, plan.caller.jitter()) {
            // Fetches of a token have been repeated already, for as long as the credentials have patience.
            Decision::RetryAfter(wait)
                if !failure.is_without_token()
                    && deadline.is_none_or(|end| Instant::now() + wait < end)
                    && plan.caller.budget().withdraw() =>
            {
                trace::attempt_failed(attempts, failure.status.code(), failure.fault, wait);
                waited = Some(wait);
                sleep(wait).await;
            }
            _ => return Err(failure.into_error(plan.method.full_name(), attempts, started.elapsed())),
        }
    }
}

/// Gets the resource that a creation found to be there; `None` if it is not what was asked for, or cannot be got.
async fn fetch_existing<W: Message + Default + Send + 'static>(
    plan: &Plan,
    reconcile: &Reconcile,
    end: Option<Instant>,
) -> Option<W> {
    let end = end.unwrap_or_else(|| Instant::now() + RetryPolicy::default().attempt_timeout());
    let left = end.saturating_duration_since(Instant::now());
    let get = Outgoing {
        caller: &plan.caller,
        method: reconcile.get,
        routing: reconcile.routing.as_ref(),
        headers: &plan.headers,
        body: &reconcile.request,
    };
    timeout_at(end, send(get, Some(left), &ProgressCell::default()))
        .await
        .ok()?
        .ok()
        .filter(|found| reconcile.accepts(found))
}

async fn attempt<W: Message + Default + Send + 'static>(
    plan: &Plan,
    time_left: Option<Duration>,
    progress: &ProgressCell,
) -> Result<W, tonic::Status> {
    static NONE: Bytes = Bytes::new();
    let outgoing = Outgoing {
        caller: &plan.caller,
        method: plan.method,
        routing: plan.routing.as_ref(),
        headers: &plan.headers,
        body: plan.body.as_ref().unwrap_or(&NONE),
    };
    send(outgoing, time_left, progress).await
}

/// One request on its way.
#[derive(Clone, Copy)]
struct Outgoing<'a> {
    caller: &'a Caller,
    method: &'static Method,
    routing: Option<&'a HeaderValue>,
    headers: &'a HeaderMap,
    body: &'a Bytes,
}

async fn send<W: Message + Default + Send + 'static>(
    outgoing: Outgoing<'_>,
    time_left: Option<Duration>,
    progress: &ProgressCell,
) -> Result<W, tonic::Status> {
    let Outgoing { caller, method, body, .. } = outgoing;
    let transport = SentProbe { transport: caller.transport().clone(), progress };
    let grpc = Grpc::new(transport).max_decoding_message_size(caller.settings().max_reply_size);
    #[cfg(feature = "gzip")]
    let grpc = match caller.settings().gzip {
        Gzip::Off => grpc,
        Gzip::Replies => grpc.accept_compressed(CompressionEncoding::Gzip),
        Gzip::RepliesAndRequests => {
            grpc.accept_compressed(CompressionEncoding::Gzip).send_compressed(CompressionEncoding::Gzip)
        }
    };
    let mut grpc = grpc;
    grpc.ready().await.map_err(tonic::Status::from_error)?;
    let path = PathAndQuery::from_static(method.path());
    let codec = BytesToMessage::new(body.len());
    // As `Grpc::unary` does it, in a future of half the size. The request is made when it can go, so that it is not
    // held before or after.
    let mut reply = grpc.server_streaming(request(outgoing, time_left), path, codec).await?.into_inner();
    let message =
        reply.message().await?.ok_or_else(|| tonic::Status::internal("the reply has no message"))?;
    // The status comes after the message.
    reply.trailers().await?;
    Ok(message)
}

fn request(outgoing: Outgoing<'_>, time_left: Option<Duration>) -> Request<Bytes> {
    let Outgoing { caller, routing: route, headers: own, body, .. } = outgoing;
    // Room for what is added here, in the layers below and by tonic, so that the map never grows.
    let mut headers = HeaderMap::with_capacity(own.len() + 9);
    if let Some(value) = route {
        headers.insert(routing::HEADER, value.clone());
    }
    for (name, value) in own {
        headers.insert(name, value.clone());
    }
    if let Some(value) = time_left.and_then(grpc_timeout) {
        headers.insert(GRPC_TIMEOUT, value);
    }
    if let Some(value) = caller.settings().trace.as_ref().and_then(trace::TraceContext::traceparent) {
        headers.insert("traceparent", value);
    }
    Request::from_parts(MetadataMap::from_headers(headers), Extensions::new(), body.clone())
}

/// At most 8 digits and a unit: milliseconds reach a day, seconds three years. Rounded up, so that our own
/// clock, which knows what happened, is the first to end the call.
fn grpc_timeout(left: Duration) -> Option<HeaderValue> {
    let mut text = Cursor::new([0; 9]);
    match u32::try_from(left.as_millis()) {
        Ok(millis @ ..99_999_999) => write!(text, "{}m", millis + 1),
        _ => write!(text, "{}S", left.as_secs().saturating_add(1).min(99_999_999)),
    }
    .ok()?;
    let length = usize::try_from(text.position()).ok()?;
    HeaderValue::from_bytes(text.get_ref().get(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_timeout_has_at_most_eight_digits() {
        let cases = [(0, "1m"), (1_500, "1501m"), (99_999_998, "99999999m"), (100_000_000, "100001S")];
        for (millis, text) in cases {
            assert_eq!(grpc_timeout(Duration::from_millis(millis)).unwrap(), text);
        }
        assert_eq!(grpc_timeout(Duration::MAX).unwrap(), "99999999S");
    }
}
