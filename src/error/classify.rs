//! From the status of a failed attempt to what the caller may do about it.
//!
//! tonic reports most transport faults as `Unknown`, `Internal` or `Cancelled`, and what it cannot read by the
//! codes that a server might send. So the chain of sources is read where the fault happens, in
//! [`TransportFault`], what the server itself said is marked by [`FromServer`], and both travel up as the source
//! of the status. `docs/faults.md` shows what comes of it, measured on sockets.

use std::error::Error as _;

use tonic::Code;

use super::{Fault, ServerEffect, TransportFault, find};

/// Marks a status that came over the wire: tonic gives the same codes to replies that it cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the server sent this status")]
pub(crate) struct FromServer {
    /// The reply had begun: the server was at work.
    pub(crate) is_after_data: bool,
}

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

impl Fault {
    /// What the status of a failed call tells that went over a [`Transport`](crate::Transport) of this crate, by whatever
    /// stub: whether the same call may well succeed later, and what the server may have done. Typed calls have it in
    /// [`CallError::fault`](super::CallError::fault).
    ///
    /// `None` for a status that neither the transport nor the server has made: one of the caller's own, of another
    /// channel, or of tonic's because a reply could not be read. What the server did is unknown then.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use contact_center_insights::error::{Fault, ServerEffect};
    /// use contact_center_insights::proto::longrunning::{GetOperationRequest, operations_client::OperationsClient};
    /// use contact_center_insights::{Code, Credentials, Transport};
    ///
    /// // Nothing listens there.
    /// let transport = Transport::new("http://127.0.0.1:1".parse()?, Credentials::anonymous())?;
    /// let mut stub = OperationsClient::new(transport);
    /// let status = stub.get_operation(GetOperationRequest::default()).await.unwrap_err();
    /// assert_eq!(status.code(), Code::Unavailable);
    /// let fault = Fault::of(&status).ok_or("no fault of the transport")?;
    /// assert!(fault.is_transient);
    /// assert_eq!(fault.effect, ServerEffect::NotSent);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn of(status: &tonic::Status) -> Option<Self> {
        let source = status.source()?;
        let is_known = find::<TransportFault>(source).is_some() || find::<FromServer>(source).is_some();
        is_known.then(|| classify(status).0)
    }
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

#[cfg(test)]
mod tests;
