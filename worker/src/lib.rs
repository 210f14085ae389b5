//! Follows operations of Contact Center AI Insights durably: what was registered is followed until its result has been
//! handed over, whatever dies in between.
//!
#![doc = include_str!("guide.md")]
//!
//! # For those who change it
//!
//! A module imports only from modules above it in this list:
//!
//! - `time`, `key`, `error_text`: times, names, texts;
//! - `row`, `error`: what a store keeps, and why the worker could not do what it was asked for;
//! - `handover`: what a handler gets, how often, and the trait by which results are handed over;
//! - `store`: the trait, and its two implementations, by SQLite and by PostgreSQL;
//! - `share`: which part of a project's quota this process may use;
//! - `metrics`: what is counted, and how Prometheus reads it;
//! - `engine`: one sweep of one cohort, and what ends in it;
//! - `lanes`: handing over at least once;
//! - `start`: an intent, then the call, then the operation; and what a crash in between leaves;
//! - `reconcile`: what runs and is not registered, and the other way round;
//! - `listen`: metrics and health over HTTP;
//! - `worker`: the options, and the loops that run.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod engine;
mod error;
mod error_text;
mod handover;
mod key;
mod lanes;
mod listen;
mod metrics;
mod reconcile;
mod row;
mod share;
mod start;
pub mod store;
mod time;
mod worker;

pub use error::{BoxError, Error, StoreError};
pub use handover::{Delivery, HandOver, Handler, Limits, Lost, Round};
pub use key::Key;
pub use lanes::AtLeastOnce;
pub use reconcile::{Reconciled, Reconciliation};
pub use row::{
    Cohort, End, Intent, Listed, OpenIntent, Outcome, Pending, Registration, Settlement, State, Statistics,
};
#[cfg(feature = "postgres")]
pub use store::postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use store::sqlite::SqliteStore;
pub use store::{Store, TakenCohort, TakenOutcomes};
pub use worker::{Worker, WorkerBuilder};

#[cfg(feature = "sqlite")]
pub use rusqlite;
#[cfg(feature = "postgres")]
pub use tokio_postgres;
