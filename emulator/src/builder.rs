//! The `builder` room: how an emulator is set up, started and stopped.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use contact_center_insights::proto::longrunning::Operation;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::{Clock, SystemClock};
use crate::dispatch::Service;
use crate::methods::State;
use crate::profile::{self, Profile, ProfileError};
use crate::seed::{self, Seed, SeedError};
use crate::server;
use crate::world::{Profiles, Settings, World};

/// How long [`Emulator::stop`] waits for calls in flight.
const GRACE: Duration = Duration::from_secs(5);

/// Sets an emulator up; made by [`Emulator::builder`].
#[derive(Clone, Debug)]
#[must_use = "an emulator that is not started serves nothing"]
pub struct EmulatorBuilder {
    address: SocketAddr,
    profiles: Profiles,
    seed: Seed,
    clock: Arc<dyn Clock>,
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

    /// Starts to serve, on the tokio runtime that this is called on; its I/O and time must be enabled.
    ///
    /// # Errors
    /// [`StartError::Method`] if a profile is for a method that is not long-running, [`StartError::Bind`] if the
    /// address cannot be listened at.
    pub async fn start(self) -> Result<Emulator, StartError> {
        for method in self.profiles.by_method.keys() {
            profile::check_method(method).map_err(StartError::Method)?;
        }
        let bind = |source| StartError::Bind { address: self.address, source };
        let listener = TcpListener::bind(self.address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let world = World::new(Settings { profiles: self.profiles, ..Settings::default() });
        let mut state = State { world, ..State::default() };
        self.seed.plant(&mut state);
        let service = Arc::new(Service::new(state, self.clock));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server::serve(listener, Arc::clone(&service), stopped));
        tracing::debug!(%address, "emulator started");
        Ok(Emulator { address, service, stop, task })
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
    service: Arc<Service>,
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
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URI: `http://127.0.0.1:PORT`. For gRPC and JSON both.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
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
        self.service.place(operation);
        Ok(())
    }

    /// Stops: takes no more connections, and waits up to five seconds for calls in flight.
    ///
    /// Dropping the emulator stops it too, without waiting.
    pub async fn stop(self) {
        let Self { stop, mut task, .. } = self;
        drop(stop);
        if tokio::time::timeout(GRACE, &mut task).await.is_err() {
            task.abort();
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
    /// The address cannot be listened at.
    #[error("cannot listen at {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}
