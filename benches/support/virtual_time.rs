//! Many pollers in virtual time against a server in the same process: what is counted there is exact, and an hour takes
//! seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use contact_center_insights::any::pack;
use contact_center_insights::call::Budget;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{GetOperationRequest, Operation};
use contact_center_insights::{Client, Credentials, Transport};
use tokio::time::{Instant, sleep};
use tonic::{Request, Response, Status};

const PARENT: &str = "projects/p/locations/us-central1/operations/";
/// What every answer takes.
const LATENCY: Duration = Duration::from_millis(20);

/// Operations by number, of which each ends at its time, behind a quota of calls in each minute.
#[derive(Clone)]
pub(crate) struct Server(Arc<Shared>);

struct Shared {
    started: Instant,
    ends: Vec<Duration>,
    quota: u32,
    minutes: Vec<AtomicU32>,
    seconds: Vec<AtomicU32>,
    refused: AtomicU64,
}

impl Server {
    pub(crate) fn start(ends: Vec<Duration>, quota: u32, hours: usize) -> Self {
        let counters = |count| std::iter::repeat_with(|| AtomicU32::new(0)).take(count).collect();
        Self(Arc::new(Shared {
            started: Instant::now(),
            ends,
            quota,
            minutes: counters(60 * hours),
            seconds: counters(3600 * hours),
            refused: AtomicU64::new(0),
        }))
    }

    pub(crate) fn client(&self, budget: Option<Budget>) -> Client {
        let transport = Transport::builder("https://contactcenterinsights.googleapis.com".parse().unwrap())
            .with_credentials(Credentials::anonymous())
            .with_service(OperationsServer::new(self.clone()))
            .build()
            .unwrap();
        Client::builder().with_transport(transport).with_budget(budget).with_jitter_seed(7).build().unwrap()
    }

    pub(crate) fn name(number: usize) -> String {
        format!("{PARENT}{number}")
    }

    pub(crate) fn running(name: String) -> Operation {
        let metadata = Some(pack(&CreateIssueModelMetadata::default()));
        Operation { name, metadata, ..Default::default() }
    }

    pub(crate) fn ends(&self, number: usize) -> Instant {
        self.0.started + self.0.ends[number]
    }

    pub(crate) fn calls(&self) -> u64 {
        self.per_minute().iter().map(|calls| u64::from(*calls)).sum()
    }

    pub(crate) fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    pub(crate) fn per_minute(&self) -> Vec<u32> {
        self.0.minutes.iter().map(|minute| minute.load(Ordering::Relaxed)).collect()
    }

    pub(crate) fn per_second(&self) -> Vec<u32> {
        self.0.seconds.iter().map(|second| second.load(Ordering::Relaxed)).collect()
    }
}

#[tonic::async_trait]
impl Operations for Server {
    async fn get_operation(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Result<Response<Operation>, Status> {
        let name = request.into_inner().name;
        let second = usize::try_from(self.0.started.elapsed().as_secs()).unwrap();
        if let Some(second) = self.0.seconds.get(second) {
            second.fetch_add(1, Ordering::Relaxed);
        }
        let minute = self.0.minutes.get(second / 60).map_or(0, |calls| calls.fetch_add(1, Ordering::Relaxed));
        if minute >= self.0.quota {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Status::resource_exhausted("Quota exceeded for quota metric 'Requests'"));
        }
        sleep(LATENCY).await;
        let number: usize = name.trim_start_matches(PARENT).parse().map_err(|_| Status::not_found(&name))?;
        let is_done = self.0.ends.get(number).is_some_and(|end| self.0.started.elapsed() >= *end);
        let mut operation = Self::running(name);
        if is_done {
            operation.done = true;
            operation.result = Some(Outcome::Response(pack(&IssueModel::default())));
        }
        Ok(Response::new(operation))
    }
}
