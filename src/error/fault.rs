//! Fault classification: from what the transport or the server did to what the caller may do about it.
//!
//! tonic reports most transport faults as `Unknown`, `Internal` or `Cancelled`, and what it cannot read by the
//! codes that a server might send. So the chain of sources is read where the fault happens, in
//! [`TransportFault`], what the server itself said is marked by [`FromServer`], and both travel up as the source
//! of the status. `docs/faults.md` shows what comes of it, measured on sockets.

use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;
use tonic::Code;

use super::{
    BoxError, ClosedBeforeSend, ConnectFailure, CredentialsError, PingsUnanswered, TooManyPings, Undriven,
    Unreachable, find,
};

/// Whether the server acted on a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerEffect {
    /// The request never left.
    NotSent,
    /// The server refused it before acting on it: `REFUSED_STREAM`, a GOAWAY that leaves the request out, HTTP 429,
    /// or an UNAVAILABLE or `RESOURCE_EXHAUSTED` of its own.
    Refused,
    /// The server answered with an error; by the meaning of its code it did not do what was asked.
    Answered,
    /// Nobody can know: the request was under way when the connection, or the time, ended.
    Unknown,
}

/// What a failed attempt tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// Whether the same call may well succeed later.
    pub is_transient: bool,
    /// Whether the server asks for fewer calls.
    pub is_overload: bool,
    /// Whether the server acted.
    pub effect: ServerEffect,
}

impl Fault {
    const fn transient(effect: ServerEffect) -> Self {
        Self { is_transient: true, is_overload: false, effect }
    }

    const fn permanent(effect: ServerEffect) -> Self {
        Self { is_transient: false, is_overload: false, effect }
    }

    const fn overload(effect: ServerEffect) -> Self {
        Self { is_transient: true, is_overload: true, effect }
    }

    /// The time for an attempt, or for the whole call, passed while it was under way.
    pub(crate) const DEADLINE: Self = Self::transient(ServerEffect::Unknown);

    /// As above, before it was sent.
    pub(crate) const UNSENT_IN_TIME: Self = Self::transient(ServerEffect::NotSent);

    /// There was no token to send the request with.
    pub(crate) fn without_token(is_transient: bool) -> Self {
        Self { is_transient, is_overload: false, effect: ServerEffect::NotSent }
    }
}

/// An error below gRPC, classified where its whole chain is still there.
#[derive(Debug)]
pub(crate) struct TransportFault {
    finding: Finding,
    source: BoxError,
}

/// What a chain of sources comes to.
#[derive(Clone, Copy, Debug)]
struct Finding {
    fault: Fault,
    code: Code,
    text: &'static str,
}

impl TransportFault {
    pub(crate) fn new(source: BoxError) -> Self {
        Self { finding: of_transport(source.as_ref()), source }
    }

    /// A fault that came after the reply's head: the server was at work, whatever it says now.
    pub(crate) fn within_reply(source: BoxError) -> Self {
        let mut fault = Self::new(source);
        let finding = &mut fault.finding;
        if finding.fault.effect == ServerEffect::Refused && !finding.fault.is_overload {
            finding.text = BROKEN_OFF;
        }
        finding.fault.effect = ServerEffect::Unknown;
        fault
    }

    /// The service that sends requests is gone, and takes none: a channel outlived its runtime.
    pub(crate) fn closed(source: BoxError) -> Self {
        let text = "the channel takes no requests any more; was the runtime shut down in which it was made?";
        let fault = Fault::permanent(ServerEffect::NotSent);
        Self { finding: Finding { fault, code: Code::Unavailable, text }, source }
    }

    /// Whether the connection closed under the request before the server took it up, so that it can be retried at
    /// once.
    pub(crate) fn is_unprocessed(&self) -> bool {
        let Fault { effect, is_overload, .. } = self.finding.fault;
        let is_refused = effect == ServerEffect::Refused
            && !is_overload
            && find::<h2::Error>(self.source.as_ref()).is_some();
        is_refused
            || find::<ClosedBeforeSend>(self.source.as_ref()).is_some()
            || find::<Undriven>(self.source.as_ref()).is_some_and(|undriven| !undriven.is_sent)
    }

