//! One fault: the calls it is for, and what it does to them.

use std::fmt;
use std::time::Duration;

use contact_center_insights::status::code_name;
use contact_center_insights::{Code, Status};
use prost_reflect::{Kind, MessageDescriptor};

use super::error::{FaultError, find_method};
use crate::errors;

/// What goes wrong with some calls. Faults are tried in the order in which they were added, and the first that matches
/// a call and is not used up hits it: two `UNAVAILABLE` and then a wait are two faults.
///
/// By default a fault is for every method, hits one call, and does so before the emulator executes it.
///
/// ```
/// use contact_center_insights::Code;
/// use contact_center_insights_emulator::{Emulator, Fault};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let unavailable = Fault::code(Code::Unavailable, "try later").with_method("GetOperation").times(2);
/// let emulator = Emulator::builder().with_fault(unavailable).start().await?;
/// # emulator.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fault that is not added does nothing"]
pub struct Fault {
    pub(crate) matcher: Matcher,
    /// How many matching calls pass first.
    pub(crate) skip: u32,
    /// How many are hit; `None`: all.
    pub(crate) times: Option<u32>,
    pub(crate) probability: Option<f64>,
    pub(crate) delay: Duration,
    /// Whether the emulator executes the call all the same, and only the reply is lost or damaged.
    pub(crate) also_executes: bool,
    /// Whether the details of its status are the emulator's, not those of whoever made the fault.
    pub(crate) has_own_details: bool,
    pub(crate) effect: Effect,
}

/// Which calls a fault is for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matcher {
    pub(crate) method: Option<String>,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
}

/// What a fault does, beside the delay.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    None,
    Status(Status),
    Break(Break),
}

/// How a transport fails. What HTTP/1.1 has no word for is, there, the nearest that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Break {
    /// The stream is reset with this HTTP/2 error code, before any header: 7 is `REFUSED_STREAM`, 8 `CANCEL`, 11
    /// `ENHANCE_YOUR_CALM`. HTTP/1.1: the connection is closed.
    Reset(u32),
    /// A GOAWAY with this code and text, and the connection is closed. With `refused`, it says that no call was seen;
    /// else, that all may have been. HTTP/1.1: the connection is closed.
    GoAway {
        /// The HTTP/2 error code; 0 is `NO_ERROR`.
        code: u32,
        /// Whether the last stream that it names is 0.
        refused: bool,
        /// Debug data, such as `max_age`; 1,000 bytes at most.
        text: String,
    },
    /// The server retires the connection gracefully: GOAWAY `NO_ERROR`, this call is answered, then it closes.
    Retire,
    /// The connection is closed without a word.
    Close,
    /// The connection is closed by a TCP reset.
    Abort,
    /// The whole connection falls silent; not even pings are answered.
    Freeze,
    /// The call is never answered; the connection lives.
    Stall,
    /// Headers are sent, and nothing after them.
    StallBody,
    /// Headers and half of the body are sent; then the stream is reset with this code, or without one the connection is
    /// closed.
    Half(Option<u32>),
    /// The body comes in parts of this many bytes, one per interval.
    Slow {
        /// Bytes at a time, at least 1.
        bytes: u32,
        /// Between two parts.
        every: Duration,
    },
    /// A gRPC reply without trailers, and so without a status. REST: as [`Break::Half`].
    NoStatus,
    /// Another server's answer, such as a proxy's HTML, in place of the emulator's.
    Http {
        /// 200 to 599.
        status: u16,
        /// What it says that it is: the value of a header.
        content_type: String,
        /// What it is; empty with 204 and 304, which have none.
        body: String,
    },
}

impl Break {
    /// Whether a reply is needed, so that the emulator has to execute the call.
    fn needs_reply(&self) -> bool {
        matches!(self, Self::Retire | Self::StallBody | Self::Half(_) | Self::Slow { .. } | Self::NoStatus)
    }
}

impl Fault {
    fn new(effect: Effect) -> Self {
        let also_executes = matches!(&effect, Effect::Break(broken) if broken.needs_reply());
        Self {
            matcher: Matcher::default(),
            skip: 0,
            times: Some(1),
            probability: None,
            delay: Duration::ZERO,
            also_executes,
            has_own_details: false,
            effect,
        }
    }

    /// The call ends in this status, with these details; if it has no `ErrorInfo`, none is added.
    pub fn status(status: Status) -> Self {
        Self::new(Effect::Status(status))
    }

    /// The call ends in this code, with an `ErrorInfo` of the reason `SCRIPTED_FAULT`; without one under
    /// [`ErrorDetails::None`](crate::ErrorDetails::None).
    pub fn code(code: Code, message: impl Into<String>) -> Self {
        let status = errors::with_reason(code, "SCRIPTED_FAULT", message, &[]);
        Self { has_own_details: true, ..Self::status(status) }
    }

    /// The transport fails in this way.
    pub fn transport(how: Break) -> Self {
        Self::new(Effect::Break(how))
    }

