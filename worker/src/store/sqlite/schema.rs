//! The tables of a file, and how an older file gets them. `docs/schema.md` describes them.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

/// The version of the tables that this package writes.
const VERSION: i32 = 1;

const TABLES: &str = "
create table cci_schema (
  version integer not null,
  oldest integer not null
);
insert into cci_schema values (1, 1);
create table cci_cohort (
  id integer primary key autoincrement,
  parent text not null,
  day integer not null,
  filled integer not null
);
create table cci_operation (
  name text primary key,
  cohort integer not null,
  response text,
  metadata text,
  created integer,
  context text,
  registered integer not null
) without rowid;
create index cci_operation_cohort on cci_operation (cohort);
create table cci_outcome (
  id integer primary key autoincrement,
  name text not null unique,
  response text,
  metadata text,
  context text,
  registered integer not null,
  operation blob,
  lost text,
  found integer not null,
  due integer not null,
  tries integer not null default 0,
  reason text,
  buried integer,
  handed integer
);
create index cci_outcome_due on cci_outcome (due, id) where handed is null and buried is null;
create index cci_outcome_handed on cci_outcome (handed) where handed is not null;
create index cci_outcome_buried on cci_outcome (buried) where buried is not null;
create table cci_intent (
  id text primary key,
  parent text not null,
  method text not null,
  request_type text,
  request blob not null,
  response text,
  metadata text,
  context text,
  written integer not null,
  due integer,
  looks integer not null default 0,
  reason text
) without rowid;
";

/// Makes the tables, unless they are there; refuses those of a version that asks for a newer program.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let run = |connection: &mut Connection| {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "select exists (select 1 from sqlite_master where type = 'table' and name = 'cci_schema')";
        if !transaction.query_row(sql, [], |row| row.get::<_, bool>(0))? {
            transaction.execute_batch(TABLES)?;
        }
        let oldest = transaction.query_row("select max(oldest) from cci_schema", [], |row| row.get(0))?;
        transaction.commit()?;
        Ok(oldest)
    };
    let oldest: i32 = run(connection).map_err(|error: rusqlite::Error| StoreError::failed(error))?;
    if oldest > VERSION { Err(StoreError::TooNew(oldest)) } else { Ok(()) }
}