    /// Whether the server reset the stream with CANCEL.
    pub(crate) fn is_cancelled_by_server(&self) -> bool {
        find::<h2::Error>(self.source.as_ref()).is_some_and(|error| {
            error.is_reset() && error.is_remote() && error.reason() == Some(h2::Reason::CANCEL)
        })
    }

    pub(crate) fn code(&self) -> Code {
        self.finding.code
    }

    pub(crate) fn fault(&self) -> Fault {
        self.finding.fault
    }
}

impl fmt::Display for TransportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.finding.text)
    }
}

impl StdError for TransportFault {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // tonic wraps what breaks a body in a status that prints its source and tells nothing itself; those that share
        // an error only pass it on.
        let status = self.source.downcast_ref::<tonic::Status>().and_then(StdError::source);
        let shared = self.source.downcast_ref::<Unreachable>().and_then(StdError::source);
        Some(status.or(shared).unwrap_or(self.source.as_ref()))
    }
}

/// Marks a status that came over the wire: tonic gives the same codes to replies that it cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the server sent this status")]
pub(crate) struct FromServer {
    /// The reply had begun: the server was at work.
    pub(crate) is_after_data: bool,
}

/// A reply that is HTTP but not gRPC: a proxy's page, mostly.
#[derive(Debug)]
pub(crate) struct HttpReply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
}

impl fmt::Display for HttpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {} with content type `{}`, not gRPC", self.status, self.content_type)
    }
}

impl StdError for HttpReply {}

/// The fault of a failed attempt, and the transport error behind it if there is one.
pub(crate) fn classify(status: &tonic::Status) -> (Fault, Option<&TransportFault>) {
    let source = status.source();
    if let Some(transport) = source.and_then(|source| find::<TransportFault>(source)) {
        return (transport.fault(), Some(transport));
    }
    let fault = match source.and_then(|source| find::<FromServer>(source)) {
        Some(FromServer { is_after_data: false }) => of_server(status.code()),
        Some(FromServer { is_after_data: true }) => {
            Fault { effect: ServerEffect::Unknown, ..of_server(status.code()) }
        }
        None => of_unreadable(status.code()),
    };
    (fault, None)
}

/// What a code means that the server itself sent.
fn of_server(code: Code) -> Fault {
    match code {
        Code::Unavailable => Fault::transient(ServerEffect::Refused),
        Code::ResourceExhausted => Fault::overload(ServerEffect::Refused),
        Code::Unknown | Code::Internal | Code::DeadlineExceeded | Code::Cancelled => {
            Fault::transient(ServerEffect::Unknown)
        }
        _ => Fault::permanent(ServerEffect::Answered),
    }
}

/// What a code means that tonic, or our decoder, gave to a reply that cannot be read. The server has acted, as
/// likely as not. A torn reply (`Internal`) and one without `grpc-status` (`Unknown`) may be whole the next
/// time; one that is too large, or compressed in a way that was not offered, will not.
fn of_unreadable(code: Code) -> Fault {
    match code {
        Code::Internal | Code::Unknown => Fault::transient(ServerEffect::Unknown),
        _ => Fault::permanent(ServerEffect::Unknown),
    }
}

