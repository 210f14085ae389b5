//! What jobs change, and the settings they live by.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use contact_center_insights::Status;

use crate::engine::{Claim, FollowUps, Job, Start};
use crate::errors::{self, ErrorDetails};
use crate::lists::OperationLists;
use crate::names;
use crate::profile::Profile;
use crate::projects::ProjectNumbers;
use crate::store::Store;

/// How long-running methods live: one profile for all, and others for some.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profiles {
    pub(crate) all: Profile,
    pub(crate) by_method: BTreeMap<String, Profile>,
}

/// What a location may hold, in bytes, for its operations to be done at once: then none of them takes a millisecond or two.
const SMALL: usize = 256 * 1024;

/// How many conversations the service wants for an issue model of the second generation.
pub(crate) const MIN_TRAINING: usize = 100;

/// What is set when the emulator starts, and stays.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) profiles: Profiles,
    /// The directory that `gs://` stands for; without one, there is no Cloud Storage.
    pub(crate) gcs_root: Option<PathBuf>,
    /// Whatever is drawn by chance is drawn from this.
    pub(crate) seed: u64,
    /// Which numbers projects have.
    pub(crate) numbers: ProjectNumbers,
    /// Whether what the service no longer takes is taken.
    pub(crate) allows_deprecated: bool,
    /// Which errors carry details.
    pub(crate) details: ErrorDetails,
    /// How many conversations an issue model needs.
    pub(crate) min_training: usize,
    /// Whether locations that the service is not in are served.
    pub(crate) serves_any_location: bool,
    /// How lists of operations are.
    pub(crate) lists: OperationLists,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            profiles: Profiles::default(),
            gcs_root: None,
            seed: 0,
            numbers: ProjectNumbers::default(),
            allows_deprecated: false,
            details: ErrorDetails::default(),
            min_training: MIN_TRAINING,
            serves_any_location: false,
            lists: OperationLists::default(),
        }
    }
}

/// The store, the settings, and the operations that jobs have asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) settings: Arc<Settings>,
    follow_ups: Vec<Start<World>>,
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        let store = Store::new(settings.numbers.clone());
        Self { store, settings: Arc::new(settings), ..Self::default() }
    }

    /// Another of the same, on which something is done that takes long.
    pub(crate) fn fork(&self) -> Self {
        Self { store: self.store.fork(), settings: Arc::clone(&self.settings), follow_ups: Vec::new() }
    }

    /// What starts an operation of `method` in the location of `resource`, with a new name.
    pub(crate) fn plan(
        &mut self,
        method: &'static str,
        resource: &str,
        claims: Vec<Claim>,
        job: impl Job<World> + 'static,
    ) -> Start<World> {
        let profiles = &self.settings.profiles;
        let profile = profiles.by_method.get(method).unwrap_or(&profiles.all).clone();
        let name = self.store.new_operation(names::location(resource));
        Start { name, method, claims, profile, job: Box::new(job) }
    }

    /// Asks for an operation to be started when the one that is ending has ended; gives its name.
    pub(crate) fn follow_up(&mut self, start: Start<World>) -> String {
        let name = start.name.clone();
        self.follow_ups.push(start);
        name
    }
}

impl FollowUps for World {
    fn inside(&self, status: Status) -> Status {
        if self.settings.details == ErrorDetails::All { status } else { errors::bare(&status) }
    }

    /// No job looks at more than its location has; but files may be as large as they like, and as slow.
    fn is_long(&self, location: &str) -> bool {
        self.settings.gcs_root.is_some() || self.store.weight(location) > SMALL
    }

    fn shows_past(&self) -> bool {
        self.settings.lists.is_late()
    }

    fn follow_ups(&mut self) -> Vec<Start<Self>> {
        std::mem::take(&mut self.follow_ups)
    }
}
