//! Follows any number of operations to their ends, and hands those over.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::Stream;

use super::book::Entered;
use super::ended::Ended;
use super::kept::{Kept, Names};
use super::key::{self, Spellings};
use super::location::Location;
use super::policy::TrackPolicy;
use super::serve::Serving;
use super::tally::{Tally, TrackStatistics};
use crate::error::Error;
use crate::lro::{Handle, Operations, cancel};
use crate::names::check_operation;
use crate::time::later;

/// Follows many operations at once, at a fraction of the calls that a poller each would make: it sweeps
/// `ListOperations` of each location, and asks by `GetOperation` about what is gone from the list of what runs. Where
/// that takes more calls, or the service does not list, it asks one by one.
///
/// Made by [`Operations::tracker`]. Clones are one tracker; when the last is dropped, tracking ends, and the operations
/// go on. It works in tasks on the runtime on which an operation was first added.
///
/// Nothing is ever concluded from a list: every end is heard from `GetOperation`. An operation that the service does not
/// know any more is handed over as [`How::Lost`](super::How::Lost). Calls that fail are made again later, without a limit; see
/// [`TrackStatistics::failed_gets`] and [`TrackStatistics::failed_sweeps`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = contact_center_insights_emulator::Emulator::builder()
/// #     .with_profile("immediate".parse()?).with_min_training_conversations(0).start().await?;
/// # let client = contact_center_insights::Client::builder().with_endpoint(emulator.endpoint())
/// #     .with_credentials(contact_center_insights::Credentials::anonymous()).build()?;
/// use contact_center_insights::proto::insights::{
///     CreateIssueModelMetadata, CreateIssueModelRequest, IssueModel, issue_model::ModelType,
/// };
/// use contact_center_insights::track::TrackPolicy;
///
/// let tracker = client.operations().tracker(TrackPolicy::default());
/// let issue_model =
///     Some(IssueModel { display_name: "billing".into(), model_type: ModelType::TypeV2.into(), ..Default::default() });
/// let parent = "projects/p/locations/us-central1".into();
/// let training = client.create_issue_model(CreateIssueModelRequest { parent, issue_model }).await?;
/// tracker.add(training.handle()).await?;
///
/// let ended = tracker.next_ended().await.expect("one is pending");
/// let model = ended.typed::<IssueModel, CreateIssueModelMetadata>()?.result().expect("it has ended")?;
/// assert_eq!(model.display_name, "billing");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tracker(Arc<Shared>);

struct Shared {
    operations: Operations,
    policy: TrackPolicy,
    directory: Mutex<Directory>,
    names: Arc<Names>,
    tally: Arc<Tally>,
    sender: mpsc::Sender<Ended>,
    receiver: AsyncMutex<mpsc::Receiver<Ended>>,
}

#[derive(Default)]
struct Directory {
    locations: HashMap<String, Arc<Location<Kept>>>,
    spellings: Spellings,
    /// One for each location; they end with the tracker.
    tasks: JoinSet<()>,
}

/// What became of an operation that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Added {
    /// It is tracked from now on.
    New,
    /// It is tracked already, maybe under its project's other spelling, id or number.
    Known,
}

impl Operations {
    /// Follows many operations at once; see [`Tracker`]. Within a tokio runtime; nothing is sent before an operation is
    /// added.
    #[must_use]
    pub fn tracker(&self, policy: TrackPolicy) -> Tracker {
        let (sender, receiver) = mpsc::channel(policy.buffer.max(1));
        let tally = Arc::new(Tally::new(policy.capacity.max(1)));
        Tracker(Arc::new(Shared {
            operations: self.clone(),
            policy,
            directory: Mutex::default(),
            names: Arc::default(),
            tally,
            sender,
            receiver: AsyncMutex::new(receiver),
        }))
    }
}

impl Tracker {
    /// Tracks an operation, given by its name or by a [`Handle`]. Waits while as many are tracked as the policy allows.
    ///
    /// # Errors
    /// [`Error::Name`] if it can be no operation's name.
    ///
    /// # Cancel safety
    /// A dropped future has added nothing.
    pub async fn add(&self, operation: impl Into<Handle>) -> Result<Added, Error> {
        let handle = operation.into();
        check_operation(&handle.name).map_err(Error::Name)?;
        let (parent, id) = key::split(&handle.name).unwrap_or(("", &handle.name));
        if self.is_known(parent, id) {
            return Ok(Added::Known);
        }
        self.0.tally.reserve().await;
        let member = self.0.names.keep(&handle, parent);
        let wait =
            self.0.operations.policy().wait_after(handle.metadata.as_deref().unwrap_or_default(), 0, 1.0);
        let (location, entered) = loop {
            let location = self.location(parent);
            let mut state = location.lock();
            if !state.is_moved {
                let entered = state.book.enter(id, member, later(Instant::now(), wait));
                drop(state);
                break (location, entered);
            }
        };
        match entered {
            Entered::New => {
                self.0.tally.pending.fetch_add(1, Ordering::Relaxed);
                location.changed.notify_one();
                Ok(Added::New)
            }
            Entered::Known => {
                self.0.tally.release();
                Ok(Added::Known)
            }
        }
    }

