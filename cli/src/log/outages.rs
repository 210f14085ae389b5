//! The polls of an operation that fail while it is waited for, from the events of the library.

use std::fmt;
use std::future::pending;
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Whom they are told.
static LISTENER: Mutex<Option<UnboundedSender<String>>> = Mutex::new(None);

/// Passes on polls that failed.
pub(super) fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    FailingPolls.with_filter(filter_fn(is_failed_poll).with_max_level_hint(Level::DEBUG))
}

/// Of what is given up, the command ends with the error itself: that is a warning.
fn is_failed_poll(metadata: &Metadata<'_>) -> bool {
    metadata.is_event()
        && *metadata.level() == Level::DEBUG
        && metadata.target().starts_with(super::TARGET)
        && metadata.fields().field("outage_ms").is_some()
}

struct FailingPolls;

impl<S: Subscriber> Layer<S> for FailingPolls {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut error = Reason(String::new());
        event.record(&mut error);
        let listener = LISTENER.lock().unwrap_or_else(PoisonError::into_inner);
        // If nobody listens any longer, the waiting is over.
        let _ = listener.as_ref().map(|listener| listener.send(error.0));
    }
}

/// Why a poll failed.
struct Reason(String);

impl Visit for Reason {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "error" {
            self.0 = format!("{value:?}");
        }
    }
}

/// The polls that fail from now on.
#[derive(Debug)]
pub(crate) struct FailedPolls(UnboundedReceiver<String>);

impl FailedPolls {
    pub(super) fn listen() -> Self {
        let (listener, failed) = unbounded_channel();
        *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
        Self(failed)
    }

    /// Why the next one failed.
    ///
    /// Cancel safe: what was not awaited is told the next time.
    pub(crate) async fn next(&mut self) -> String {
        match self.0.recv().await {
            Some(reason) => reason,
            None => pending().await,
        }
    }
}
