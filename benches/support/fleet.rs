//! A service with many operations in virtual time: it lists and gets them, as slowly, as incompletely and as wrongly as it
//! is told to.

#![allow(dead_code, reason = "a module of the bench and of a test, which use their parts")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use contact_center_insights::any::pack;
use contact_center_insights::call::Budget;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel, QueryMetricsMetadata};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{
    GetOperationRequest, ListOperationsRequest, ListOperationsResponse, Operation,
};
use contact_center_insights::{Client, ClientBuilder, Credentials, Transport};
use prost_types::Timestamp;
use tokio::time::{Instant, sleep};
use tonic::{Request, Response, Status};

pub(crate) const PARENT: &str = "projects/p/locations/us-central1";
/// The same project by its number, as answers may have it.
pub(crate) const NUMBERED: &str = "projects/123/locations/us-central1";
/// When virtual time begins, in seconds of the clock that create times are of.
const EPOCH: i64 = 1_790_000_000;

/// How the service behaves.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each manner can be had with each other")]
pub(crate) struct Manners {
    /// What a page of a list, and what a single answer takes.
    pub(crate) page_latency: Duration,
    pub(crate) latency: Duration,
    /// No page has more.
    pub(crate) page_cap: usize,
    /// Lists are as they were this long ago.
    pub(crate) stale: Duration,
    /// Lists leave out every so many-th of what runs, another in every list; 0 for none.
    pub(crate) omits: usize,
    /// Lists show what is done for ever, as if it ran.
    pub(crate) shows_done: bool,
    /// Pages are in no order.
    pub(crate) shuffles: bool,
    /// Every so many-th page token has expired; 0 for none.
    pub(crate) expires: u32,
    /// Refuses filters by time, or all.
    pub(crate) refuses_windows: bool,
    pub(crate) refuses_filters: bool,
    /// Does not list.
    pub(crate) denies: Option<tonic::Code>,
    /// Answers with the project's number.
    pub(crate) is_numbered: bool,
    /// Calls in each minute beyond which it refuses.
    pub(crate) quota: u32,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            page_latency: Duration::from_millis(200),
            latency: Duration::from_millis(50),
            page_cap: 1_000,
            stale: Duration::ZERO,
            omits: 0,
            shows_done: false,
            shuffles: false,
            expires: 0,
            refuses_windows: false,
            refuses_filters: false,
            denies: None,
            is_numbered: false,
            quota: u32::MAX,
        }
    }
}

/// One operation: from when to when it runs, since virtual time began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) start: Duration,
    pub(crate) end: Duration,
    /// Its metadata has a create time.
    pub(crate) is_dated: bool,
}

#[derive(Clone)]
pub(crate) struct Fleet(Arc<Shared>);

struct Shared {
    began: Instant,
    manners: Manners,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    runs: Vec<Run>,
    /// By create time, then by number: the order of lists.
    listed: BTreeMap<(Duration, usize), Duration>,
    minutes: BTreeMap<u64, u32>,
    gets: u64,
    pages: u64,
    refused: u64,
    tokens: u32,
}

impl Fleet {
    pub(crate) fn start(manners: Manners) -> Self {
        Self(Arc::new(Shared { began: Instant::now(), manners, state: Mutex::default() }))
    }

    pub(crate) fn client(&self, budget: Option<Budget>) -> Client {
        self.builder().with_budget(budget).build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let transport = Transport::builder("https://contactcenterinsights.googleapis.com".parse().unwrap())
            .with_credentials(Credentials::anonymous())
            .with_service(OperationsServer::new(self.clone()))
            .build()
            .unwrap();
        Client::builder().with_transport(transport).with_jitter_seed(7)
    }

    /// Starts an operation now that runs for so long; its number.
    pub(crate) fn begin(&self, lasting: Duration) -> usize {
        let now = self.now();
        self.add(Run { start: now, end: now + lasting, is_dated: true })
    }

    pub(crate) fn add(&self, run: Run) -> usize {
        let mut state = self.state();
        let number = state.runs.len();
        state.runs.push(run);
        state.listed.insert((run.start, number), run.end);
        number
    }

    pub(crate) fn name(number: usize) -> String {
        format!("{PARENT}/operations/{:019}", 1_000_000_000_000_000_000 + number)
    }

    pub(crate) fn number(name: &str) -> usize {
        let id = name.rsplit('/').next().and_then(|id| id.parse::<usize>().ok()).unwrap();
        id - 1_000_000_000_000_000_000
    }

    /// How long ago the operation ended.
    pub(crate) fn since_end(&self, number: usize) -> Duration {
        let end = self.state().runs[number].end;
        self.now().checked_sub(end).expect("it has ended")
    }

    pub(crate) fn gets(&self) -> u64 {
        self.state().gets
    }

    pub(crate) fn pages(&self) -> u64 {
        self.state().pages
    }

    pub(crate) fn calls(&self) -> u64 {
        self.gets() + self.pages()
    }

    pub(crate) fn refused(&self) -> u64 {
        self.state().refused
    }

