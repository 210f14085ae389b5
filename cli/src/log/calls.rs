//! What `-v` shows: a line for each call that has ended, and for each attempt that another follows, from the events of the
//! library.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::terminal::eprint_line;

/// Shows calls.
pub(super) fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Calls.with_filter(Targets::new().with_target(super::TARGET, Level::DEBUG))
}

struct Calls;

/// The host and the method of a call, kept with its span.
struct Call {
    host: String,
    method: String,
}

impl<S> Layer<S> for Calls
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut facts = Facts::default();
        attributes.record(&mut facts);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Call { host: facts.host, method: facts.method });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut facts = Facts::default();
        event.record(&mut facts);
        let span = context.event_span(event);
        let extensions = span.as_ref().map(|span| span.extensions());
        if let Some(call) = extensions.as_ref().and_then(|extensions| extensions.get::<Call>()) {
            facts.host.clone_from(&call.host);
            facts.method.clone_from(&call.method);
        }
        facts.line().into_iter().for_each(eprint_line);
    }
}

/// What an event or a span says.
#[derive(Debug, Default)]
struct Facts {
    method: String,
    host: String,
    code: String,
    attempt: Option<u64>,
    attempts: Option<u64>,
    elapsed: Option<u128>,
    wait: Option<u128>,
}

impl Facts {
    /// What is shown of an event; nothing of one that is about something else.
    fn line(&self) -> Option<String> {
        let Self { method, host, code, .. } = self;
        let mut line = match (self.elapsed, self.attempt) {
            (Some(elapsed), _) => {
                let attempts = self.attempts.unwrap_or(1);
                let word = if attempts == 1 { "attempt" } else { "attempts" };
                format!("call: {method} {code} {elapsed} ms, {attempts} {word}")
            }
            (None, Some(attempt)) => {
                let wait = self.wait.unwrap_or_default();
                format!("call: {method} {code} at attempt {attempt}, the next in {wait} ms")
            }
            (None, None) => return None,
        };
        if !host.is_empty() {
            let _ = write!(line, ", {host}");
        }
        Some(line)
    }
}

impl Visit for Facts {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "attempts" => self.attempts = Some(value),
            "attempt" => self.attempt = Some(value),
            _ => {}
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match field.name() {
            "elapsed_ms" => self.elapsed = Some(value),
            "wait_ms" => self.wait = Some(value),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "rpc.method" => value.clone_into(&mut self.method),
            "server.address" => value.clone_into(&mut self.host),
            "code" => value.clone_into(&mut self.code),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_a_line() {
        let call = |elapsed, attempt, attempts| Facts {
            method: "GetView".into(),
            host: "h".into(),
            code: "OK".into(),
            elapsed,
            attempt,
            attempts,
            wait: Some(200),
        };
        assert_eq!(call(Some(12), None, Some(1)).line().unwrap(), "call: GetView OK 12 ms, 1 attempt, h");
        assert_eq!(call(Some(12), None, Some(3)).line().unwrap(), "call: GetView OK 12 ms, 3 attempts, h");
        assert_eq!(
            call(None, Some(1), None).line().unwrap(),
            "call: GetView OK at attempt 1, the next in 200 ms, h"
        );
        assert_eq!(call(None, None, None).line(), None);
    }
}
