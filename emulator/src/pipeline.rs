//! What a call passes through, from either transport: journal, quotas, scripted faults, then the service.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use contact_center_insights::{Code, Status};
use http::HeaderMap;

use crate::clock::{self, Clock};
use crate::contract::Contract;
use crate::dispatch::Service;
use crate::errors::{self, ErrorDetails};
use crate::journal::{Arrival, Journal, Transport};
use crate::script::{Break, Effect, Meter, Script, Seen};

/// The service, and what is put between it and its callers.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) script: Script,
    pub(crate) meter: Meter,
    pub(crate) journal: Journal,
    pub(crate) details: ErrorDetails,
}

/// A call's entry in the journal, completed when this is dropped: when it was answered, or its caller left.
#[derive(Debug)]
pub(crate) struct CallRecord {
    pipeline: Arc<Pipeline>,
    sequence: u64,
    code: Option<Code>,
}

/// A fault of the transport that is injected into the reply; travels in the extensions of an HTTP response.
#[derive(Clone, Debug)]
pub(crate) struct InjectedFault(pub(crate) Arc<Break>);

/// What a transport sends, and how the sending fails, if it does.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) result: Result<Vec<u8>, Status>,
    pub(crate) injected: Option<InjectedFault>,
}

impl Pipeline {
    /// With nothing around the service.
    #[cfg(test)]
    pub(crate) fn of(service: Service, clock: impl Clock + 'static) -> Arc<Self> {
        Arc::new(Self {
            service: Arc::new(service),
            clock: Arc::new(clock),
            script: Script::new(0),
            meter: Meter::default(),
            journal: Journal::new(0),
            details: ErrorDetails::default(),
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
    ) -> CallRecord {
        let arrival = Arrival { transport, path, headers, now: self.now() };
        CallRecord { pipeline: Arc::clone(self), sequence: self.journal.begin(&arrival), code: None }
    }
}

impl CallRecord {
    /// Answers the call of the method at `package.Service/Method`.
    pub(crate) async fn run(&mut self, path: &str, headers: &HeaderMap, request: &[u8]) -> Reply {
        let answer = self.answer(path, headers, request).await;
        if answer.injected.is_none() {
            self.end(answer.result.as_ref().map_or_else(Status::code, |_| Code::Ok));
        }
        answer
    }

    /// An error of the emulator's own as callers are to see it.
    pub(crate) fn shown(&self, status: &Status) -> Status {
        self.pipeline.shown(status.clone())
    }

    /// Says how the call ended.
    pub(crate) fn end(&mut self, code: Code) {
        self.code = Some(code);
    }

    async fn answer(&self, path: &str, headers: &HeaderMap, request: &[u8]) -> Reply {
        let pipeline = &self.pipeline;
        let whole = |result| Reply { result, injected: None };
        let own = |result: Result<Vec<u8>, Status>| whole(result.map_err(|status| pipeline.shown(status)));
        let Some(method) = Contract::get().method(path) else {
            return own(pipeline.service.dispatch(path, request));
        };
        pipeline.journal.routed(self.sequence, &method.name, request);
        if let Err(refusal) = pipeline.meter.take(method, request, pipeline.now()) {
            return own(Err(refusal));
        }
        let Some(hit) = pipeline.script.decide(Seen { method, headers, request }) else {
            return own(pipeline.service.dispatch(path, request));
        };
        pipeline.journal.hit(self.sequence, hit.to_string());
        if hit.delay > Duration::ZERO {
            tokio::time::sleep(hit.delay).await;
        }
        match hit.effect {
            Effect::None => own(pipeline.service.dispatch(path, request)),
            Effect::Status(status) => {
                if hit.also_executes {
                    // Whatever came of it, the caller is told another thing.
                    let _ = pipeline.service.dispatch(path, request);
                }
                whole(Err(status))
            }
            Effect::Break(broken) => {
                let result =
                    if hit.also_executes { pipeline.service.dispatch(path, request) } else { Ok(Vec::new()) };
                Reply { result, injected: Some(InjectedFault(Arc::new(broken))) }
            }
        }
    }
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        self.pipeline.journal.end(self.sequence, self.code, self.pipeline.now());
    }
}
