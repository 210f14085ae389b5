//! A process that runs a worker until it is killed.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::time::Duration;

use contact_center_insights_worker::store::postgres::{InTransaction, TxHandler};
use contact_center_insights_worker::tokio_postgres::Transaction;
use contact_center_insights_worker::{
    BoxError, Delivery, HandOver, PostgresStore, SqliteStore, Store, Worker, WorkerBuilder,
};

use crate::crashing::{Crashing, Fuse, Inside};
use crate::support::api;

/// What a child is told on its command line.
pub(crate) struct Orders {
    pub(crate) store: String,
    pub(crate) endpoint: String,
    /// `file:PATH` writes the name of each result to a file, `transaction` to the table `mine`.
    pub(crate) handler: String,
    pub(crate) edge: String,
    pub(crate) pass: i64,
    pub(crate) deadline: Duration,
    /// Calls a minute of the project; 0 for no limit.
    pub(crate) quota: u32,
}

impl Orders {
    pub(crate) fn arguments(&self) -> [String; 8] {
        [
            "child".into(),
            self.store.clone(),
            self.endpoint.clone(),
            self.handler.clone(),
            self.edge.clone(),
            self.pass.to_string(),
            self.deadline.as_millis().to_string(),
            self.quota.to_string(),
        ]
    }

    fn parse(arguments: &[String]) -> Self {
        Self {
            store: arguments[0].clone(),
            endpoint: arguments[1].clone(),
            handler: arguments[2].clone(),
            edge: arguments[3].clone(),
            pass: arguments[4].parse().unwrap(),
            deadline: Duration::from_millis(arguments[5].parse().unwrap()),
            quota: arguments[6].parse().unwrap(),
        }
    }
}

pub(crate) fn run(arguments: &[String]) {
    let orders = Orders::parse(arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // A database that is down at this moment is not the end.
        loop {
            let done = work(&orders).await;
            if let Err(error) = done {
                eprintln!("child: {error}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
}

async fn work(orders: &Orders) -> Result<(), BoxError> {
    let fuse = Fuse::new(&orders.edge, orders.pass);
    if let Some(path) = orders.store.strip_prefix("sqlite:") {
        let store = SqliteStore::open(path).await?;
        return plain(orders, store, fuse).await;
    }
    let store = PostgresStore::connect_with(&orders.store, |_| None).await?;
    if orders.handler == "transaction" {
        let builder = builder(orders, Crashing(store, fuse.clone()));
        let worker = builder.build_with(Inside(InTransaction::new(Writes(fuse.clone())), fuse));
        return forever(&worker).await;
    }
    plain(orders, store, fuse).await
}

fn builder<S: Store>(orders: &Orders, store: S) -> WorkerBuilder<S> {
    let builder = Worker::builder(store, &api::client(&orders.endpoint))
        .with_deadline(orders.deadline)
        .with_handler_timeout(orders.deadline)
        .with_interval(Duration::from_millis(if orders.quota == 0 { 500 } else { 3_000 }))
        .with_waits(Duration::from_millis(50), Duration::from_secs(1))
        .with_tries(1_000_000);
    if orders.quota == 0 {
        builder
    } else {
        builder.with_quota(contact_center_insights::call::Budget::per_minute(orders.quota))
    }
}

async fn plain<S: Store>(orders: &Orders, store: S, fuse: Fuse) -> Result<(), BoxError> {
    let path = orders.handler.strip_prefix("file:").unwrap();
    let path = format!("{path}.{}", std::process::id());
    let file = std::sync::Arc::new(OpenOptions::new().create(true).append(true).open(path)?);
    let worker = builder(orders, Crashing(store, fuse))
        .on(move |delivery: Delivery| {
            let file = file.clone();
            async move { note(&file, &delivery) }
        })
        .build();
    forever(&worker).await
}

async fn forever<S: Store, H: HandOver<S>>(worker: &Worker<S, H>) -> Result<(), BoxError> {
    Ok(worker.run(std::future::pending()).await?)
}

/// One line by one write: a kill leaves it whole or not there.
fn note(mut file: &File, delivery: &Delivery) -> Result<(), BoxError> {
    check(delivery);
    file.write_all(format!("{}\n", delivery.key).as_bytes())?;
    Ok(())
}

/// The result is that of the operation.
fn check(delivery: &Delivery) {
    if delivery.lost.is_some() || delivery.operation.as_ref().is_none_or(|operation| !operation.is_done()) {
        eprintln!("child: not the end of {}: {:?}", delivery.key, delivery.lost);
        std::process::exit(70);
    }
}

struct Writes(Fuse);

impl TxHandler for Writes {
    async fn handle(&self, delivery: Delivery, transaction: &Transaction<'_>) -> Result<(), BoxError> {
        check(&delivery);
        self.0.pass("outcomes-taken");
        transaction.execute("insert into mine (name) values ($1)", &[&delivery.key.as_str()]).await?;
        self.0.pass("before-settle");
        Ok(())
    }
}
