//! Processes that abort at each edge of a start: before and after the intent is written, after the call, after the operation
//! took the intent's place. What was started is followed, what was not is shown, and nothing is started twice.

use std::collections::BTreeMap;
use std::future::Future;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use contact_center_insights::proto::insights::{
    Conversation, UploadConversationMetadata, UploadConversationRequest,
};
use contact_center_insights::proto::longrunning::ListOperationsRequest;
use contact_center_insights_emulator::Emulator;
use contact_center_insights_worker::{
    BoxError, Delivery, Intent, Listed, OpenIntent, PostgresStore, Registration, SqliteStore, State,
    Statistics, Store, StoreError, Worker,
};
use prost::Message as _;
use tokio::time::sleep;

use crate::crashing::Fuse;
use crate::stage::is_full;
use crate::support::api;
use crate::support::cluster::Cluster;
use crate::support::mutants::delegate;

const EDGES: [&str; 5] = ["before-intent", "intent-written", "before-settle", "settled", "none"];

/// A store around which the start of an operation aborts.
#[derive(Clone, Debug)]
struct Starting<S>(S, Fuse);

impl<S: Store> Store for Starting<S> {
    delegate!("starting", intents: own);
    type Outcomes = S::Outcomes;

    async fn write_intent(&self, intent: Intent, within: Duration) -> Result<(), StoreError> {
        self.1.pass("before-intent");
        self.0.write_intent(intent, within).await?;
        self.1.pass("intent-written");
        Ok(())
    }

    async fn settle_intent(&self, id: String, started: Option<Registration>) -> Result<(), StoreError> {
        self.1.pass("before-settle");
        self.0.settle_intent(id, started).await?;
        self.1.pass("settled");
        Ok(())
    }

    async fn take_outcomes(
        &self,
        most: usize,
        deadline: Duration,
    ) -> Result<Option<S::Outcomes>, StoreError> {
        self.0.take_outcomes(most, deadline).await
    }
}

/// A process that starts one operation: the store, the endpoint, the edge, and what makes the request its own.
pub(crate) fn run(arguments: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (url, fuse) = (arguments[0].as_str(), Fuse::new(&arguments[2], 1));
    runtime.block_on(async {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return begin(Starting(SqliteStore::open(path).await.unwrap(), fuse), arguments).await;
        }
        let store = PostgresStore::connect_with(url, |_| None).await.unwrap();
        begin(Starting(store, fuse), arguments).await;
    });
}

async fn begin<S: Store>(store: S, arguments: &[String]) {
    let client = api::client(&arguments[1]);
    let worker = Worker::builder(store, &client).on(|_: Delivery| async { Ok::<_, BoxError>(()) }).build();
    let conversation = Conversation { agent_id: arguments[3].clone(), ..Conversation::default() };
    let request = UploadConversationRequest {
        parent: api::PARENT.into(),
        conversation: Some(conversation),
        ..UploadConversationRequest::default()
    };
    worker.start(client.upload_conversation(request)).await.unwrap();
}

pub(crate) async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("operations.db");
    let clock = Arc::new(AtomicI64::new(0));
    let read = clock.clone();
    let now = move || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_micros()).unwrap() + read.load(Ordering::SeqCst)
    };
    let store = SqliteStore::open_with_clock(&path, now).await.unwrap();
    starts(store, &format!("sqlite:{}", path.display()), || {
        clock.fetch_add(100_000_000, Ordering::SeqCst);
    })
    .await;
}

pub(crate) async fn on_postgres() {
    let Some(cluster) = Cluster::start("") else { return };
    let url = cluster.database("starts");
    let store = PostgresStore::connect_with(&url, |_| None).await.unwrap();
    starts(store, &url, || {
        cluster.sql_in("starts", "update cci_intent set due = due - interval '100 seconds'");
    })
    .await;
}

/// Starts from processes that die, then follows from one that lives; `later` lets the time of all intents come.
async fn starts<S: Store>(store: S, url: &str, later: impl Fn()) {
    let emulator = Emulator::builder().with_profile("immediate".parse().unwrap()).start().await.unwrap();
    let rounds = if is_full() { 18 } else { 2 };
    let (mut aborts, mut told) = (0, BTreeMap::new());
    for number in 0..rounds * EDGES.len() {
        let edge = EDGES[number % EDGES.len()];
        let agent = format!("{edge}-{number}");
        let arguments = ["starter", url, &emulator.endpoint(), edge, &agent];
        let child =
            Command::new(std::env::current_exe().unwrap()).args(arguments).stdin(Stdio::null()).status();
        let has_aborted = child.unwrap().code().is_none();
        assert_eq!(has_aborted, edge != "none", "{agent}");
        aborts += u64::from(has_aborted);
        told.insert(agent, edge);
    }
    follow(&store, &emulator, later).await;

    // What the API has, and by whom.
    let client = api::client(&emulator.endpoint());
    let list =
        client.operations().list(ListOperationsRequest { name: api::PARENT.into(), ..Default::default() });
    let mut started: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for operation in list.into_pages().next_page().await.unwrap().unwrap().operations {
        let metadata = operation.metadata.unwrap();
        let metadata = UploadConversationMetadata::decode(&*metadata.value).unwrap();
        let agent = metadata.request.unwrap().conversation.unwrap().agent_id;
        started.entry(agent).or_default().push(id(&operation.name));
    }
    let handed = names(&store, State::Handed).await;
    let mut unsure = names(&store, State::Unsure).await.len();
    for (agent, edge) in &told {
        let names = started.get(agent).map_or(&[][..], Vec::as_slice);
        let expected = usize::from(!matches!(*edge, "before-intent" | "intent-written"));
        assert_eq!(names.len(), expected, "{agent} started {names:?}");
        assert!(names.iter().all(|name| handed.contains(name)), "{agent} is followed by nobody: {names:?}");
        unsure -= usize::from(*edge == "intent-written");
    }
    let followed = started.len();
    assert_eq!(
        (unsure, handed.len()),
        (0, followed),
        "what never was started is shown as followed, or as unsure"
    );
    println!(
        "chaos starts store={} starts={} aborts={aborts} followed={followed} twice=0 lost=0",
        store.kind(),
        told.len()
    );
}

/// Lives until nothing is being started, runs or waits.
async fn follow<S: Store>(store: &S, emulator: &Emulator, later: impl Fn()) {
    let client = api::client(&emulator.endpoint());
    for _ in 0..200 {
        later();
        let worker = Worker::builder(store.clone(), &client)
            .with_interval(Duration::from_millis(50))
            .with_grace(Duration::ZERO)
            .on(|_: Delivery| async { Ok::<_, BoxError>(()) })
            .build();
        // It looks once, at its start.
        worker.run(sleep(Duration::from_millis(500))).await.unwrap();
        let counts = store.statistics().await.unwrap();
        if (counts.starting, counts.pending, counts.waiting) == (0, 0, 0) {
            return;
        }
    }
    panic!("not drained: {:?}", store.statistics().await.unwrap());
}

async fn names(store: &impl Store, state: State) -> Vec<String> {
    let listed: Vec<Listed> = store.list(Some(state), None, 10_000).await.unwrap();
    listed.iter().map(|of| id(&of.name)).collect()
}

/// The last part: a project is spelled by its id or by its number.
fn id(name: &str) -> String {
    name.rsplit('/').next().unwrap_or_default().to_owned()
}
