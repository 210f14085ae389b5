//! The `exchange` room: a call with all that is around it, from either transport: quotas, scripted faults, journal.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use contact_center_insights::{Code, Status};
use http::HeaderMap;

use crate::clock::Clock;
use crate::contract::Contract;
use crate::dispatch::Service;
use crate::journal::{Arrival, Journal, Transport};
use crate::script::{Break, Harm, Meter, Script, Seen};

/// The service, and what is put between it and its callers.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) script: Script,
    pub(crate) meter: Meter,
    pub(crate) journal: Journal,
}

/// A call's line in the journal, written to its end when this is dropped: when it was answered, or its caller left.
#[derive(Debug)]
pub(crate) struct Visit {
    front: Arc<Front>,
    sequence: u64,
    code: Option<Code>,
}

/// How the reply is to be harmed, in the extensions of an HTTP response.
#[derive(Clone, Debug)]
pub(crate) struct Harmed(pub(crate) Arc<Break>);

/// What a transport sends, and how the sending fails, if it does.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) result: Result<Vec<u8>, Status>,
    pub(crate) harmed: Option<Harmed>,
}

impl Front {
    /// With nothing around the service.
    #[cfg(test)]
    pub(crate) fn of(service: Service, clock: impl Clock + 'static) -> Arc<Self> {
        Arc::new(Self {
            service: Arc::new(service),
            clock: Arc::new(clock),
            script: Script::new(0),
            meter: Meter::default(),
            journal: Journal::new(0),
        })
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Takes a call in.
    pub(crate) fn visit(self: &Arc<Self>, transport: Transport, path: &str, headers: &HeaderMap) -> Visit {
        let arrival = Arrival { transport, path, headers, now: self.now() };
        Visit { front: Arc::clone(self), sequence: self.journal.begin(&arrival), code: None }
    }
}

impl Visit {
    /// Answers the call of the method at `package.Service/Method`.
    pub(crate) async fn exchange(&mut self, path: &str, headers: &HeaderMap, request: &[u8]) -> Answer {
        let answer = self.answer(path, headers, request).await;
        if answer.harmed.is_none() {
            self.end(answer.result.as_ref().map_or_else(Status::code, |_| Code::Ok));
        }
        answer
    }

    /// Says how the call ended.
    pub(crate) fn end(&mut self, code: Code) {
        self.code = Some(code);
    }

    async fn answer(&self, path: &str, headers: &HeaderMap, request: &[u8]) -> Answer {
        let front = &self.front;
        let whole = |result| Answer { result, harmed: None };
        let Some(method) = Contract::get().method(path) else {
            return whole(front.service.dispatch(path, request));
        };
        front.journal.routed(self.sequence, &method.name, request);
        if let Err(refusal) = front.meter.take(&method.name, request, front.now()) {
            return whole(Err(refusal));
        }
        let Some(struck) = front.script.decide(Seen { method, headers, request }) else {
            return whole(front.service.dispatch(path, request));
        };
        front.journal.struck(self.sequence, struck.to_string());
        if struck.delay > Duration::ZERO {
            tokio::time::sleep(struck.delay).await;
        }
        match struck.harm {
            Harm::None => whole(front.service.dispatch(path, request)),
            Harm::Status(status) => {
                if struck.acts {
                    // Whatever came of it, the caller is told another thing.
                    let _ = front.service.dispatch(path, request);
                }
                whole(Err(status))
            }
            Harm::Break(broken) => {
                let result = if struck.acts { front.service.dispatch(path, request) } else { Ok(Vec::new()) };
                Answer { result, harmed: Some(Harmed(Arc::new(broken))) }
            }
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.front.journal.end(self.sequence, self.code, self.front.now());
    }
}