    /// The next operation that has ended; waits for one. `None` only after [`Tracker::close`], when all were taken.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing.
    pub async fn next_ended(&self) -> Option<Ended> {
        let mut receiver = self.0.receiver.lock().await;
        loop {
            let drained = self.0.tally.drained.notified();
            if let Ok(ended) = receiver.try_recv() {
                return Some(ended);
            }
            if self.0.tally.is_drained() {
                return receiver.try_recv().ok();
            }
            tokio::select! {
                ended = receiver.recv() => return ended,
                () = drained => {}
            }
        }
    }

    /// The operations as they end, for one reader at a time: a stream that is waited for by nobody keeps what comes next
    /// from others until it is dropped, which loses nothing.
    #[must_use]
    pub fn ended(&self) -> Ends {
        Ends { tracker: self.clone(), next: None }
    }

    /// Asks the service to cancel an operation, best effort; how it ends is told as for every other.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether the service took note; to cancel twice does no harm.
    pub async fn cancel(&self, name: impl Into<String>) -> Result<(), Error> {
        let name = name.into();
        check_operation(&name).map_err(Error::Name)?;
        cancel(self.0.operations.caller(), name).await
    }

    /// How many operations are tracked whose ends were not put into the buffer yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.0.tally.pending.load(Ordering::Relaxed)
    }

    /// What it has done so far.
    #[must_use]
    pub fn statistics(&self) -> TrackStatistics {
        self.0.tally.statistics()
    }

    /// States that nothing more will be added: [`Tracker::next_ended`] ends when all that is pending has ended.
    pub fn close(&self) {
        self.0.tally.close();
    }

    fn is_known(&self, parent: &str, id: &str) -> bool {
        let directory = self.directory();
        let location = directory.locations.get(&directory.spellings.first(parent));
        location.is_some_and(|location| location.lock().book.member(id).is_some())
    }

    fn location(&self, parent: &str) -> Arc<Location<Kept>> {
        let mut directory = self.directory();
        let parent = directory.spellings.first(parent);
        if let Some(location) = directory.locations.get(&parent) {
            return location.clone();
        }
        let caller = self.0.operations.caller().clone();
        let location = Arc::new(Location::new(caller, parent.clone(), self.0.policy.clone()));
        directory.locations.insert(parent, location.clone());
        let tracker = Arc::downgrade(&self.0);
        let serving = Serving {
            location: location.clone(),
            polls: self.0.operations.policy().clone(),
            names: self.0.names.clone(),
            tally: self.0.tally.clone(),
            sender: self.0.sender.clone(),
            on_spelling: Box::new(move |asked, answered| {
                if let Some(shared) = tracker.upgrade() {
                    Tracker(shared).learn(asked, answered);
                }
            }),
        };
        directory.tasks.spawn(serving.run());
        location
    }

    /// An answer about `asked` has a name under `answered`: what is tracked under both is one.
    fn learn(&self, asked: &str, answered: &str) {
        let mut directory = self.directory();
        let Some(other) = directory.spellings.learn(asked, answered) else { return };
        let Some((from, to)) = directory.locations.remove(&other).zip(directory.locations.get(asked)) else {
            return;
        };
        // In this order always: nothing else holds two.
        let mut left = from.lock();
        let mut state = to.lock();
        left.is_moved = true;
        for (id, member, due) in left.book.drain() {
            if state.book.enter(&id, member, due) == Entered::Known {
                self.0.tally.forget();
            }
        }
        from.changed.notify_one();
        to.changed.notify_one();
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.0.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}

/// The operations of a [`Tracker`] as they end.
pub struct Ends {
    tracker: Tracker,
    next: Option<Pin<Box<dyn Future<Output = Option<Ended>> + Send>>>,
}

impl Stream for Ends {
    type Item = Ended;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Ended>> {
        let tracker = self.tracker.clone();
        let next = self.next.get_or_insert_with(|| Box::pin(async move { tracker.next_ended().await }));
        let ended = std::task::ready!(next.as_mut().poll(cx));
        self.next = None;
        Poll::Ready(ended)
    }
}

impl fmt::Debug for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends").field("tracker", &self.tracker).finish_non_exhaustive()
    }
}