    /// The call is answered as it should, but this much later, in real time (tokio's, so that a test can pause it).
    pub fn delay(by: Duration) -> Self {
        Self::new(Effect::None).with_delay(by)
    }

    /// Hits this method only, such as `GetOperation`. Default: every method.
    pub fn with_method(mut self, method: impl Into<String>) -> Self {
        self.matcher.method = Some(method.into());
        self
    }

    /// Hits only requests whose field at `path`, such as `issue_model.display_name`, prints as `value`; of a list,
    /// one element does. Given more than once, all must hold.
    pub fn with_field(mut self, path: impl Into<String>, value: impl Into<String>) -> Self {
        self.matcher.fields.push((path.into(), value.into()));
        self
    }

    /// Hits only requests with this header. Given more than once, all must be there.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.matcher.headers.push((name.into(), value.into()));
        self
    }

    /// Lets this many matching calls pass first. Default: 0.
    pub fn after(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Hits this many calls, and then lets all pass. Default: 1.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits every matching call for as long as it is there.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// Hits each matching call with this probability, from 0 to 1, drawn from the emulator's fault seed. Default: 1.
    pub fn with_probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// Waits this long before it hits. A call that is executed all the same, as after [`Fault::after_execution`], is
    /// executed first, so that a caller who does not wait for so long has left something behind. Default: no time.
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Hits only after the emulator has executed the call: the caller cannot know that it did.
    pub fn after_execution(mut self) -> Self {
        self.also_executes = true;
        self
    }

    /// Whether it can ever hit a call as it says.
    pub(crate) fn check(&self) -> Result<(), FaultError> {
        let error = |why: String| Err(FaultError(why));
        if self.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return error(format!(
                "the probability {} is not from 0 to 1",
                self.probability.unwrap_or_default()
            ));
        }
        match &self.effect {
            Effect::Status(status) if status.code() == Code::Ok => {
                return error("a fault cannot have the code OK".to_owned());
            }
            Effect::Break(Break::Slow { bytes: 0, .. }) => {
                return error("a slow reply needs at least 1 byte at a time".to_owned());
            }
            Effect::Break(Break::Http { status, content_type, body }) => {
                check_reply(*status, content_type, body)?;
            }
            _ => {}
        }
        for (name, value) in &self.matcher.headers {
            if http::HeaderName::try_from(name).is_err() {
                return error(format!("`{name}` is not the name of a header"));
            }
            if http::HeaderValue::try_from(value).is_err() {
                return error(format!("{value:?} is not the value of a header"));
            }
        }
        let method = self.matcher.method.as_deref().map(find_method).transpose()?;
        match method {
            None if !self.matcher.fields.is_empty() => {
                error("a fault that looks at fields needs a method, which has them".to_owned())
            }
            None => Ok(()),
            Some(method) => {
                self.matcher.fields.iter().try_for_each(|(path, _)| check_path(&method.input, path))
            }
        }
    }
}

/// What it does, for the journal.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.effect {
            Effect::None => write!(f, "delay")?,
            Effect::Status(status) => write!(f, "{}", code_name(status.code()))?,
            Effect::Break(broken) => write!(f, "{broken:?}")?,
        }
        if self.delay > Duration::ZERO { write!(f, " after {:?}", self.delay) } else { Ok(()) }
    }
}

/// Whether HTTP can carry such a reply.
fn check_reply(status: u16, content_type: &str, body: &str) -> Result<(), FaultError> {
    if !(200..600).contains(&status) {
        return Err(FaultError(format!("{status} is not an HTTP status from 200 to 599")));
    }
    // RFC 9113, section 8.2.1, has no spaces around a value.
    if http::HeaderValue::try_from(content_type).is_err() || content_type.trim() != content_type {
        return Err(FaultError(format!("the content type {content_type:?} is not the value of a header")));
    }
    // RFC 9110, section 6.4.1: over HTTP/2 a client takes a body for a fault of the protocol.
    if matches!(status, 204 | 304) && !body.is_empty() {
        return Err(FaultError(format!("an HTTP reply with the status {status} has no body")));
    }
    Ok(())
}

fn check_path(message: &MessageDescriptor, path: &str) -> Result<(), FaultError> {
    let mut message = Some(message.clone());
    for name in path.split('.') {
        let Some(inner) = message else {
            return Err(FaultError(format!("`{path}` goes below a field that has nothing below it")));
        };
        let Some(field) = inner.get_field_by_name(name) else {
            let names: Vec<String> = inner.fields().map(|field| format!("`{}`", field.name())).collect();
            let (kind, names) = (inner.name(), names.join(", "));
            return Err(FaultError(format!("`{kind}` has no field `{name}`; it has {names}")));
        };
        if field.is_map() {
            // What follows is a key.
            return Ok(());
        }
        message = match field.kind() {
            Kind::Message(inner) => Some(inner),
            _ => None,
        };
    }
    Ok(())
}
