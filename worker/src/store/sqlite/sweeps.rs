//! Registering operations, and writing down that they have ended.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{OptionalExtension as _, Transaction, params};

use contact_center_insights::Handle;

use super::SqliteStore;
use crate::error::StoreError;
use crate::key;
use crate::row::{COHORT, Cohort, End, Pending, Registration};
use crate::store::TakenCohort;
use crate::time::{Micros, day, since, span};

/// A cohort that this process looks at.
#[derive(Debug)]
pub struct SqliteCohort {
    store: SqliteStore,
    cohort: Cohort,
    pending: Vec<Pending>,
}

impl SqliteStore {
    pub(super) async fn take_due_cohort(&self) -> Result<Option<SqliteCohort>, StoreError> {
        let sql = "select id, parent from cci_cohort";
        let cohorts: Vec<(i64, String)> = self
            .read(move |transaction, _| {
                let mut statement = transaction.prepare_cached(sql)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect()
            })
            .await?;
        let ids: Vec<_> = cohorts.iter().map(|(id, _)| *id).collect();
        let Some(id) = self.held().take_cohort(&ids, self.now()) else { return Ok(None) };
        let parent = cohorts.iter().find(|(of, _)| *of == id).map(|(_, parent)| parent.clone());
        let parent = parent.unwrap_or_default();
        let project = key::project(&parent);
        let siblings = cohorts.iter().filter(|(_, parent)| key::project(parent) == project).count();
        let cohort = Cohort { id, parent, of_project: u32::try_from(siblings).unwrap_or(u32::MAX) };
        // From here on its drop lets the cohort go.
        let mut taken = SqliteCohort { store: self.clone(), cohort, pending: Vec::new() };
        taken.pending = self.read(move |transaction, now| pending(transaction, id, now)).await?;
        Ok(Some(taken))
    }
}

fn pending(transaction: &Transaction<'_>, cohort: i64, now: Micros) -> rusqlite::Result<Vec<Pending>> {
    let sql = "select name, response, metadata, created, registered from cci_operation where cohort = ?1";
    let mut statement = transaction.prepare_cached(sql)?;
    let rows = statement.query_map([cohort], |row| {
        let handle = Handle::new(row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Pending { handle, created: row.get(3)?, age: since(row.get(4)?, now) })
    })?;
    rows.collect()
}

impl TakenCohort for SqliteCohort {
    fn cohort(&self) -> &Cohort {
        &self.cohort
    }

    fn pending(&self) -> &[Pending] {
        &self.pending
    }

    async fn finish(self, ends: Vec<End>, next: Duration) -> Result<usize, StoreError> {
        let (id, is_empty) = (self.cohort.id, self.pending.is_empty());
        let mut news = 0;
        if is_empty || !ends.is_empty() {
            news = self.store.write(move |transaction, now| end(transaction, id, &ends, now)).await?;
        }
        let due = self.store.now().saturating_add(span(next));
        self.store.held().set_due(id, due);
        Ok(news)
    }
}

impl Drop for SqliteCohort {
    fn drop(&mut self) {
        self.store.held().free_cohort(self.cohort.id);
    }
}

/// Operations become results, and a cohort without operations goes.
fn end(transaction: &Transaction<'_>, cohort: i64, ends: &[End], now: Micros) -> rusqlite::Result<usize> {
    let mut news = 0;
    let mut insert = transaction.prepare_cached(
        "insert into cci_outcome (name, response, metadata, context, registered, operation, lost, found, due)
         select name, response, metadata, context, registered, ?3, ?4, ?5, ?5 from cci_operation
         where name = ?1 and cohort = ?2
         on conflict (name) do nothing",
    )?;
    let mut delete =
        transaction.prepare_cached("delete from cci_operation where name = ?1 and cohort = ?2")?;
    for end in ends {
        news += insert.execute(params![end.name, cohort, end.operation, end.lost, now])?;
        delete.execute(params![end.name, cohort])?;
    }
    transaction.execute(
        "delete from cci_cohort where id = ?1 and not exists (select 1 from cci_operation where cohort = ?1)",
        [cohort],
    )?;
    Ok(news)
}

/// How many are new.
pub(super) fn register(
    transaction: &Transaction<'_>,
    registrations: &[Registration],
    now: Micros,
) -> rusqlite::Result<usize> {
    let mut news = 0;
    // By where they belong: the cohort in which there is place, and how much.
    let mut open: HashMap<(&str, i32), (i64, u32)> = HashMap::new();
    let mut is_over =
        transaction.prepare_cached("select exists (select 1 from cci_outcome where name = ?1)")?;
    let mut insert = transaction.prepare_cached(
        "insert into cci_operation (name, cohort, response, metadata, created, context, registered)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict (name) do nothing",
    )?;
    let mut fill = transaction.prepare_cached("update cci_cohort set filled = filled + 1 where id = ?1")?;
    for registration in registrations {
        let Registration { handle, created, context } = registration;
        if is_over.query_row([&handle.name], |row| row.get(0))? {
            continue;
        }
        let place = (key::parent(&handle.name), created.map_or(-1, day));
        let (cohort, left) = match open.get(&place) {
            Some((cohort, left)) if *left > 0 => (*cohort, *left),
            _ => find(transaction, place)?,
        };
        let added = insert.execute(params![
            handle.name,
            cohort,
            handle.response,
            handle.metadata,
            created,
            context,
            now
        ])?;
        if added > 0 {
            fill.execute([cohort])?;
        }
        open.insert(place, (cohort, left.saturating_sub(u32::try_from(added).unwrap_or_default())));
        news += added;
    }
    Ok(news)
}

/// A cohort in which there is place, and for how many.
fn find(transaction: &Transaction<'_>, (parent, day): (&str, i32)) -> rusqlite::Result<(i64, u32)> {
    let sql = "select id, filled from cci_cohort where parent = ?1 and day = ?2 and filled < ?3 order by id limit 1";
    let mut statement = transaction.prepare_cached(sql)?;
    let found: Option<(i64, u32)> =
        statement.query_row(params![parent, day, COHORT], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if let Some((id, filled)) = found {
        return Ok((id, COHORT.saturating_sub(filled)));
    }
    transaction
        .execute("insert into cci_cohort (parent, day, filled) values (?1, ?2, 0)", params![parent, day])?;
    Ok((transaction.last_insert_rowid(), COHORT))
}
