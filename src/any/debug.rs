//! `Debug` of messages that hold an `Any`: shows the message in it, not its bytes.

use std::cell::Cell;
use std::fmt;

use super::{Payload, Unpack as _};
use crate::proto::{longrunning, rpc};

/// How many `Any`s within one another are opened: what came over the wire may nest them without end.
const MAX_DEPTH: usize = 4;
/// How many characters of a type URL are shown.
const MAX_URL: usize = 200;

thread_local! {
    /// How many are open on this thread: `Debug` cannot be told.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// An `Any` that is open while this lives.
struct Open;

impl Open {
    fn one_more() -> Option<Self> {
        let depth = DEPTH.get();
        (depth < MAX_DEPTH).then(|| {
            DEPTH.set(depth + 1);
            Self
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}

/// Shows the message in an `Any`; type URL and length, where it is unknown, torn or nested too deep.
struct Contents<'a>(&'a prost_types::Any);

impl fmt::Debug for Contents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = Open::one_more();
        match open.as_ref().map(|_| Payload::unpack(self.0)) {
            Some(Ok(Payload::Unknown(_)) | Err(_)) | None => Sealed(self.0).fmt(f),
            Some(Ok(payload)) => payload.fmt(f),
        }
    }
}

/// Shows an `Any` by its type URL and the length of its bytes.
pub(super) struct Sealed<'a>(pub(super) &'a prost_types::Any);

impl fmt::Debug for Sealed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prost_types::Any { type_url, value } = self.0;
        let url: String = type_url.chars().take(MAX_URL).collect();
        f.debug_struct("Any").field("type_url", &url).field("bytes", &value.len()).finish()
    }
}

struct Details<'a>(&'a [prost_types::Any]);

impl fmt::Debug for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(Contents)).finish()
    }
}

impl fmt::Debug for rpc::Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("details", &Details(&self.details))
            .finish()
    }
}

impl fmt::Debug for longrunning::Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("name", &self.name)
            .field("metadata", &self.metadata.as_ref().map(Contents))
            .field("done", &self.done)
            .field("result", &self.result)
            .finish()
    }
}

impl fmt::Debug for longrunning::operation::Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(status) => f.debug_tuple("Error").field(status).finish(),
            Self::Response(any) => f.debug_tuple("Response").field(&Contents(any)).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::any::pack;
    use crate::proto::insights::IssueModel;
    use crate::proto::longrunning::operation::Result as Outcome;

    fn operation(response: prost_types::Any) -> longrunning::Operation {
        longrunning::Operation {
            name: "op".into(),
            metadata: Some(pack(&rpc::ErrorInfo { reason: "SLOW".into(), ..Default::default() })),
            done: true,
            result: Some(Outcome::Response(response)),
        }
    }

    #[test]
    fn an_operation_shows_the_messages_in_it() {
        let model = IssueModel { display_name: "billing".into(), ..Default::default() };
        let shown = format!("{:?}", operation(pack(&model)));
        assert!(shown.contains("display_name: \"billing\"") && shown.contains("reason: \"SLOW\""), "{shown}");
        assert!(!shown.contains("value: ["), "{shown}");
    }

    #[test]
    fn what_cannot_be_decoded_is_its_type_and_length() {
        let any = |type_url: String| prost_types::Any { type_url, value: vec![255; 5_000] };
        let name = "type.googleapis.com/google.cloud.contactcenterinsights.v1";
        for url in [format!("{name}.Unheard"), format!("{name}.IssueModel"), "x".repeat(5_000)] {
            let shown = format!("{:?}", operation(any(url)));
            assert!(shown.contains("bytes: 5000") && shown.len() < 1_000, "{shown}");
        }
        let unknown = Payload::Unknown(any("a.B".into()));
        assert_eq!(format!("{unknown:?}"), "Unknown(Any { type_url: \"a.B\", bytes: 5000 })");
    }

    #[test]
    fn details_within_details_end() {
        let mut status = rpc::Status { message: "innermost".into(), ..Default::default() };
        for _ in 0..10_000 {
            status = rpc::Status { details: vec![pack(&status)], ..Default::default() };
        }
        let shown = format!("{status:?}");
        assert!(shown.len() < 1_000 && !shown.contains("innermost"), "{shown}");
        // Nothing is left open.
        let one = rpc::Status { details: vec![pack(&rpc::Status::default())], ..Default::default() };
        assert!(!format!("{one:?}").contains("bytes:"));
    }
}
