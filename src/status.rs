//! What a server said of a call or of an operation, with the details decoded.

use std::fmt;

use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use prost::{Message, Name};
use tonic::Code;

use crate::any::{self, Payload, Unpack};
use crate::proto::rpc;

/// Base64 with or without padding: so gRPC's binary headers come, and so people write it.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A code, a message for developers, and typed details: `google.rpc.Status` (AIP-193).
///
/// ```
/// use contact_center_insights::{Code, Status, proto::rpc::ErrorInfo};
///
/// let info = ErrorInfo { reason: "MODEL_BUSY".into(), ..Default::default() };
/// let status = Status::new(Code::Aborted, "the model is being deployed").with_detail(&info);
/// assert_eq!(status.to_string(), "ABORTED: the model is being deployed");
/// assert_eq!(status.detail::<ErrorInfo>(), Some(info));
/// ```
#[derive(Clone, PartialEq)]
pub struct Status {
    code: Code,
    message: String,
    details: Vec<prost_types::Any>,
}

impl Status {
    /// A status without details.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }

    /// Adds a detail, such as `google.rpc.ErrorInfo`.
    #[must_use]
    pub fn with_detail<T: Message + Name>(mut self, detail: &T) -> Self {
        self.details.push(any::pack(detail));
        self
    }

    /// The code. A number that gRPC does not define reads as [`Code::Unknown`].
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The message: for developers, in English, not for programs to read.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The details as they came; those of unknown type are among them.
    #[must_use]
    pub fn details(&self) -> &[prost_types::Any] {
        &self.details
    }

    /// The details decoded; those of unknown type, or whose bytes are torn, as [`Payload::Unknown`].
    pub fn payloads(&self) -> impl Iterator<Item = Payload> + '_ {
        self.details.iter().map(|any| Payload::unpack(any).unwrap_or_else(|_| Payload::Unknown(any.clone())))
    }

    /// The first detail of type `T`, such as [`rpc::ErrorInfo`], [`rpc::RetryInfo`], [`rpc::BadRequest`] or
    /// [`rpc::QuotaFailure`].
    #[must_use]
    pub fn detail<T: Message + Name + Default + 'static>(&self) -> Option<T> {
        self.details.iter().find_map(|any| T::unpack(any).ok())
    }
}

/// `INVALID_ARGUMENT` for [`Code::InvalidArgument`]: the name that documentation and logs use.
#[must_use]
pub fn code_name(code: Code) -> &'static str {
    rpc::Code::try_from(code as i32).map_or("UNKNOWN", |code| code.as_str_name())
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = code_name(self.code);
        if self.message.is_empty() { f.write_str(name) } else { write!(f, "{name}: {}", self.message) }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("code", &code_name(self.code))
            .field("message", &self.message)
            .field("details", &self.payloads().collect::<Vec<_>>())
            .finish()
    }
}

impl std::error::Error for Status {}

impl From<rpc::Status> for Status {
    fn from(raw: rpc::Status) -> Self {
        Self { code: Code::from_i32(raw.code), message: raw.message, details: raw.details }
    }
}

impl From<Status> for rpc::Status {
    fn from(status: Status) -> Self {
        Self { code: status.code as i32, message: status.message, details: status.details }
    }
}

/// Reads code, message and `grpc-status-details-bin`. Details that do not decode are left out; code and
/// message stand without them.
impl From<&tonic::Status> for Status {
    fn from(status: &tonic::Status) -> Self {
        let details = rpc::Status::decode(status.details()).map(|raw| raw.details).unwrap_or_default();
        Self { code: status.code(), message: status.message().to_owned(), details }
    }
}

impl From<Status> for tonic::Status {
    fn from(status: Status) -> Self {
        let (code, message) = (status.code, status.message.clone());
        if status.details.is_empty() {
            return Self::new(code, message);
        }
        Self::with_details(code, message, rpc::Status::from(status).encode_to_vec().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy() -> Status {
        Status::new(Code::ResourceExhausted, "slow down").with_detail(&rpc::RetryInfo::default())
    }

    #[test]
    fn details_travel_through_tonic() {
        let travelled = Status::from(&tonic::Status::from(busy()));
        assert_eq!(travelled, busy());
        assert!(travelled.detail::<rpc::RetryInfo>().is_some());
        assert!(travelled.detail::<rpc::BadRequest>().is_none());
    }

    #[test]
    fn torn_details_leave_code_and_message() {
        let torn = tonic::Status::with_details(Code::NotFound, "gone", vec![0xff].into());
        assert_eq!(Status::from(&torn), Status::new(Code::NotFound, "gone"));
    }

    #[test]
    fn unknown_details_are_kept() {
        let unknown = prost_types::Any { type_url: "type.googleapis.com/a.B".into(), value: vec![1] };
        let raw = rpc::Status { code: 99, message: String::new(), details: vec![unknown.clone()] };
        let status = Status::from(raw);
        assert_eq!(status.code(), Code::Unknown);
        assert_eq!(status.payloads().collect::<Vec<_>>(), [Payload::Unknown(unknown)]);
        assert_eq!(status.to_string(), "UNKNOWN");
    }
}