fn of_transport(error: &(dyn StdError + 'static)) -> Finding {
    let unavailable = |fault, text| Finding { fault, code: Code::Unavailable, text };
    if let Some(credentials) = find::<CredentialsError>(error) {
        let fault = Fault::without_token(credentials.is_transient());
        return Finding { fault, code: Code::Unauthenticated, text: "no access token for the call" };
    }
    if let Some(reply) = find::<HttpReply>(error) {
        return of_http(reply.status);
    }
    // tonic keeps time by `grpc-timeout` too, and now and then it is the first to notice.
    if find::<tonic::TimeoutExpired>(error).is_some() {
        let text = "no whole reply within the time given";
        return Finding { fault: Fault::DEADLINE, code: Code::DeadlineExceeded, text };
    }
    if let Some(failure) = find::<ConnectFailure>(error) {
        let fault = if failure.is_transient() { Fault::transient } else { Fault::permanent };
        return unavailable(fault(ServerEffect::NotSent), "the server could not be reached");
    }
    if find::<ClosedBeforeSend>(error).is_some() {
        return unavailable(
            Fault::transient(ServerEffect::NotSent),
            "the connection closed before the request was sent",
        );
    }
    if find::<PingsUnanswered>(error).is_some() {
        return unavailable(
            Fault::transient(ServerEffect::Unknown),
            "the connection went dead: pings are not answered",
        );
    }
    if let Some(pings) = find::<TooManyPings>(error) {
        let effect = if pings.is_left_out() { ServerEffect::Refused } else { ServerEffect::Unknown };
        return unavailable(
            Fault::transient(effect),
            "the server closed the connection because of too many pings",
        );
    }
    if let Some(undriven) = find::<Undriven>(error) {
        let (effect, text) = if undriven.is_sent {
            (ServerEffect::Unknown, "nobody reads the connection that the call was sent on")
        } else {
            (ServerEffect::NotSent, "nobody drives the connection that the call was to be sent on")
        };
        return unavailable(Fault::transient(effect), text);
    }
    if find::<tonic::ConnectError>(error).is_some() || find::<Unreachable>(error).is_some() {
        return unavailable(Fault::transient(ServerEffect::NotSent), "the server could not be reached");
    }
    if let Some(h2) = find::<h2::Error>(error) {
        return of_h2(h2);
    }
    unavailable(Fault::transient(ServerEffect::Unknown), BROKEN)
}

const BROKEN: &str = "the connection broke before the reply was whole";
const BROKEN_OFF: &str = "the server broke off the call";

fn of_h2(error: &h2::Error) -> Finding {
    // h2 gives a server's GOAWAY to those streams only that are above its last stream, or were never opened;
    // the others go on, and end in an I/O error if the connection closes over them (RFC 9113, 6.8).
    let is_left_out = error.is_go_away() && error.is_remote();
    let effect = if is_left_out { ServerEffect::Refused } else { ServerEffect::Unknown };
    let (fault, code, text) = match error.reason() {
        Some(h2::Reason::ENHANCE_YOUR_CALM) => {
            (Fault::overload(effect), Code::ResourceExhausted, "the server asks for fewer calls")
        }
        Some(h2::Reason::REFUSED_STREAM) => (
            Fault::transient(ServerEffect::Refused),
            Code::Unavailable,
            "the server refused the request unprocessed",
        ),
        _ if is_left_out => {
            let text = "the server closes the connection, and has not taken up the request";
            (Fault::transient(effect), Code::Unavailable, text)
        }
        Some(_) if error.is_reset() && error.is_remote() => {
            (Fault::transient(effect), Code::Unavailable, BROKEN_OFF)
        }
        Some(_) => {
            let text = "what the server sent is not proper HTTP/2; is the endpoint a gRPC server?";
            (Fault::transient(effect), Code::Unavailable, text)
        }
        None => (Fault::transient(effect), Code::Unavailable, BROKEN),
    };
    Finding { fault, code, text }
}

/// The mapping of gRPC's `http-grpc-status-mapping`, with 429 read as what it says, and 408 and 500 as faults that
/// may pass. Who answers 429 has not acted (RFC 6585); behind a 5xx of a proxy the server may have.
fn of_http(status: StatusCode) -> Finding {
    let (fault, code) = match status.as_u16() {
        400 => (Fault::permanent(ServerEffect::Answered), Code::Internal),
        401 => (Fault::permanent(ServerEffect::Answered), Code::Unauthenticated),
        403 => (Fault::permanent(ServerEffect::Answered), Code::PermissionDenied),
        404 => (Fault::permanent(ServerEffect::Answered), Code::Unimplemented),
        429 => (Fault::overload(ServerEffect::Refused), Code::ResourceExhausted),
        408 | 500 => (Fault::transient(ServerEffect::Unknown), Code::Unknown),
        502..=504 => (Fault::transient(ServerEffect::Unknown), Code::Unavailable),
        _ => (Fault::permanent(ServerEffect::Unknown), Code::Unknown),
    };
    Finding { fault, code, text: "an HTTP reply that is not gRPC, from a proxy or another kind of server" }
}

#[cfg(test)]
mod tests;
