//! A worker: its options, and the loops that run. What is decided is decided in `engine`, `lanes`, `start` and the store;
//! here are only tasks, pauses, and the end.

mod builder;
mod loops;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use contact_center_insights::Poller;
use contact_center_insights::any::Unpack;
use contact_center_insights::call::Call;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinSet;

pub use builder::WorkerBuilder;

use crate::engine::Engine;
use crate::error::{Error, StoreError};
use crate::handover::{HandOver, LANES, Limits};
use crate::lanes::AtLeastOnce;
use crate::listen::{self, Answers};
use crate::reconcile::{self, Reconciled, Reconciliation};
use crate::row::{Registration, Statistics};
use crate::start;
use crate::store::Store;

/// Cohorts that one process looks at at the same time.
const SWEEPERS: usize = 4;

/// Follows operations durably: what is registered is followed until its result has been handed over.
///
/// Made by [`Worker::builder`]. Cheap to clone; clones are one worker. It needs not run to register and to start: a
/// service can do that, and others run.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// # use contact_center_insights::{Client, Credentials, proto::insights::*};
/// # let emulator = contact_center_insights_emulator::Emulator::builder()
/// #     .with_profile("immediate".parse()?).with_min_training_conversations(0).start().await?;
/// # let client = Client::builder().with_endpoint(emulator.endpoint())
/// #     .with_credentials(Credentials::anonymous()).build()?;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("operations.db");
/// # let request = CreateIssueModelRequest {
/// #     parent: "projects/p/locations/us-central1".into(),
/// #     issue_model: Some(IssueModel {
/// #         display_name: "billing".into(),
/// #         model_type: issue_model::ModelType::TypeV2.into(),
/// #         ..Default::default()
/// #     }),
/// # };
/// use contact_center_insights_worker::{BoxError, Delivery, SqliteStore, Worker};
/// use tokio::sync::mpsc;
///
/// let (trained, mut models) = mpsc::unbounded_channel();
/// let worker = Worker::builder(SqliteStore::open(&path).await?, &client)
///     .on(move |delivery: Delivery<IssueModel, CreateIssueModelMetadata>| {
///         let trained = trained.clone();
///         async move {
///             // Comes again, with the same `delivery.key`, if this process dies before it has returned.
///             trained.send(delivery.result()?.display_name)?;
///             Ok::<_, BoxError>(())
///         }
///     })
///     .build();
///
/// worker.start(client.create_issue_model(request)).await?;
/// let stopped = async move { assert_eq!(models.recv().await.as_deref(), Some("billing")) };
/// worker.run(stopped).await?;
/// # Ok(())
/// # }
/// ```
pub struct Worker<S, H = AtLeastOnce>(Arc<Inner<S, H>>);

struct Inner<S, H> {
    engine: Engine<S>,
    hand_over: H,
    limits: Limits,
    /// Why it cannot run, if it cannot.
    defect: Option<String>,
    retention: std::time::Duration,
    /// One looks for a cohort at a time.
    scout: Mutex<()>,
    /// Something may be there to hand over.
    found: Notify,
}

impl<S: Store> Worker<S> {
    /// A worker on this store, which calls the API as `client` does: over its connections, with its credentials.
    #[must_use]
    pub fn builder(store: S, client: &contact_center_insights::Client) -> WorkerBuilder<S> {
        WorkerBuilder::new(store, client)
    }
}

impl<S: Store, H: HandOver<S>> Worker<S, H> {
    /// Follows operations from now on; all, or after an error none. What is followed already is left as it is. How many
    /// are new.
    ///
    /// # Errors
    /// [`Error::Api`] if one can be no operation's name, before anything is written; [`Error::Store`]: to register the
    /// same again is safe.
    ///
    /// # Cancel safety
    /// A dropped future has registered all of them or none.
    pub async fn register(&self, operations: impl IntoIterator<Item = Registration>) -> Result<usize, Error> {
        let registrations: Vec<_> = operations.into_iter().collect();
        for registration in &registrations {
            type Any = contact_center_insights::Payload;
            self.0.engine.operations.poller::<Any, Any>(registration.name())?;
        }
        Ok(self.0.engine.store.register(registrations).await?)
    }

