//! `cci worker`: follows operations durably, by the worker's public API.

mod run;
mod sinks;

use std::env;
use std::path::Path;
use std::time::UNIX_EPOCH;

use contact_center_insights::proto::longrunning::ListOperationsRequest;
use contact_center_insights::{Operation, Payload};
use contact_center_insights_worker::{
    Error, Listed, PostgresStore, Reconciliation, Registration, SqliteStore, State, Statistics, Store,
    StoreError, Worker as Worked,
};
use serde_json::{Value, json};

use crate::args::{StateChoice, Worker, WorkerAdd, WorkerCommand, WorkerList, WorkerReconcile};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::name::{of_parent, operation_in};
use crate::output::Format;
use crate::scope::Scope;
use crate::session::Session;
use crate::terminal::{eprint_line, print};

/// Where operations are kept, if no argument says so.
const STORE: &str = "CCI_WORKER_STORE";

pub(super) async fn run(args: Worker, output: Format) -> Result<(), Failure> {
    let from_argument = args.store.store.is_some();
    let store = args.store.store.or_else(|| env::var(STORE).ok()).filter(|store| !store.is_empty());
    let Some(store) = store else {
        let help = format!("give --store sqlite:FILE or --store postgres://…, or set {STORE}");
        return Err(Failure::new(Exit::Usage, "no store is named").with_help(help));
    };
    if let Some(path) = store.strip_prefix("sqlite:") {
        let opened = SqliteStore::open(Path::new(path)).await.map_err(of_store)?;
        return on(opened, args.command, output).await;
    }
    if !store.starts_with("postgres://") && !store.starts_with("postgresql://") {
        let help = "a store is sqlite:FILE or postgres://USER@HOST/DATABASE";
        return Err(Failure::new(Exit::Usage, "the store is of no kind that is known").with_help(help));
    }
    let authority = store.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    if from_argument && authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
        eprint_line(format_args!(
            "note: every process of this machine can read the password in --store; PGPASSWORD and {STORE} are private"
        ));
    }
    let opened = PostgresStore::connect(&store).await.map_err(of_store)?;
    on(opened, args.command, output).await
}

async fn on<S: Store>(store: S, command: WorkerCommand, output: Format) -> Result<(), Failure> {
    match command {
        WorkerCommand::Run(args) => run::run(store, *args).await,
        WorkerCommand::Add(args) => add(store, args, output).await,
        WorkerCommand::Ls(args) => list(&store, &args, output).await,
        WorkerCommand::Stats => {
            let statistics = store.statistics().await.map_err(of_store)?;
            print(&output.value(&counts(&statistics))?)
        }
        WorkerCommand::Retry(args) => {
            let names = (!args.all).then_some(args.names);
            let count = store.retry(names).await.map_err(of_store)?;
            print(&output.value(&json!({ "retried": count }))?)
        }
        WorkerCommand::Bury(args) => {
            let count = store.bury(args.names, args.reason).await.map_err(of_store)?;
            print(&output.value(&json!({ "buried": count }))?)
        }
        WorkerCommand::Reconcile(args) => reconcile(store, args, output).await,
    }
}

