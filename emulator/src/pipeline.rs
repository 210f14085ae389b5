//! What a call passes through, from either transport: journal, quotas, scripted faults, then the service.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use contact_center_insights::{Code, Status};
use http::HeaderMap;

use crate::apart::{Apart, LARGE};
use crate::clock::{self, Clock};
use crate::contract::Contract;
use crate::dispatch::{Dispatched, Service};
use crate::errors::{self, ErrorDetails};
#[cfg(test)]
use crate::journal;
use crate::journal::{Arrival, Journal, Transport};
use crate::message::selection::{Selection, Wanted};
use crate::methods::RestOnly;
use crate::outbox::{Held, Outbox};
use crate::script::{Break, Effect, Fault, Meter, Script, Seen};

/// The service, and what is put between it and its callers.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) service: Service,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) script: Script,
    pub(crate) meter: Meter,
    pub(crate) journal: Journal,
    pub(crate) details: ErrorDetails,
    /// Whether what only the REST API has is refused.
    pub(crate) is_strict: bool,
    /// Where calls are made that take long.
    pub(crate) apart: Apart,
}

/// A call's entry in the journal, completed when this is dropped: when it was answered, or its caller left.
#[derive(Debug)]
pub(crate) struct CallRecord {
    pipeline: Arc<Pipeline>,
    sequence: u64,
    code: Option<Code>,
    /// What the connection has not read yet.
    outbox: Outbox,
}

/// A fault of the transport that is injected into the reply; travels in the extensions of an HTTP response.
#[derive(Clone, Debug)]
pub(crate) struct InjectedFault(pub(crate) Arc<Break>);

/// What comes with a request beside its bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    /// Which fields of the answer are wanted, as in the query parameter `fields`; empty for all.
    pub(crate) fields: String,
    pub(crate) rest_only: RestOnly,
}

/// What a transport sends, and how the sending fails, if it does.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) result: Result<Bytes, Status>,
    pub(crate) injected: Option<InjectedFault>,
    /// That it is not read yet, if it is large.
    pub(crate) held: Option<Held>,
}

impl From<Result<Vec<u8>, Status>> for Reply {
    fn from(result: Result<Vec<u8>, Status>) -> Self {
        Self { result: result.map(Bytes::from), injected: None, held: None }
    }
}

impl Pipeline {
    /// With nothing around the service.
    #[cfg(test)]
    pub(crate) fn of(service: Service, clock: impl Clock + 'static) -> Arc<Self> {
        Arc::new(Self {
            service,
            clock: Arc::new(clock),
            script: Script::new(0),
            meter: Meter::default(),
            journal: Journal::new(journal::Limits { calls: 0, ..journal::Limits::default() }),
            details: ErrorDetails::default(),
            is_strict: false,
            apart: Apart::default(),
        })
    }

    /// An error of the emulator's own as callers are to see it.
    pub(crate) fn shown(&self, status: Status) -> Status {
        if self.details == ErrorDetails::None { errors::bare(&status) } else { status }
    }

    pub(crate) fn now(&self) -> SystemTime {
        clock::read(&*self.clock)
    }

    /// Takes a call in.
    pub(crate) fn begin(
        self: &Arc<Self>,
        transport: Transport,
        path: &str,
        headers: &HeaderMap,
        outbox: Option<&Outbox>,
    ) -> CallRecord {
        let arrival = Arrival { transport, path, headers, now: self.now() };
        let sequence = self.journal.begin(&arrival);
        let outbox = outbox.cloned().unwrap_or_default();
        CallRecord { pipeline: Arc::clone(self), sequence, code: None, outbox }
    }
}

impl CallRecord {
    /// Answers the call of the method at `package.Service/Method`.
    pub(crate) async fn run(
        &mut self,
        path: &str,
        headers: &HeaderMap,
        request: Bytes,
        extras: &Extras,
    ) -> Reply {
        let answer = match wanted(path, headers, extras) {
            Ok(wanted) => self.answer(path, headers, request, extras, wanted).await,
            Err(refusal) => Err(self.shown(&refusal)).into(),
        };
        if answer.injected.is_none() {
            self.end(answer.result.as_ref().map_or_else(Status::code, |_| Code::Ok));
            self.pipeline.journal.replied(self.sequence, path, &answer.result);
        }
        answer
    }

    /// Does something that takes long where nobody waits for it.
    ///
    /// # Errors
    /// `INTERNAL` if it panicked, which nothing should.
    pub(crate) async fn apart<R: Send + 'static>(
        &self,
        act: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Status> {
        // An answer that is held already must be let out.
        self.pipeline.apart.run(&Outbox::default(), act).await
    }

