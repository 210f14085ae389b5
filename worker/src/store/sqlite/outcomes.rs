//! Results: handing them over, burying them, forgetting them.

use contact_center_insights::Handle;
use rusqlite::{Row, Transaction, params};

use super::SqliteStore;
use crate::error::StoreError;
use crate::row::{Outcome, Settlement};
use crate::store::TakenOutcomes;
use crate::time::{Micros, since, span};

/// Of results that are in hand together, no more than this many bytes; one alone may have more.
const IN_HAND: usize = 64 << 20;

/// How many are forgotten at a time, so that others do not wait for long.
const AT_ONCE: usize = 5_000;

/// Results that this process hands over.
#[derive(Debug)]
pub struct SqliteOutcomes {
    pub(super) store: SqliteStore,
    pub(super) outcomes: Vec<Outcome>,
}

impl SqliteStore {
    pub(super) async fn take_due_outcomes(&self, most: usize) -> Result<Option<SqliteOutcomes>, StoreError> {
        let store = self.clone();
        self.read(move |transaction, now| {
            let mut taken = SqliteOutcomes { store: store.clone(), outcomes: Vec::new() };
            taken.outcomes = store.take_within(transaction, most, now)?;
            Ok((!taken.outcomes.is_empty()).then_some(taken))
        })
        .await
    }

    /// What is due and not in hand, which then is in hand.
    pub(super) fn take_within(
        &self,
        transaction: &Transaction<'_>,
        most: usize,
        now: Micros,
    ) -> rusqlite::Result<Vec<Outcome>> {
        let mut held = self.held();
        let sql = "select id, length(operation) from cci_outcome
                   where handed is null and buried is null and due <= ?1 order by due, id limit ?2";
        let mut statement = transaction.prepare_cached(sql)?;
        let limit = most.saturating_add(held.outcomes());
        let rows = statement
            .query_map(params![now, limit], |row| Ok((row.get(0)?, row.get::<_, Option<usize>>(1)?)))?;
        let (mut ids, mut bytes) = (Vec::new(), 0_usize);
        for row in rows {
            let (id, size): (i64, _) = row?;
            bytes = bytes.saturating_add(size.unwrap_or_default());
            if held.has_outcome(id) {
                continue;
            }
            if ids.len() >= most || (bytes > IN_HAND && !ids.is_empty()) {
                break;
            }
            ids.push(id);
        }
        let sql =
            "select id, name, response, metadata, context, operation, lost, tries, found from cci_outcome
                   where id = ?1";
        let mut statement = transaction.prepare_cached(sql)?;
        let read = |id: &i64| statement.query_row([id], |row| outcome(row, now));
        let outcomes = ids.iter().map(read).collect::<rusqlite::Result<Vec<_>>>()?;
        for id in ids {
            held.take_outcome(id);
        }
        Ok(outcomes)
    }
}

fn outcome(row: &Row<'_>, now: Micros) -> rusqlite::Result<Outcome> {
    Ok(Outcome {
        id: row.get(0)?,
        handle: Handle::new(row.get(1)?, row.get(2)?, row.get(3)?),
        context: row.get(4)?,
        operation: row.get(5)?,
        lost: row.get(6)?,
        tries: row.get(7)?,
        age: since(row.get(8)?, now),
    })
}

impl TakenOutcomes for SqliteOutcomes {
    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    async fn settle(self, settled: Vec<(i64, Settlement)>) -> Result<(), StoreError> {
        self.store
            .write(move |transaction, now| {
                settled.iter().try_for_each(|(id, settlement)| settle(transaction, *id, settlement, now))
            })
            .await
    }
}

impl Drop for SqliteOutcomes {
    fn drop(&mut self) {
        let mut held = self.store.held();
        for outcome in &self.outcomes {
            held.free_outcome(outcome.id);
        }
    }
}

pub(super) fn settle(
    transaction: &Transaction<'_>,
    id: i64,
    settlement: &Settlement,
    now: Micros,
) -> rusqlite::Result<()> {
    match settlement {
        Settlement::Handed => {
            let sql = "update cci_outcome set handed = ?2, operation = null, reason = null, buried = null where id = ?1";
            transaction.prepare_cached(sql)?.execute(params![id, now])?;
        }
        Settlement::Failed { reason, wait } => {
            let sql = "update cci_outcome set tries = tries + 1, due = ?2, reason = ?3 where id = ?1 and handed is null";
            let due = now.saturating_add(span(*wait));
            transaction.prepare_cached(sql)?.execute(params![id, due, reason])?;
        }
        Settlement::Buried { reason } => {
            let sql = "update cci_outcome set tries = tries + 1, buried = ?2, reason = ?3 where id = ?1 and handed is null";
            transaction.prepare_cached(sql)?.execute(params![id, now, reason])?;
        }
    }
    Ok(())
}

pub(super) fn retry(
    transaction: &Transaction<'_>,
    names: Option<Vec<String>>,
    now: Micros,
) -> rusqlite::Result<u64> {
    let changed = "update cci_outcome set buried = null, tries = 0, due = ?1
                   where handed is null and (buried is not null or tries > 0)";
    let Some(names) = names else {
        return transaction.execute(changed, [now]).map(count);
    };
    let mut statement = transaction.prepare_cached(&format!("{changed} and name = ?2"))?;
    names.iter().try_fold(0, |sum, name| Ok(sum + statement.execute(params![now, name]).map(count)?))
}

pub(super) fn bury(
    transaction: &Transaction<'_>,
    names: Vec<String>,
    reason: &str,
    now: Micros,
) -> rusqlite::Result<u64> {
    let sql = "update cci_outcome set buried = ?1, reason = ?2
               where name = ?3 and handed is null and buried is null";
    let mut bury = transaction.prepare_cached(sql)?;
    let mut forget = transaction.prepare_cached("delete from cci_intent where id = ?1 and due is null")?;
    names.into_iter().try_fold(0, |sum, name| {
        let changed = bury.execute(params![now, reason, name])? + forget.execute([name])?;
        Ok(sum + count(changed))
    })
}

pub(super) fn purge(transaction: &Transaction<'_>, before: Micros) -> rusqlite::Result<u64> {
    let sql = "delete from cci_outcome where id in
               (select id from cci_outcome where handed is not null and handed < ?1 limit ?2)";
    transaction.execute(sql, params![before, AT_ONCE]).map(count)
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