async fn add<S: Store>(store: S, args: WorkerAdd, output: Format) -> Result<(), Failure> {
    let with_context = |registration: Registration| match &args.context {
        Some(context) => registration.with_context(context.as_str()),
        None => registration,
    };
    let scope = args.scope.scope();
    let session = Session::open_anywhere(args.connection)?;
    let client = session.client();
    let worker = Worked::builder(store, client).build();
    let mut added = 0;
    if let Some(parent) = args.parent {
        let parent = of_parent(parent)?;
        let request = ListOperationsRequest {
            name: parent.clone(),
            filter: args.filter,
            page_size: 1_000,
            ..Default::default()
        };
        let mut pages = client.list_operations(request).into_pages();
        while let Some(page) = pages.next_page().await.map_err(session.failure(&parent))? {
            let operations = page.operations.into_iter().map(Operation::<Payload, Payload>::from);
            let registrations = operations.map(|of| with_context(Registration::of_operation(&of)));
            added += worker.register(registrations).await.map_err(|error| of_worker(error, &session))?;
        }
    }
    for name in args.names {
        let name = operation_in(name, &scope)?;
        // Asked about first: a mistyped name is noticed now, and the time of its creation makes sweeps cheaper.
        let operation = client.get_operation(&name).await.map_err(session.failure(&name))?;
        let created = Registration::of_operation(&operation).created();
        let mut registration = with_context(Registration::new(name.as_str()));
        if let Some(created) = created {
            registration = registration.created_at(created);
        }
        added += worker.register([registration]).await.map_err(|error| of_worker(error, &session))?;
    }
    print(&output.value(&json!({ "added": added }))?)
}

async fn list(store: &impl Store, args: &WorkerList, output: Format) -> Result<(), Failure> {
    let state = args.state.map(|state| match state {
        StateChoice::Pending => State::Pending,
        StateChoice::Waiting => State::Waiting,
        StateChoice::Buried => State::Buried,
        StateChoice::Handed => State::Handed,
        StateChoice::Starting => State::Starting,
        StateChoice::Unsure => State::Unsure,
    });
    let listed = store.list(state, None, args.limit).await.map_err(of_store)?;
    if output == Format::Name {
        let names = listed.iter().map(|of| crate::escape::line(&of.name).into_owned() + "\n");
        return print(&names.collect::<String>());
    }
    print(&output.value(&listed.iter().map(row).collect())?)
}

fn row(of: &Listed) -> Value {
    let registered =
        of.registered.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default();
    json!({
        "name": of.name,
        "state": of.state.as_str(),
        "registered": registered,
        "tries": of.tries,
        "reason": of.reason,
        "context": of.context,
    })
}

fn counts(of: &Statistics) -> Value {
    json!({
        "pending": of.pending,
        "cohorts": of.cohorts,
        "oldestCohortSeconds": of.oldest_cohort.as_secs_f64(),
        "waiting": of.waiting,
        "oldestResultSeconds": of.oldest_outcome.as_secs_f64(),
        "failing": of.failing,
        "buried": of.buried,
        "handed": of.handed,
        "starting": of.starting,
        "unsure": of.unsure,
    })
}

async fn reconcile<S: Store>(store: S, args: WorkerReconcile, output: Format) -> Result<(), Failure> {
    let session = Session::open_anywhere(args.connection)?;
    let worker = Worked::builder(store, session.client()).build();
    let of = Reconciliation::of(args.project).adopt(args.adopt);
    let mut locations = args.locations;
    if locations.is_empty() {
        locations.extend(Scope::new(None, None).location()?.map(|found| found.value));
    }
    if locations.is_empty() {
        eprint_line(
            "note: only the locations of the operations in the store are looked at; to name one: --location",
        );
    }
    let of = locations.into_iter().fold(of, Reconciliation::with_location);
    let found = worker.reconcile(&of).await.map_err(|error| of_worker(error, &session))?;
    print(&output.value(&json!({
        "followed": found.followed,
        "unregistered": found.unregistered,
        "adopted": found.adopted,
        "missing": found.missing,
    }))?)
}

/// What went wrong with the store, by whose fault.
fn of_store(error: StoreError) -> Failure {
    let exit = match &error {
        StoreError::Config(_) | StoreError::Locked(_) | StoreError::TooNew(_) => Exit::Usage,
        _ => Exit::Api,
    };
    Failure::new(exit, error)
}

fn of_worker(error: Error, session: &Session) -> Failure {
    match error {
        Error::Store(error) => of_store(error),
        Error::Api(error) => {
            let name = error.operation_name().unwrap_or_default().to_owned();
            session.failure(&name)(error)
        }
        other => Failure::new(Exit::Usage, other),
    }
}