    pub(crate) fn busiest_minute(&self) -> u32 {
        self.state().minutes.values().copied().max().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    pub(crate) fn now(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// A call of another client.
    pub(crate) fn refuse_or_count(&self) -> Result<(), Status> {
        self.count()
    }

    fn count(&self) -> Result<(), Status> {
        let minute = self.now().as_secs() / 60;
        let mut state = self.state();
        let calls = state.minutes.entry(minute).or_default();
        *calls += 1;
        if *calls > self.0.manners.quota {
            state.refused += 1;
            return Err(Status::resource_exhausted("Quota exceeded for quota metric 'Requests'"));
        }
        Ok(())
    }

    fn running(&self, number: usize, run: Run) -> Operation {
        let since = run.start.as_micros();
        let create_time = Timestamp {
            seconds: EPOCH + i64::try_from(since / 1_000_000).unwrap(),
            nanos: i32::try_from(since % 1_000_000).unwrap() * 1_000,
        };
        let dated = CreateIssueModelMetadata { create_time: Some(create_time), ..Default::default() };
        let metadata = Some(if run.is_dated { pack(&dated) } else { pack(&QueryMetricsMetadata::default()) });
        let mut name = Self::name(number);
        if self.0.manners.is_numbered {
            name = name.replace(PARENT, NUMBERED);
        }
        Operation { name, metadata, ..Default::default() }
    }

    fn page(&self, request: &ListOperationsRequest) -> Result<ListOperationsResponse, Status> {
        let manners = &self.0.manners;
        if let Some(code) = manners.denies {
            return Err(Status::new(code, "lists are not for everybody"));
        }
        let has_window = request.filter.contains("create_time");
        if manners.refuses_filters || (manners.refuses_windows && has_window) {
            return Err(Status::invalid_argument(format!("cannot filter by `{}`", request.filter)));
        }
        assert!(request.filter.starts_with(r#"done="false""#), "{}", request.filter);
        let (from, before) = (edge(&request.filter, ">="), edge(&request.filter, "<"));
        let mut state = self.state();
        if !request.page_token.is_empty() {
            state.tokens += 1;
            if manners.expires > 0 && state.tokens.is_multiple_of(manners.expires) {
                return Err(Status::invalid_argument("the page token has expired"));
            }
        }
        let after: Option<(u64, usize)> = request.page_token.split_once('-').map(|(micros, number)| {
            (micros.parse().expect("a token of this server"), number.parse().expect("a token of this server"))
        });
        let at = self.now().saturating_sub(manners.stale);
        let first = after.map_or((from.unwrap_or_default(), 0), |(micros, number)| {
            (Duration::from_micros(micros), number + 1)
        });
        let size = usize::try_from(request.page_size).unwrap().clamp(1, manners.page_cap);
        let list = state
            .listed
            .range(first..)
            .take_while(|((start, _), _)| before.is_none_or(|before| *start < before));
        let runs = list.filter(|((start, number), end)| {
            (manners.shows_done || **end > at)
                && *start <= at
                && (state.runs[*number].is_dated || !has_window)
        });
        let page: Vec<(Duration, usize)> = runs.map(|(key, _)| *key).take(size + 1).collect();
        let next = page.get(size.wrapping_sub(1)).filter(|_| page.len() > size);
        let next_page_token =
            next.map_or_else(String::new, |(start, number)| format!("{}-{number}", start.as_micros()));
        let lists = usize::try_from(state.pages).unwrap();
        let is_there = |number: &usize| manners.omits == 0 || !(number + lists).is_multiple_of(manners.omits);
        let numbers = page.into_iter().take(size).map(|(_, number)| number).filter(is_there);
        let mut operations: Vec<_> = numbers.map(|number| self.running(number, state.runs[number])).collect();
        if manners.shuffles {
            let middle = operations.len() / 3;
            operations.rotate_left(middle);
            operations.reverse();
        }
        state.pages += 1;
        Ok(ListOperationsResponse { operations, next_page_token, ..Default::default() })
    }
}

/// The time that a filter compares with, since virtual time began.
fn edge(filter: &str, operator: &str) -> Option<Duration> {
    let (_, rest) = filter.split_once(&format!("metadata.create_time{operator}\""))?;
    let time: Timestamp = rest.split('"').next()?.parse().expect("a time");
    let seconds = u64::try_from(time.seconds - EPOCH).unwrap_or_default();
    Some(Duration::new(seconds, u32::try_from(time.nanos).unwrap()))
}

#[tonic::async_trait]
impl Operations for Fleet {
    async fn get_operation(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Result<Response<Operation>, Status> {
        self.count()?;
        self.state().gets += 1;
        sleep(self.0.manners.latency).await;
        let number = Self::number(&request.into_inner().name);
        let run = self.state().runs.get(number).copied();
        let run = run.ok_or_else(|| Status::not_found("no such operation"))?;
        let mut operation = self.running(number, run);
        if run.end <= self.now() {
            operation.done = true;
            let model = IssueModel { display_name: number.to_string(), ..Default::default() };
            operation.result = Some(Outcome::Response(pack(&model)));
        }
        Ok(Response::new(operation))
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        self.count()?;
        sleep(self.0.manners.page_latency).await;
        Ok(Response::new(self.page(&request.into_inner())?))
    }
}
