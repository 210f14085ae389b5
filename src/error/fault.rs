//! What a failed attempt tells, whatever failed: whether it may pass, whether the server is overloaded, and whether it acted.

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
    pub(super) const fn transient(effect: ServerEffect) -> Self {
        Self { is_transient: true, is_overload: false, effect }
    }

    pub(super) const fn permanent(effect: ServerEffect) -> Self {
        Self { is_transient: false, is_overload: false, effect }
    }

    pub(super) const fn overload(effect: ServerEffect) -> Self {
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
