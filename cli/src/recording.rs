//! Recordings of exchanges with the REST API: their form in files, and what the descriptors say of them.

mod contract;
mod exchange;
mod query;

pub(crate) use self::contract::{Contract, Method};
pub(crate) use self::exchange::{Exchange, read_file};
pub(crate) use self::query::Query;
