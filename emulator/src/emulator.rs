//! A running emulator, and what its owner can do with it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::Operation;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::admin;
use crate::journal::Journal;
use crate::pipeline::Pipeline;
use crate::script::{Fault, FaultError, Quotas};
use crate::seed::{self, Seed, SeedError};

/// A running emulator. It stops when it is dropped; there can be many in one process.
///
/// ```
/// use contact_center_insights_emulator::{Emulator, Profile};
/// # use contact_center_insights::proto::insights::{
/// #     CreateIssueModelRequest, IssueModel,
/// #     contact_center_insights_client::ContactCenterInsightsClient, issue_model::ModelType,
/// # };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let builder = Emulator::builder().with_profile(Profile::immediate());
/// // The service wants 100 conversations to train on; there are none here.
/// let emulator = builder.with_min_training_conversations(0).start().await?;
/// let channel = tonic::transport::Endpoint::new(emulator.endpoint())?.connect().await?;
/// let mut client = ContactCenterInsightsClient::new(channel);
/// let request = CreateIssueModelRequest {
///     parent: "projects/p/locations/us-central1".into(),
///     issue_model: Some(IssueModel { model_type: ModelType::TypeV2.into(), ..IssueModel::default() }),
/// };
/// assert!(client.create_issue_model(request).await?.into_inner().done);
/// emulator.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "an emulator stops when it is dropped"]
pub struct Emulator {
    pub(crate) address: SocketAddr,
    pub(crate) pipeline: Arc<Pipeline>,
    /// The certificate of the authority, if it speaks TLS.
    pub(crate) authority: Option<String>,
    /// Dropping it stops the server.
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) task: JoinHandle<()>,
}

impl Emulator {
    /// Where it listens, which need not be an address to connect to: 0.0.0.0 is all addresses of the machine.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is reached on this machine, as a URI: `http://127.0.0.1:PORT`, or `https://` with TLS. For gRPC and JSON
    /// both.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.host())
    }

    /// The certificate of the authority that clients must trust, as PEM; `None` without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// What was called so far.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.pipeline.journal
    }

    /// Adds a fault while it runs, after those that are there.
    ///
    /// # Errors
    /// [`FaultError`] if the fault could never hit a call: its method, field or number does not exist.
    pub fn add_fault(&self, fault: Fault) -> Result<(), FaultError> {
        self.pipeline.script.push(fault)
    }

    /// Adds faults as the admin API takes them: `{"faults": [{"method": "GetOperation", "status": {"code": 14}}]}`; all
    /// or none.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` that names the entry which cannot be used.
    pub fn add_faults_json(&self, text: &str) -> Result<(), Status> {
        admin::answer(&self.pipeline, "AddFaults", "", text.as_bytes()).map(|_| ())
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.pipeline.script.clear();
    }

    /// The quotas in force.
    pub fn quotas(&self) -> Quotas {
        self.pipeline.meter.quotas()
    }

    /// Sets quotas in place of those that were, with nothing used.
    ///
    /// # Errors
    /// [`FaultError`] if a method does not exist.
    pub fn set_quotas(&self, quotas: Quotas) -> Result<(), FaultError> {
        self.pipeline.meter.set(quotas)
    }

    /// Where it is reached on this machine, as `127.0.0.1:PORT`: the value for the variable
    /// `CONTACTCENTERINSIGHTS_EMULATOR_HOST`.
    #[must_use]
    pub fn host(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.address.port()).to_string()
    }

    /// Places an operation as it is, in place of any of the same name: whatever a client should meet, such as
    /// metadata of an unknown type, or an end without result. One that is not done stays so until it is cancelled, or
    /// failed by the admin API.
    ///
    /// # Errors
    /// [`SeedError`] if the name is not of the form `projects/{project}/locations/{location}/operations/{operation}`.
    pub fn put_operation(&self, operation: Operation) -> Result<(), SeedError> {
        seed::check_operation(&operation)?;
        self.pipeline.service.place(operation).map_err(|status| SeedError::from_status(&status))
    }

    /// Drops all resources and operations, of one project (its id) or of all, at once. Clock, faults, quotas and journal
    /// stay as they are.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if `project` is not the id of a project; `RESOURCE_EXHAUSTED` if the data directory is full,
    /// `INTERNAL` if it cannot be written to for another reason; then nothing has changed.
    pub fn reset(&self, project: Option<&str>) -> Result<(), Status> {
        self.pipeline.service.reset(project)
    }

    /// Adds a seed, in place of what has the same names.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if two of its entries have one name, because the id and the number in them name one project.
    /// `RESOURCE_EXHAUSTED` if the data directory is full, `INTERNAL` if it cannot be written to for another reason; then
    /// nothing has changed.
    pub fn apply_seed(&self, seed: Seed) -> Result<(), Status> {
        admin::load(&self.pipeline, seed)
    }

    /// All resources and operations, and the time of a clock that is moved by hand, as bytes: the same state, the same
    /// bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        self.pipeline.service.snapshot()
    }

    /// All of that as the text of a seed, to be read, compared and edited. An emulator without resources and operations that
    /// loads it has the same snapshot.
    #[must_use]
    pub fn export(&self) -> String {
        self.pipeline.service.view(seed::export)
    }

    /// Puts what [`Self::snapshot`] gave in place of all that there is, at once or not at all.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if these are not such bytes, or if one of the resources in them cannot be used, or has the name
    /// of another because an id and a number name one project here: it is named.
    /// `RESOURCE_EXHAUSTED` if the data directory is full, `INTERNAL` if it cannot be written to for another reason.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), Status> {
        self.pipeline.service.restore(snapshot)
    }

    /// Stops: takes no more connections, waits up to half a second for calls in flight, and syncs the data directory.
    ///
    /// Dropping the emulator stops it too, without waiting.
    pub async fn stop(self) {
        let Self { stop, task, pipeline, .. } = self;
        drop(stop);
        if let Err(error) = task.await {
            tracing::error!(%error, "the emulator did not stop well");
        }
        if let Err(error) = tokio::task::spawn_blocking(move || pipeline.service.close()).await {
            tracing::error!(%error, "the data directory was not closed");
        }
    }
}
