//! From `google.protobuf.Any` to a message and back, losing nothing on the way.

mod debug;

use prost::{Message, Name};

/// Packs a message, with a type URL in the domain `type.googleapis.com`.
///
/// ```
/// use contact_center_insights::{any, proto::insights::IssueModel};
///
/// let packed = any::pack(&IssueModel { display_name: "billing".into(), ..Default::default() });
/// assert!(packed.type_url.ends_with("/google.cloud.contactcenterinsights.v1.IssueModel"));
/// ```
#[must_use]
pub fn pack<T: Message + Name>(message: &T) -> prost_types::Any {
    prost_types::Any { type_url: T::type_url(), value: message.encode_to_vec() }
}

/// The full name that a type URL ends in: what follows its last `/`, whatever the domain.
#[must_use]
pub fn type_name(type_url: &str) -> &str {
    type_url.rsplit('/').next().unwrap_or(type_url)
}

/// What an `Any` can be unpacked into: every generated message, and [`Payload`] for any of them.
pub trait Unpack: Sized + Send + 'static {
    /// The full name of the one type that is accepted; `None` if every type is.
    fn expected() -> Option<String>;

    /// Unpacks `any`.
    ///
    /// # Errors
    /// [`UnpackError`] if the type is not the expected one, or if the bytes are not of that type.
    fn unpack(any: &prost_types::Any) -> Result<Self, UnpackError>;

    /// What a finished operation with no response stands for: the empty message, where that was promised.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Message + Name + Default + 'static> Unpack for T {
    fn expected() -> Option<String> {
        Some(T::full_name())
    }

    fn unpack(any: &prost_types::Any) -> Result<Self, UnpackError> {
        let name = T::full_name();
        let domain = any.type_url.strip_suffix(name.as_str());
        if domain.is_some_and(|domain| domain.is_empty() || domain.ends_with('/')) {
            T::decode(any.value.as_slice()).map_err(|source| UnpackError::Malformed { name, source })
        } else {
            Err(UnpackError::Mismatch { expected: name, found: any.type_url.clone() })
        }
    }

    fn absent() -> Option<Self> {
        (T::full_name() == <()>::full_name()).then(T::default)
    }
}

impl Unpack for Payload {
    fn expected() -> Option<String> {
        None
    }

    fn unpack(any: &prost_types::Any) -> Result<Self, UnpackError> {
        let name = type_name(&any.type_url);
        match Self::decode_known(name, &any.value) {
            Some(decoded) => {
                decoded.map_err(|source| UnpackError::Malformed { name: name.to_owned(), source })
            }
            None => Ok(Self::Unknown(any.clone())),
        }
    }
}

/// Why an `Any` could not be unpacked. The `Any` itself is untouched and can be decoded by other means.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// The `Any` holds another type than the one asked for.
    #[error("expected `{expected}`, found `{found}`")]
    #[non_exhaustive]
    Mismatch {
        /// Full name of the type asked for.
        expected: String,
        /// The type URL that came.
        found: String,
    },
    /// The `Any` names a known type, but its bytes are not of it.
    #[error("the bytes are not a valid `{name}`")]
    #[non_exhaustive]
    Malformed {
        /// Full name of the type.
        name: String,
        /// Where decoding stopped.
        #[source]
        source: prost::DecodeError,
    },
}

include!(concat!(env!("OUT_DIR"), "/payload.rs"));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::insights::{Issue, IssueModel};

    fn issue() -> Issue {
        Issue { display_name: "late parcel".into(), ..Issue::default() }
    }

    #[test]
    fn every_payload_type_survives_the_round_trip() {
        for name in Payload::TYPES {
            let any = prost_types::Any { type_url: format!("type.googleapis.com/{name}"), value: vec![] };
            let payload = Payload::unpack(&any).unwrap();
            assert!(!matches!(payload, Payload::Unknown(_)), "{name}");
            assert_eq!(payload.to_any(), any);
        }
    }

    #[test]
    fn unknown_types_keep_their_url_and_bytes() {
        let any = prost_types::Any { type_url: "example.com/a.B".into(), value: vec![255, 0, 1] };
        let payload = Payload::unpack(&any).unwrap();
        assert_eq!(payload, Payload::Unknown(any.clone()));
        assert_eq!(payload.to_any(), any);
    }

    #[test]
    fn the_domain_of_a_type_url_does_not_matter() {
        let mut any = pack(&issue());
        any.type_url = format!("/{}", Issue::full_name());
        assert_eq!(Issue::unpack(&any).unwrap(), issue());
    }

    #[test]
    fn errors_say_what_was_there() {
        let error = IssueModel::unpack(&pack(&issue())).unwrap_err().to_string();
        assert!(error.contains("v1.IssueModel`") && error.contains("v1.Issue`"), "{error}");
        let torn = prost_types::Any { value: vec![10, 200], ..pack(&issue()) };
        assert!(matches!(Issue::unpack(&torn), Err(UnpackError::Malformed { .. })));
        assert!(matches!(Payload::unpack(&torn), Err(UnpackError::Malformed { .. })));
    }

    #[test]
    fn only_the_empty_message_may_be_absent() {
        assert_eq!(<() as Unpack>::absent(), Some(()));
        assert_eq!(Issue::absent(), None);
    }
}