    /// Starts an operation, and follows it whatever dies: that it is about to be started is written first. After a crash
    /// in between, the operation is looked for by what was written, and followed if it is the only match; else it is shown
    /// as unsure. It is never started a second time.
    ///
    /// The call has a minute, with all its retries, whatever else it was given.
    ///
    /// # Errors
    /// [`Error::Api`] if nothing was started; [`Error::Unsure`] if nobody can tell; [`Error::Store`] if the store failed:
    /// before the call, then nothing was started, or after it, then it is looked for as after a crash.
    ///
    /// # Cancel safety
    /// Dropping the future is as a crash at this moment.
    pub async fn start<R: Unpack, M: Unpack>(&self, call: Call<Poller<R, M>>) -> Result<Poller<R, M>, Error> {
        start::start(&self.0.engine.store, call, None).await
    }

    /// As [`Worker::start`], with a text that is kept with the operation and handed over with its result.
    ///
    /// # Errors
    /// As [`Worker::start`].
    ///
    /// # Cancel safety
    /// As [`Worker::start`].
    pub async fn start_with_context<R: Unpack, M: Unpack>(
        &self,
        call: Call<Poller<R, M>>,
        context: impl Into<String>,
    ) -> Result<Poller<R, M>, Error> {
        start::start(&self.0.engine.store, call, Some(context.into())).await
    }

    /// Compares what runs at the service with what is registered.
    ///
    /// # Errors
    /// [`Error::Api`] if a call failed, [`Error::Store`]; what was adopted before stays so.
    ///
    /// # Cancel safety
    /// As after an error.
    pub async fn reconcile(&self, of: &Reconciliation) -> Result<Reconciled, Error> {
        reconcile::reconcile(&self.0.engine.store, &self.0.engine.operations, of).await
    }

    /// What the store has.
    ///
    /// # Errors
    /// The store's.
    pub async fn statistics(&self) -> Result<Statistics, StoreError> {
        self.0.engine.store.statistics().await
    }

    /// What this process has done, and what the store has, in Prometheus' text format 0.0.4.
    pub async fn metrics(&self) -> String {
        let statistics = self.statistics().await.ok();
        self.0.engine.metrics.render(statistics.as_ref())
    }

    /// Answers `GET /metrics` and `GET /healthz` (HTTP/1.1) until the future is dropped. Health is whether the store can
    /// be asked. Whoever reaches the port can read both; there are no passwords.
    pub async fn serve_metrics(&self, listener: TcpListener) {
        listen::serve(listener, self.clone()).await;
    }

    /// Follows, and hands over, until `stopped` is ready; what is in hand then is settled first. A store or a service that
    /// fails does not end it: it goes on when they are back.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no handler; [`Error::Store`] if another process runs a worker on the file.
    ///
    /// # Cancel safety
    /// Dropping the future is as a crash at this moment: nothing is lost.
    pub async fn run(&self, stopped: impl Future<Output = ()>) -> Result<(), Error> {
        if let Some(defect) = &self.0.defect {
            return Err(Error::Config(defect.clone()));
        }
        let _enlisted = self.0.engine.store.enlist().await?;
        let (closing, closed) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for _ in 0..SWEEPERS {
            tasks.spawn(loops::sweep(self.clone(), closed.clone()));
        }
        for lane in 0..LANES {
            tasks.spawn(loops::hand_over(self.clone(), lane, closed.clone()));
        }
        tasks.spawn(loops::recover(self.clone(), closed.clone()));
        tasks.spawn(loops::forget(self.clone(), closed));
        tracing::info!(store = self.0.engine.store.kind(), "the worker runs");
        tokio::select! {
            () = stopped => {}
            // None ends before it is told to, but by a defect: better dead, which loses nothing, than half alive.
            ended = tasks.join_next() => pass_on(ended),
        }
        // Each ends by itself: sweeps at once, hand-overs when what is in hand is settled.
        let _ = closing.send(true);
        while let Some(ended) = tasks.join_next().await {
            pass_on(Some(ended));
        }
        Ok(())
    }
}

/// A panic of a task goes on in whoever runs the worker.
fn pass_on(ended: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

impl<S: Store, H: HandOver<S>> Answers for Worker<S, H> {
    async fn metrics(&self) -> String {
        Self::metrics(self).await
    }

    async fn health(&self) -> Result<(), String> {
        self.0.engine.store.backlog(1).await.map(|_| ()).map_err(|error| error.to_string())
    }
}

impl<S, H> Clone for Worker<S, H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: fmt::Debug, H> fmt::Debug for Worker<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("store", &self.0.engine.store).finish_non_exhaustive()
    }
}
