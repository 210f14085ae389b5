//! One look at operations that a program keeps itself.

use std::collections::HashMap;
use std::sync::Arc;

use prost_types::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::ask::{Told, ask};
use super::ended::{Ended, How};
use super::kept::{Kept, Names};
use super::key;
use super::location::Location;
use super::policy::TrackPolicy;
use super::window::Window;
use crate::call::Caller;
use crate::error::Error;
use crate::lro::{Handle, Operations};
use crate::names::check_operation;
use crate::time::{later, scaled};

/// How many operations are asked about at the same time.
const ASKED_AT_ONCE: usize = 16;

/// Where to look for operations, and for which: made by [`Sweep::of`], run by [`Operations::sweep`].
#[derive(Clone, Debug)]
#[must_use = "a sweep does nothing until it is run"]
pub struct Sweep {
    parent: String,
    window: Window,
    policy: TrackPolicy,
    limit: usize,
    until: Option<Instant>,
}

impl Sweep {
    /// Through the list of a location, `projects/P/locations/L`.
    pub fn of(location: impl Into<String>) -> Self {
        Self {
            parent: location.into(),
            window: Window::ALL,
            policy: TrackPolicy::default(),
            limit: usize::MAX,
            until: None,
        }
    }

    /// Through a part of the list: what was created from `from` on and before `before`, as the metadata says.
    /// Every operation that is looked for must lie in it.
    pub fn with_window(mut self, from: Option<Timestamp>, before: Option<Timestamp>) -> Self {
        self.window = Window::between(from, before);
        self
    }

    /// Asks about this many operations at most; the others that seem to have ended are in [`Swept::unasked`]. Without a
    /// limit by default. What has ended is in memory at once, and a result can have megabytes.
    pub fn with_limit(mut self, operations: usize) -> Self {
        self.limit = operations;
        self
    }

    /// Asks about nothing any more after this, and drops the calls that are under way; what was not asked about is in
    /// [`Swept::unasked`]. A walk through the list has half of the time until then. Without an end by default.
    pub fn until(mut self, at: Instant) -> Self {
        self.until = Some(at);
        self
    }

    /// By pages of this many operations, of which a service may send fewer. 1,000 by default; 0 counts as 1.
    pub fn with_page_size(mut self, operations: u32) -> Self {
        self.policy = self.policy.with_page_size(operations);
        self
    }
}

/// What a sweep found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Swept {
    /// What has ended, or is lost.
    pub ended: Vec<Ended>,
    /// How many run.
    pub running: usize,
    /// What could not be asked about now, and why.
    pub failed: Vec<(Handle, Error)>,
    /// What is gone from the list, or would have had to be asked about for another reason, and was not, because of
    /// [`Sweep::with_limit`] or [`Sweep::until`].
    pub unasked: Vec<Handle>,
    /// Pages of the list.
    pub pages: u32,
    /// Calls of `GetOperation`.
    pub gets: u32,
}

