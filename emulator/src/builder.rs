//! The `builder` room: how an emulator is set up, started and stopped.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use contact_center_insights::proto::longrunning::Operation;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::{Clock, SystemClock};
use crate::contract::Contract;
use crate::dispatch::Service;
use crate::exchange::Front;
use crate::journal::Journal;
use crate::methods::State;
use crate::profile::{self, Profile, ProfileError};
use crate::script::{Fault, FaultError, Meter, Quotas, Script};
use crate::seed::{self, Seed, SeedError};
use crate::server;
use crate::tls::Tls;
use crate::work::bucket::Buckets;
use crate::world::{Profiles, Settings, World};

/// How many calls the journal keeps unless told otherwise.
const JOURNAL: usize = 10_000;

/// Sets an emulator up; made by [`Emulator::builder`].
#[derive(Clone, Debug)]
#[must_use = "an emulator that is not started serves nothing"]
pub struct EmulatorBuilder {
    address: SocketAddr,
    profiles: Profiles,
    seed: Seed,
    clock: Arc<dyn Clock>,
    faults: Vec<Fault>,
    fault_seed: u64,
    quotas: Quotas,
    journal: usize,
    tls: bool,
    gcs_root: Option<PathBuf>,
}

impl EmulatorBuilder {
    /// Listens at `address`. Default: a free port of 127.0.0.1.
    pub fn with_address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// How the operations of all long-running methods live. Default: `polls:2`.
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profiles.all = profile;
        self
    }

    /// How the operations of one method live, such as `CreateIssueModel`, whatever [`Self::with_profile`] says.
    pub fn with_method_profile(mut self, method: impl Into<String>, profile: Profile) -> Self {
        self.profiles.by_method.insert(method.into(), profile);
        self
    }

    /// What is there from the start. Default: nothing.
    pub fn with_seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// Where the time is read. Default: [`SystemClock`].
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Adds a fault, after those that were added before. Default: none.
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The seed of the dice that faults with a probability throw, and by which samples and percentages of
    /// conversations are drawn. Default: 0.
    pub fn with_fault_seed(mut self, seed: u64) -> Self {
        self.fault_seed = seed;
        self
    }

    /// How many calls each project may make in a minute. Default: any number.
    pub fn with_quotas(mut self, quotas: Quotas) -> Self {
        self.quotas = quotas;
        self
    }

    /// How many calls [`Emulator::journal`] keeps. Default: 10,000.
    pub fn with_journal_limit(mut self, calls: usize) -> Self {
        self.journal = calls;
        self
    }

    /// Takes `directory` for Cloud Storage: `gs://BUCKET/OBJECT` is the file `BUCKET/OBJECT` in it, to be read and to be
    /// written, and nothing outside of it is. Default: there is no Cloud Storage, and what needs it is refused.
    pub fn with_gcs_root(mut self, directory: impl Into<PathBuf>) -> Self {
        self.gcs_root = Some(directory.into());
        self
    }

    /// Speaks TLS, with a certificate for `localhost`, the loopback addresses and the API's own host, signed by an
    /// authority that is made at the start: [`Emulator::ca_pem`].
    pub fn with_tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Starts to serve, on the tokio runtime that this is called on; its I/O and time must be enabled.
    ///
    /// # Errors
    /// [`StartError::Method`] if a profile is for a method that is not long-running, [`StartError::Fault`] if a fault or
    /// a quota cannot be used, [`StartError::Bind`] if the address cannot be listened at, [`StartError::Tls`] if no
    /// certificate can be made, [`StartError::GcsRoot`] if the directory for Cloud Storage cannot be opened.
    pub async fn start(self) -> Result<Emulator, StartError> {
        // Read once per process; the first call is not to wait for it.
        let _ = Contract::get();
        for method in self.profiles.by_method.keys() {
            profile::check_method(method).map_err(StartError::Method)?;
        }
        let script = Script::new(self.fault_seed);
        for fault in self.faults {
            script.push(fault).map_err(StartError::Fault)?;
        }
        let meter = Meter::default();
        meter.set(self.quotas).map_err(StartError::Fault)?;
        let tls = if self.tls { Some(Tls::new(SystemTime::now(), self.address.ip())) } else { None };
        let tls = tls.transpose().map_err(StartError::Tls)?;
        let bind = |source| StartError::Bind { address: self.address, source };
        let listener = TcpListener::bind(self.address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        if let Some(root) = &self.gcs_root {
            let unusable = |source| StartError::GcsRoot { directory: root.clone(), source };
            Buckets::open(root).map_err(unusable)?;
        }
        let world =
            World::new(Settings { profiles: self.profiles, gcs_root: self.gcs_root, seed: self.fault_seed });
        let mut state = State { world, ..State::default() };
        self.seed.plant(&mut state);
        let front = Arc::new(Front {
            service: Arc::new(Service::new(state, Arc::clone(&self.clock))),
            clock: self.clock,
            script,
            meter,
            journal: Journal::new(self.journal),
        });
        let (stop, stopped) = oneshot::channel();
        let (acceptor, authority) = tls.map(|tls| (tls.acceptor, tls.authority)).unzip();
        let task = tokio::spawn(server::serve(listener, address, Arc::clone(&front), acceptor, stopped));
        tracing::debug!(%address, "emulator started");
        Ok(Emulator { address, front, authority, stop, task })
    }
}

