//! How an emulator is set up, started and stopped.

mod error;
mod port;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use self::error::StartError;
use self::port::PortOptions;
use crate::apart::Apart;
use crate::clock::{Clock, SystemClock};
use crate::content::bucket::Buckets;
use crate::contract::Contract;
use crate::dispatch::Service;
use crate::emulator::Emulator;
use crate::errors::ErrorDetails;
use crate::journal::{self, Journal};
use crate::lists::OperationLists;
use crate::persist::{Log, SyncMode};
use crate::pipeline::Pipeline;
use crate::profile::{self, Profile};
use crate::script::{Fault, Meter, Quotas, Script};
use crate::seed::Seed;
use crate::server::{self, Setup};
use crate::state::State;
use crate::tls::Tls;
use crate::world::{Settings, World};

/// Sets an emulator up; made by [`Emulator::builder`].
#[derive(Clone, Debug)]
#[must_use = "an emulator that is not started serves nothing"]
pub struct EmulatorBuilder {
    address: SocketAddr,
    port: PortOptions,
    settings: Settings,
    seed: Seed,
    clock: Arc<dyn Clock>,
    faults: Vec<Fault>,
    quotas: Quotas,
    data_dir: Option<PathBuf>,
    sync: SyncMode,
    journal: journal::Limits,
    tls: bool,
    strict_fields: bool,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            port: PortOptions::default(),
            settings: Settings::default(),
            seed: Seed::default(),
            clock: Arc::new(SystemClock),
            faults: Vec::new(),
            quotas: Quotas::default(),
            data_dir: None,
            sync: SyncMode::default(),
            journal: journal::Limits::default(),
            tls: false,
            strict_fields: false,
        }
    }
}

impl Emulator {
    /// An emulator with all defaults, to be set up and started.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }
}

