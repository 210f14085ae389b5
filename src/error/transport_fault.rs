//! An error below gRPC, from its whole chain of sources to a code, a text, and what may be done about it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use tonic::Code;

use super::{
    BoxError, ClosedBeforeSend, ConnectFailure, CredentialsError, Fault, HttpReply, PingsUnanswered,
    RequestBody, ServerEffect, TooManyPings, Undriven, Unreachable, find,
};

/// An error below gRPC, classified where its whole chain is still there.
#[derive(Debug)]
pub(crate) struct TransportFault {
    finding: Finding,
    source: BoxError,
}

/// What a bare stub sees: the code, a message that is enough where nobody looks at the sources, and the fault as the source.
impl From<TransportFault> for tonic::Status {
    fn from(fault: TransportFault) -> Self {
        let mut message = fault.to_string();
        let mut next = fault.source();
        while let Some(error) = next {
            let text = error.to_string();
            // Some errors repeat what is below them.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            next = error.source();
        }
        let mut status = Self::new(fault.code(), message);
        status.set_source(Arc::new(fault));
        status
    }
}

/// How a request came back that the server has not processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unprocessed {
    /// The connection closed before the server took it up.
    ConnectionLost,
    /// The server refused this one request, and the connection stands.
    StreamRefused,
}

/// What a chain of sources comes to.
#[derive(Debug)]
struct Finding {
    fault: Fault,
    code: Code,
    text: Cow<'static, str>,
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
            finding.text = BROKEN_OFF.into();
        }
        finding.fault.effect = ServerEffect::Unknown;
        fault
    }

    /// The service that sends requests is gone, and takes none: a channel outlived its runtime.
    pub(crate) fn closed(source: BoxError) -> Self {
        let text = "the channel takes no requests any more; was the runtime shut down in which it was made?";
        let fault = Fault::permanent(ServerEffect::NotSent);
        Self { finding: Finding { fault, code: Code::Unavailable, text: text.into() }, source }
    }

    /// The time that the caller gave passed; `text` says what it passed with.
    pub(crate) fn out_of_time(text: String, fault: Fault, source: BoxError) -> Self {
        Self { finding: Finding { fault, code: Code::DeadlineExceeded, text: text.into() }, source }
    }

    /// How the request came back unprocessed, if it did: the server has not seen it, or has said that it left it out, so
    /// that it can be sent again at once.
    pub(crate) fn unprocessed(&self) -> Option<Unprocessed> {
        let source = self.source.as_ref();
        let Fault { effect, is_overload, .. } = self.finding.fault;
        if find::<ClosedBeforeSend>(source).is_some()
            || find::<Undriven>(source).is_some_and(|undriven| !undriven.is_sent)
        {
            return Some(Unprocessed::ConnectionLost);
        }
        let error = find::<h2::Error>(source).filter(|_| effect == ServerEffect::Refused && !is_overload)?;
        Some(if error.is_reset() { Unprocessed::StreamRefused } else { Unprocessed::ConnectionLost })
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
        f.write_str(&self.finding.text)
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

fn of_transport(error: &(dyn StdError + 'static)) -> Finding {
    let unavailable =
        |fault, text: &'static str| Finding { fault, code: Code::Unavailable, text: text.into() };
    if let Some(credentials) = find::<CredentialsError>(error) {
        let fault = Fault::without_token(credentials.is_transient());
        return Finding { fault, code: Code::Unauthenticated, text: "no access token for the call".into() };
    }
    if let Some(body) = find::<RequestBody>(error) {
        return of_request(body);
    }
    if let Some(reply) = find::<HttpReply>(error) {
        return of_http(reply);
    }
    // tonic keeps time by `grpc-timeout` too, and now and then it is the first to notice.
    if find::<tonic::TimeoutExpired>(error).is_some() {
        let text = "no whole reply within the time given";
        return Finding { fault: Fault::DEADLINE, code: Code::DeadlineExceeded, text: text.into() };
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
    Finding { fault, code, text: text.into() }
}

/// The caller's own stream of messages failed, or a message could not be encoded: tonic says which, and the request was
/// never whole.
fn of_request(body: &RequestBody) -> Finding {
    let status = find::<tonic::Status>(body);
    let code = status.map_or(Code::Unknown, tonic::Status::code);
    let fault = Fault::permanent(ServerEffect::Unknown);
    Finding { fault, code, text: "the request could not be sent whole".into() }
}

/// The mapping of gRPC's `http-grpc-status-mapping`, with 429 read as what it says, and 408 and 500 as faults that
/// may pass. Who answers 429 has not acted (RFC 6585); behind a 5xx of a proxy the server may have.
fn of_http(reply: &HttpReply) -> Finding {
    let (fault, code) = match reply.status.as_u16() {
        400 => (Fault::permanent(ServerEffect::Answered), Code::Internal),
        401 => (Fault::permanent(ServerEffect::Answered), Code::Unauthenticated),
        403 => (Fault::permanent(ServerEffect::Answered), Code::PermissionDenied),
        404 => (Fault::permanent(ServerEffect::Answered), Code::Unimplemented),
        429 => (Fault::overload(ServerEffect::Refused), Code::ResourceExhausted),
        408 | 500 => (Fault::transient(ServerEffect::Unknown), Code::Unknown),
        502..=504 => (Fault::transient(ServerEffect::Unknown), Code::Unavailable),
        _ => (Fault::permanent(ServerEffect::Unknown), Code::Unknown),
    };
    let text = if reply.wants_certificate() {
        "a proxy wants a client certificate, and was shown none that it accepts: see `Tls::with_identity_files`"
    } else {
        "an HTTP reply that is not gRPC, from a proxy or another kind of server"
    };
    Finding { fault, code, text: text.into() }
}
