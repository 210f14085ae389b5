//! What is about to be started.

use std::time::Duration;

use rusqlite::{Transaction, params};

use crate::row::{Intent, OpenIntent};
use crate::time::{Micros, span};

pub(super) fn write(
    transaction: &Transaction<'_>,
    intent: &Intent,
    within: Duration,
    now: Micros,
) -> rusqlite::Result<()> {
    let Intent { id, parent, method, request_type, request, response, metadata, context } = intent;
    let due = now.saturating_add(span(within));
    transaction.execute(
        "insert into cci_intent
         (id, parent, method, request_type, request, response, metadata, context, written, due)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![id, parent, method, request_type, request, response, metadata, context, now, due],
    )?;
    Ok(())
}

pub(super) fn drop_one(transaction: &Transaction<'_>, id: &str) -> rusqlite::Result<usize> {
    transaction.execute("delete from cci_intent where id = ?1", [id])
}

pub(super) fn open(transaction: &Transaction<'_>, now: Micros) -> rusqlite::Result<Vec<OpenIntent>> {
    let sql = "select id, parent, method, request_type, request, response, metadata, context, written, looks
               from cci_intent where due <= ?1 order by written limit 100";
    let mut statement = transaction.prepare_cached(sql)?;
    let rows = statement.query_map([now], |row| {
        let intent = Intent {
            id: row.get(0)?,
            parent: row.get(1)?,
            method: row.get(2)?,
            request_type: row.get(3)?,
            request: row.get(4)?,
            response: row.get(5)?,
            metadata: row.get(6)?,
            context: row.get(7)?,
        };
        Ok(OpenIntent { intent, written: row.get(8)?, looks: row.get(9)? })
    })?;
    rows.collect()
}

pub(super) fn note(
    transaction: &Transaction<'_>,
    id: &str,
    next: Result<Duration, String>,
    now: Micros,
) -> rusqlite::Result<()> {
    let (due, reason) = match next {
        Ok(wait) => (Some(now.saturating_add(span(wait))), None),
        Err(reason) => (None, Some(reason)),
    };
    let sql =
        "update cci_intent set due = ?2, reason = ?3, looks = looks + 1 where id = ?1 and due is not null";
    transaction.execute(sql, params![id, due, reason])?;
    Ok(())
}