impl Operations {
    /// Finds out which of `pending` have ended: walks the list of what runs once, and asks about each that is not in it.
    /// Where the service does not list, it asks about all; about those of other locations, or of the same under the
    /// project's other spelling, it asks in any case.
    ///
    /// For those who keep operations in a store of their own; a [`Tracker`](super::Tracker) keeps them itself.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = contact_center_insights_emulator::Emulator::builder()
    /// #     .with_profile("immediate".parse()?).start().await?;
    /// # let client = contact_center_insights::Client::builder().with_endpoint(emulator.endpoint())
    /// #     .with_credentials(contact_center_insights::Credentials::anonymous()).build()?;
    /// use contact_center_insights::lro::Handle;
    /// use contact_center_insights::track::{How, Sweep};
    ///
    /// let stored = ["projects/p/locations/us-central1/operations/1"].map(Handle::from);
    /// let swept = client.operations().sweep(Sweep::of("projects/p/locations/us-central1"), stored).await?;
    /// assert_eq!(swept.ended[0].how, How::Lost, "this emulator has just been started");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Name`] if one of `pending` can be no operation's name; nothing was sent then. Calls that fail are in [`Swept::failed`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: only reads are made.
    pub async fn sweep(
        &self,
        sweep: Sweep,
        pending: impl IntoIterator<Item = impl Into<Handle>>,
    ) -> Result<Swept, Error> {
        let Sweep { parent, window, policy, limit, until } = sweep;
        let names = Names::default();
        let location = Location::<Kept>::new(self.caller().clone(), parent.clone(), policy);
        let (mut queue, mut swept) = (Vec::new(), Swept::default());
        for handle in pending {
            let handle = handle.into();
            check_operation(&handle.name).map_err(Error::Name)?;
            match key::split(&handle.name).filter(|(of, _)| *of == parent) {
                Some((_, id)) => {
                    let kept = names.keep(&handle, &parent);
                    location.lock().book.enter(id, kept, Instant::now());
                }
                // The list does not have it under this name, if at all.
                None => queue.push((handle, How::Get)),
            }
        }
        let mut missed = Vec::new();
        let location = Arc::new(location);
        let mut how = How::Sweep;
        if location.lock().book.len() > 0 {
            let walk = location.sweep(Some(vec![window]), |ids| missed.extend(ids));
            let round = match until {
                Some(until) => timeout_at(halfway(until), walk).await.ok(),
                None => Some(walk.await),
            };
            swept.pages = round.as_ref().map_or(0, |(round, _)| round.pages);
            if round.is_none_or(|(round, _)| round.trouble.is_some()) {
                how = How::Get;
                missed.extend(location.lock().book.take_due(false, usize::MAX, Instant::now()).0);
            }
        }
        queue.extend(missed.into_iter().filter_map(|id| {
            let kept = location.lock().book.remove(&id)?;
            Some((names.handle(kept, &id), how))
        }));
        swept.running = location.lock().book.len();
        let beyond = queue.split_off(limit.min(queue.len()));
        swept.unasked.extend(beyond.into_iter().map(|(handle, _)| handle));
        ask_all(self.caller(), queue, until, &mut swept).await;
        Ok(swept)
    }
}

fn halfway(until: Instant) -> Instant {
    let now = Instant::now();
    later(now, scaled(until.saturating_duration_since(now), 0.5))
}

async fn ask_all(caller: &Caller, mut queue: Vec<(Handle, How)>, until: Option<Instant>, swept: &mut Swept) {
    let mut asked = JoinSet::new();
    let mut under_way = HashMap::new();
    loop {
        while asked.len() < ASKED_AT_ONCE
            && let Some((handle, how)) = queue.pop()
        {
            let (caller, name) = (caller.clone(), handle.name.clone());
            let task = asked.spawn(async move { ask(&caller, name).await.0 });
            under_way.insert(task.id(), (handle, how));
        }
        let joined = match until {
            Some(until) => timeout_at(until, asked.join_next_with_id()).await,
            None => Ok(asked.join_next_with_id().await),
        };
        match joined {
            Ok(Some(Ok((id, told)))) => {
                if let Some((handle, how)) = under_way.remove(&id) {
                    swept.note(handle, how, told);
                }
            }
            // It panicked, which the panic hook has told.
            Ok(Some(Err(_))) => {}
            Ok(None) => break,
            Err(_) => {
                swept.unasked.extend(queue.into_iter().map(|(handle, _)| handle));
                break;
            }
        }
    }
    swept.unasked.extend(under_way.into_values().map(|(handle, _)| handle));
}

impl Swept {
    fn note(&mut self, handle: Handle, how: How, told: Told) {
        self.gets = self.gets.saturating_add(1);
        let name = handle.name.clone();
        let (operation, how, lost) = match told {
            Told::Running { .. } => return self.running = self.running.saturating_add(1),
            Told::Failed(error) => return self.failed.push((handle, error)),
            Told::Done(operation) => (Some((*operation).into()), how, None),
            Told::Lost(error) => (None, How::Lost, Some(error)),
        };
        self.ended.push(Ended { name, handle, operation, how, lost });
    }
}
