//! Fault classification: from what the transport or the server did to what the caller may do about it.
//!
//! tonic reports most transport faults as `Unknown`, `Internal` or `Cancelled`; so the chain of sources is
//! read where the fault happens, in [`TransportFault::new`], and what was found travels up with it.

use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;
use tonic::Code;

use super::{BoxError, CredentialsError, find};

/// Whether the server acted on a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acted {
    /// The request never left.
    NotSent,
    /// The server refused it before acting on it: `REFUSED_STREAM`, or an UNAVAILABLE of its own.
    Refused,
    /// The server answered with an error; by the meaning of its code it did not do what was asked.
    Answered,
    /// Nobody can know: the request was under way when the connection, or the time, ended.
    Unknown,
}

/// What a failed attempt tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whether the same call may well succeed later.
    pub is_transient: bool,
    /// Whether the server asks for fewer calls.
    pub is_overload: bool,
    /// Whether the server acted.
    pub acted: Acted,
}

impl Fault {
    const fn transient(acted: Acted) -> Self {
        Self { is_transient: true, is_overload: false, acted }
    }

    const fn permanent(acted: Acted) -> Self {
        Self { is_transient: false, is_overload: false, acted }
    }

    const fn overload(acted: Acted) -> Self {
        Self { is_transient: true, is_overload: true, acted }
    }

    /// The deadline passed while the call was under way.
    pub(crate) const DEADLINE: Self = Self::permanent(Acted::Unknown);
}

/// An error below gRPC, classified where its whole chain is still there.
#[derive(Debug)]
pub(crate) struct TransportFault {
    fault: Fault,
    code: Code,
    source: BoxError,
}

impl TransportFault {
    pub(crate) fn new(source: BoxError) -> Self {
        let (fault, code) = of_transport(source.as_ref());
        Self { fault, code, source }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn fault(&self) -> Fault {
        self.fault
    }
}

impl fmt::Display for TransportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.fault.acted, self.fault.is_overload) {
            (Acted::NotSent, _) if self.code == Code::Unauthenticated => "no access token for the call",
            (Acted::NotSent, _) => "the server could not be reached",
            (Acted::Refused, _) => "the server refused the request unprocessed",
            (_, true) => "the server asks for fewer calls",
            (Acted::Answered, _) => "the reply is not a gRPC reply",
            (Acted::Unknown, _) => "the connection broke before the reply was whole",
        })
    }
}

impl StdError for TransportFault {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
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
    let transport = status.source().and_then(|source| find::<TransportFault>(source));
    (transport.map_or_else(|| of_code(status.code()), TransportFault::fault), transport)
}

/// What a code means that the server itself sent, or that tonic made of a reply it could not read.
fn of_code(code: Code) -> Fault {
    match code {
        Code::Unavailable => Fault::transient(Acted::Refused),
        Code::ResourceExhausted => Fault::overload(Acted::Refused),
        // A clean end of stream without `grpc-status` reads as Unknown; the rest as the server says.
        Code::Unknown | Code::Internal | Code::DeadlineExceeded | Code::Cancelled => {
            Fault::transient(Acted::Unknown)
        }
        _ => Fault::permanent(Acted::Answered),
    }
}

fn of_transport(error: &(dyn StdError + 'static)) -> (Fault, Code) {
    if let Some(credentials) = find::<CredentialsError>(error) {
        let fault = if credentials.is_transient() { Fault::transient } else { Fault::permanent };
        return (fault(Acted::NotSent), Code::Unauthenticated);
    }
    if let Some(reply) = find::<HttpReply>(error) {
        return of_http(reply.status);
    }
    if let Some(h2) = find::<h2::Error>(error) {
        return of_h2(h2);
    }
    if find::<tonic::ConnectError>(error).is_some()
        || find::<tonic::transport::Error>(error).is_some_and(is_connect)
    {
        return (Fault::transient(Acted::NotSent), Code::Unavailable);
    }
    (Fault::transient(Acted::Unknown), Code::Unavailable)
}

/// A transport error of tonic over an I/O error without hyper in between failed while connecting.
fn is_connect(error: &tonic::transport::Error) -> bool {
    find::<hyper::Error>(error).is_none() && find::<std::io::Error>(error).is_some()
}

fn of_h2(error: &h2::Error) -> (Fault, Code) {
    match error.reason() {
        Some(h2::Reason::REFUSED_STREAM) => (Fault::transient(Acted::Refused), Code::Unavailable),
        Some(h2::Reason::ENHANCE_YOUR_CALM) => (Fault::overload(Acted::Unknown), Code::ResourceExhausted),
        _ => (Fault::transient(Acted::Unknown), Code::Unavailable),
    }
}

/// The mapping of gRPC's `http-grpc-status-mapping`, with 429 read as what it says.
fn of_http(status: StatusCode) -> (Fault, Code) {
    match status.as_u16() {
        401 => (Fault::permanent(Acted::Answered), Code::Unauthenticated),
        403 => (Fault::permanent(Acted::Answered), Code::PermissionDenied),
        404 => (Fault::permanent(Acted::Answered), Code::Unimplemented),
        429 => (Fault::overload(Acted::Unknown), Code::ResourceExhausted),
        502..=504 => (Fault::transient(Acted::Unknown), Code::Unavailable),
        _ => (Fault::permanent(Acted::Unknown), Code::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn status_over(error: impl Into<BoxError>) -> tonic::Status {
        let mut status = tonic::Status::unknown("transport error");
        status.set_source(Arc::new(TransportFault::new(error.into())));
        status
    }

    #[test]
    fn codes_of_the_server_read_as_the_table_says() {
        let cases = [
            (Code::Unavailable, Fault::transient(Acted::Refused)),
            (Code::ResourceExhausted, Fault::overload(Acted::Refused)),
            (Code::Internal, Fault::transient(Acted::Unknown)),
            (Code::NotFound, Fault::permanent(Acted::Answered)),
            (Code::PermissionDenied, Fault::permanent(Acted::Answered)),
            (Code::Aborted, Fault::permanent(Acted::Answered)),
        ];
        for (code, fault) in cases {
            assert_eq!(classify(&tonic::Status::new(code, "")).0, fault, "{code:?}");
        }
    }

    #[test]
    fn the_chain_of_sources_outweighs_the_code() {
        let cases: [(BoxError, Fault); 5] = [
            (Box::new(h2::Error::from(h2::Reason::REFUSED_STREAM)), Fault::transient(Acted::Refused)),
            (Box::new(h2::Error::from(h2::Reason::ENHANCE_YOUR_CALM)), Fault::overload(Acted::Unknown)),
            (Box::new(h2::Error::from(h2::Reason::INTERNAL_ERROR)), Fault::transient(Acted::Unknown)),
            (
                Box::new(CredentialsError::permanent("adc", "no file".into())),
                Fault::permanent(Acted::NotSent),
            ),
            (
                Box::new(HttpReply { status: StatusCode::BAD_GATEWAY, content_type: "text/html".into() }),
                Fault::transient(Acted::Unknown),
            ),
        ];
        for (error, fault) in cases {
            let shown = error.to_string();
            assert_eq!(classify(&status_over(error)).0, fault, "{shown}");
        }
    }
}