    /// An error of the emulator's own as callers are to see it.
    pub(crate) fn shown(&self, status: &Status) -> Status {
        self.pipeline.shown(status.clone())
    }

    /// Notes what is ignored of the call, in the log and in the journal.
    pub(crate) fn warn(&self, warning: String) {
        tracing::warn!("{warning}");
        self.pipeline.journal.warn(self.sequence, warning);
    }

    /// Whether what only the REST API has is refused.
    pub(crate) fn is_strict(&self) -> bool {
        self.pipeline.is_strict
    }

    /// Says how the call ended.
    pub(crate) fn end(&mut self, code: Code) {
        self.code = Some(code);
    }

    async fn answer(
        &self,
        path: &str,
        headers: &HeaderMap,
        request: Bytes,
        extras: &Extras,
        wanted: Wanted,
    ) -> Reply {
        let pipeline = &self.pipeline;
        self.outbox.opened().await;
        let own = |result: Result<Vec<u8>, Status>| result.map_err(|status| pipeline.shown(status));
        let Some(method) = Contract::get().method(path) else {
            return own(self.dispatch(path, request, extras, wanted).await).into();
        };
        pipeline.journal.routed(self.sequence, &method.name, &request);
        if let Err(refusal) = pipeline.meter.take(method, &request, pipeline.now()) {
            return own(Err(refusal)).into();
        }
        let hit = pipeline.script.decide(Seen { method, headers, request: &request });
        if let Some(hit) = &hit {
            pipeline.journal.hit(self.sequence, hit.to_string());
        }
        // Begun when it is awaited.
        let execution = async {
            let result = own(self.dispatch(path, request, extras, wanted).await);
            let large = result.as_ref().ok().map(Vec::len).filter(|bytes| *bytes > LARGE);
            Reply { held: large.map(|bytes| self.outbox.hold(bytes)), ..result.into() }
        };
        let Some(Fault { effect, delay, also_executes, has_own_details, .. }) = hit else {
            return execution.await;
        };
        let executed = if also_executes {
            // Before the delay: the caller need not be there any more when that is over.
            let reply = execution.await;
            wait(delay).await;
            Some(reply)
        } else {
            wait(delay).await;
            if matches!(effect, Effect::None) { Some(execution.await) } else { None }
        };
        let reply = executed.unwrap_or_else(|| Ok(Vec::new()).into());
        match effect {
            Effect::None => reply,
            // Whatever came of it, the caller is told another thing.
            Effect::Status(status) if has_own_details => Err(pipeline.shown(status)).into(),
            Effect::Status(status) => Err(status).into(),
            Effect::Break(broken) => Reply { injected: Some(InjectedFault(Arc::new(broken))), ..reply },
        }
    }

    /// Has the service answer: here, or apart from those that wait if that takes long.
    async fn dispatch(
        &self,
        path: &str,
        request: Bytes,
        extras: &Extras,
        wanted: Wanted,
    ) -> Result<Vec<u8>, Status> {
        match self.pipeline.service.begin(path, request, &extras.rest_only) {
            Dispatched::Done(answer) => answer.map(|whole| wanted.of(whole)),
            Dispatched::Long(act) => {
                let act = move || act().map(|whole| wanted.of(whole));
                self.pipeline.apart.run(&self.outbox, act).await.and_then(|answer| answer)
            }
        }
    }
}

/// Waits as long as a fault says.
async fn wait(delay: Duration) {
    if delay > Duration::ZERO {
        tokio::time::sleep(delay).await;
    }
}

/// Which fields of the answer are wanted: by the query, or else by a header, which gRPC has too (system parameters of
/// Google's APIs).
fn wanted(path: &str, headers: &HeaderMap, extras: &Extras) -> Result<Wanted, Status> {
    const HEADER: &str = "x-goog-fieldmask";
    let header = headers.get(HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = if extras.fields.is_empty() { header } else { extras.fields.as_str() };
    match Contract::get().method(path) {
        Some(method) if !text.trim().is_empty() => {
            Selection::read(text).and_then(|selection| selection.check(&method.output)).map_err(|bad| {
                let message = format!("Invalid field selection {bad}");
                errors::with_reason(
                    Code::InvalidArgument,
                    "INVALID_FIELD_SELECTION",
                    message,
                    &[("field", &bad)],
                )
            })
        }
        _ => Ok(Wanted::default()),
    }
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        self.pipeline.journal.end(self.sequence, self.code, self.pipeline.now());
    }
}