impl EmulatorBuilder {
    /// Listens at `address`. Default: a free port of 127.0.0.1.
    ///
    /// Anyone who can reach this port can read and change everything; there are no passwords.
    pub fn with_address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// How the operations of all long-running methods live. Default: `polls:2`.
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.settings.profiles.all = profile;
        self
    }

    /// How the operations of one method live, such as `CreateIssueModel`, whatever [`Self::with_profile`] says.
    pub fn with_method_profile(mut self, method: impl Into<String>, profile: Profile) -> Self {
        self.settings.profiles.by_method.insert(method.into(), profile);
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
        self.settings.seed = seed;
        self
    }

    /// How many calls each project may make in a minute. Default: any number.
    pub fn with_quotas(mut self, quotas: Quotas) -> Self {
        self.quotas = quotas;
        self
    }

    /// Keeps resources and operations in this directory, which is made if it is not there, for its owner alone: every
    /// change is in it before the call that makes it is answered, and outlives the process, however that ends; what
    /// outlives the machine is for [`Self::with_sync`] to say. One emulator at a time can use it. The seed is applied only
    /// where the directory is new. Where it cannot be written to, reads go on and changes are refused. Default: nothing is
    /// kept.
    pub fn with_data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(directory.into());
        self
    }

    /// When changes in the data directory are synced to the disk. Default: [`SyncMode::EverySecond`].
    pub fn with_sync(mut self, sync: SyncMode) -> Self {
        self.sync = sync;
        self
    }

    /// How many calls [`Emulator::journal`] keeps, as far as they fit into 64 MiB of memory. Default: 10,000.
    pub fn with_journal_limit(mut self, calls: usize) -> Self {
        self.journal.calls = calls;
        self
    }

    /// Keeps the messages of calls in [`Emulator::journal`], as JSON. Default: they are not kept, since there may be secrets
    /// in them.
    pub fn with_journal_bodies(mut self) -> Self {
        self.journal.bodies = true;
        self
    }

    /// Takes `directory` for Cloud Storage: `gs://BUCKET/OBJECT` is the file `BUCKET/OBJECT` in it, to be read and to be
    /// written, and nothing outside of it is. Default: there is no Cloud Storage, and what needs it is refused.
    pub fn with_gcs_root(mut self, directory: impl Into<PathBuf>) -> Self {
        self.settings.gcs_root = Some(directory.into());
        self
    }

    /// Speaks TLS, with a certificate for `localhost`, `host.docker.internal`, the loopback addresses, the API's own
    /// hosts, regional ones too, and the hosts of [`Self::with_allowed_host`]. It is signed by an authority that is made
    /// at the start: [`Emulator::ca_pem`].
    pub fn with_tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Gives the project with this id a number. Answers name projects by their number, and requests may name them by
    /// either. Default: a number of twelve digits that follows from the id, the same in every process.
    pub fn with_project_number(mut self, id: impl Into<String>, number: u64) -> Self {
        self.settings.numbers.set(id, number);
        self
    }

    /// Answers with the names that were asked for, and takes the id and the number of a project for two projects, as the
    /// service does not. Default: names in answers have the number.
    pub fn with_echoed_project_names(mut self) -> Self {
        self.settings.numbers.echo();
        self
    }

    /// Takes what the service refuses because it is deprecated: issue models without a type, or of `TYPE_V1`. Default:
    /// refused, with the words of the service.
    pub fn with_deprecated_allowed(mut self) -> Self {
        self.settings.allows_deprecated = true;
        self
    }

    /// How many conversations the training of an issue model of `TYPE_V2` needs; with fewer it is refused, in the words of
    /// the service. Default: 100, as the service wants.
    pub fn with_min_training_conversations(mut self, conversations: usize) -> Self {
        self.settings.min_training = conversations;
        self
    }

    /// Serves every location, whatever it is called. Default: those that the service is documented to be in, and
    /// `global`; another one is `PERMISSION_DENIED`.
    pub fn with_any_location(mut self) -> Self {
        self.settings.serves_any_location = true;
        self
    }

    /// Refuses fields and query parameters that only the REST API has, and that gRPC has no numbers for. Default: they
    /// are ignored, with a warning in the log and in the journal.
    pub fn with_strict_fields(mut self) -> Self {
        self.strict_fields = true;
        self
    }

    /// How `ListOperations` answers: short, late or in no order. Default: all there is, in order.
    pub fn with_operation_lists(mut self, lists: OperationLists) -> Self {
        self.settings.lists = lists;
        self
    }

    /// Which errors carry details. Default: [`ErrorDetails::Calls`].
    pub fn with_error_details(mut self, details: ErrorDetails) -> Self {
        self.settings.details = details;
        self
    }

    /// Starts to serve, on the tokio runtime that this is called on; its I/O and time must be enabled.
    ///
    /// # Errors
    /// [`StartError::Host`] or [`StartError::Origin`] if what is to be served or allowed is no host or origin,
    /// [`StartError::Project`] if two projects have one number, [`StartError::Seed`] if two entries of the seed have one name
    /// because an id and a number name one project, [`StartError::Method`] if a profile is for a method that
    /// is not long-running, [`StartError::Fault`] if a fault or a quota cannot be used, [`StartError::Bind`] if the
    /// address cannot be listened at, [`StartError::Tls`] if no certificate can be made, [`StartError::GcsRoot`] if the
    /// directory for Cloud Storage cannot be opened.
    pub async fn start(self) -> Result<Emulator, StartError> {
        // Read once per process; the first call is not to wait for it.
        let _ = Contract::get();
        for method in self.settings.profiles.by_method.keys() {
            profile::check_method(method).map_err(StartError::Method)?;
        }
        self.settings.numbers.check().map_err(StartError::Project)?;
        self.seed.check(&self.settings.numbers).map_err(StartError::Seed)?;
        let script = Script::new(self.settings.seed);
        for fault in self.faults {
            script.push(fault).map_err(StartError::Fault)?;
        }
        let meter = Meter::new(self.settings.numbers.clone());
        meter.set(self.quotas).map_err(StartError::Fault)?;
        let guard = self.port.guard()?;
        let tls = if self.tls {
            Some(Tls::new(SystemTime::now(), self.address.ip(), &self.port.names()))
        } else {
            None
        };
        let tls = tls.transpose().map_err(StartError::Tls)?;
        let bind = |source| StartError::Bind { address: self.address, source };
        let listener = TcpListener::bind(self.address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        if let Some(root) = &self.settings.gcs_root {
            let unusable = |source| StartError::GcsRoot { directory: root.clone(), source };
            Buckets::open(root).map_err(unusable)?;
        }
        let details = self.settings.details;
        let world = World::new(self.settings);
        let state = State { world, ..State::default() };
        let service = service(state, &self.clock, self.data_dir.as_deref(), self.sync, self.seed)?;
        let pipeline = Arc::new(Pipeline {
            service,
            clock: self.clock,
            script,
            meter,
            journal: Journal::new(self.journal),
            details,
            is_strict: self.strict_fields,
            apart: Apart::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let (acceptor, authority) = tls.map(|tls| (tls.acceptor, tls.authority)).unzip();
        let setup = Setup { guard, limits: self.port.limits, tls: acceptor };
        let task = tokio::spawn(server::serve(listener, address, Arc::clone(&pipeline), setup, stopped));
        tracing::debug!(%address, "emulator started");
        Ok(Emulator { address, pipeline, authority, stop, task })
    }
}

/// The service, with what is there from the start.
fn service(
    mut state: State,
    clock: &Arc<dyn Clock>,
    data_dir: Option<&Path>,
    sync: SyncMode,
    seed: Seed,
) -> Result<Service, StartError> {
    let Some(directory) = data_dir else {
        set(clock, seed.apply(&mut state));
        return Ok(Service::new(state, Arc::clone(clock)));
    };
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| StartError::DataDir {
        directory: directory.to_owned(),
        source,
    };
    let (log, found) = Log::open(directory, sync, &mut state).map_err(|error| failed(error.into()))?;
    if let (Some(clock), Some(time)) = (clock.as_manual(), found.time) {
        clock.set(clock.now().max(time));
    }
    let service = Service::kept(state, Arc::clone(clock), log);
    if found.is_new {
        let seeded = service.change(|state, _| seed.apply(state));
        set(clock, seeded.map_err(|status| failed(status.message().into()))?);
    } else if !seed.is_empty() {
        tracing::warn!("the seed is not applied: {} has a state already", directory.display());
    }
    Ok(service)
}

/// Sets a clock that is moved by hand to a time that was written down.
fn set(clock: &Arc<dyn Clock>, time: Option<SystemTime>) {
    if let (Some(clock), Some(time)) = (clock.as_manual(), time) {
        clock.set(time);
    }
}