/// A running emulator. It stops when it is dropped; there can be many in one process.
///
/// ```
/// use contact_center_insights_emulator::{Emulator, Profile};
/// # use contact_center_insights::proto::insights::{
/// #     CreateIssueModelRequest, IssueModel,
/// #     contact_center_insights_client::ContactCenterInsightsClient,
/// # };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::builder().with_profile(Profile::immediate()).start().await?;
/// let channel = tonic::transport::Endpoint::new(emulator.endpoint())?.connect().await?;
/// let mut client = ContactCenterInsightsClient::new(channel);
/// let request = CreateIssueModelRequest {
///     parent: "projects/p/locations/us-central1".into(),
///     issue_model: Some(IssueModel::default()),
/// };
/// assert!(client.create_issue_model(request).await?.into_inner().done);
/// emulator.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "an emulator stops when it is dropped"]
pub struct Emulator {
    address: SocketAddr,
    front: Arc<Front>,
    /// The certificate of the authority, if it speaks TLS.
    authority: Option<String>,
    /// Dropping it stops the server.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Emulator {
    /// An emulator with all defaults, to be set up and started.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            profiles: Profiles::default(),
            seed: Seed::default(),
            clock: Arc::new(SystemClock),
            faults: Vec::new(),
            fault_seed: 0,
            quotas: Quotas::default(),
            journal: JOURNAL,
            tls: false,
            gcs_root: None,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URI: `http://127.0.0.1:PORT`, or `https://` with TLS. For gRPC and JSON both.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate of the authority that clients must trust, as PEM; `None` without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// What was called so far.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.front.journal
    }

    /// Adds a fault while it runs, after those that are there.
    ///
    /// # Errors
    /// [`FaultError`] if the fault could never strike: its method, field or number does not exist.
    pub fn add_fault(&self, fault: Fault) -> Result<(), FaultError> {
        self.front.script.push(fault)
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.front.script.clear();
    }

    /// The quotas in force.
    pub fn quotas(&self) -> Quotas {
        self.front.meter.quotas()
    }

    /// Sets quotas in place of those that were, with nothing used.
    ///
    /// # Errors
    /// [`FaultError`] if a method does not exist.
    pub fn set_quotas(&self, quotas: Quotas) -> Result<(), FaultError> {
        self.front.meter.set(quotas)
    }

    /// Where it listens, as `127.0.0.1:PORT`: the value for the variable `CONTACTCENTERINSIGHTS_EMULATOR_HOST`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Places an operation as it is, in place of any of the same name: whatever a client should meet, such as
    /// metadata of an unknown type, or an end without result. One that is not done stays so until it is cancelled.
    ///
    /// # Errors
    /// [`SeedError`] if the name is not of the form `projects/{project}/locations/{location}/operations/{operation}`.
    pub fn put_operation(&self, operation: Operation) -> Result<(), SeedError> {
        seed::check_operation(&operation)?;
        self.front.service.place(operation);
        Ok(())
    }

    /// Stops: takes no more connections, and waits up to half a second for calls in flight.
    ///
    /// Dropping the emulator stops it too, without waiting.
    pub async fn stop(self) {
        let Self { stop, task, .. } = self;
        drop(stop);
        if let Err(error) = task.await {
            tracing::error!(%error, "the emulator did not stop well");
        }
    }
}

/// Why an emulator could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A profile was given for a method that is not long-running.
    #[error("a profile is for an unknown method")]
    Method(#[source] ProfileError),
    /// A fault could never strike, or a quota is for no method.
    #[error("a fault or quota cannot be used")]
    Fault(#[source] FaultError),
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The directory for Cloud Storage cannot be opened.
    #[error("cannot open the directory {} for Cloud Storage", directory.display())]
    GcsRoot {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}
