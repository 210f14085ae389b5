//! One sweep of a cohort is one transaction, from the lock to the commit of what has ended.

use std::sync::Arc;
use std::time::Duration;

use contact_center_insights::Handle;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::limited_for;
use super::pool::{Connection, Pool};
use crate::error::StoreError;
use crate::row::{Cohort, End, Pending};
use crate::store::TakenCohort;

/// A statement has at most this many bytes of results; one result alone may have more.
const AT_ONCE: usize = 16 << 20;

/// A cohort that this process has locked.
pub struct PostgresCohort {
    connection: Connection,
    cohort: Cohort,
    pending: Vec<Pending>,
}

impl std::fmt::Debug for PostgresCohort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresCohort").field("cohort", &self.cohort).finish_non_exhaustive()
    }
}

pub(super) async fn take(pool: &Arc<Pool>, deadline: Duration) -> Result<Option<PostgresCohort>, StoreError> {
    let connection = pool.get().await?;
    connection.begin(Some(deadline)).await?;
    let sql = "select s.cohort, c.parent, (select count(*) from cci_sweep k where k.project = s.project)
               from cci_sweep s join cci_cohort c on c.id = s.cohort
               where s.due <= now() order by s.due limit 1 for update of s skip locked";
    let Some(row) = connection.query_typed_opt(sql, &[]).await.map_err(StoreError::failed)? else {
        connection.commit().await?;
        return Ok(None);
    };
    let cohort = cohort(&row).map_err(StoreError::failed)?;
    // Only now: what the last holder of the lock has committed is seen by statements that begin after it was taken.
    let sql = "select name, response, metadata, (extract(epoch from created) * 1000000)::bigint,
                 greatest(extract(epoch from now() - registered), 0)::float8
               from cci_operation where cohort = $1";
    let rows = connection.query_typed(sql, &[(&cohort.id, Type::INT8)]).await.map_err(StoreError::failed)?;
    let pending = rows.iter().map(pending).collect::<Result<_, _>>().map_err(StoreError::failed)?;
    Ok(Some(PostgresCohort { connection, cohort, pending }))
}

fn cohort(row: &Row) -> Result<Cohort, tokio_postgres::Error> {
    let of_project: i64 = row.try_get(2)?;
    let of_project = u32::try_from(of_project).unwrap_or(u32::MAX);
    Ok(Cohort { id: row.try_get(0)?, parent: row.try_get(1)?, of_project })
}

fn pending(row: &Row) -> Result<Pending, tokio_postgres::Error> {
    let handle = Handle::new(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let age = Duration::try_from_secs_f64(row.try_get(4)?).unwrap_or_default();
    Ok(Pending { handle, created: row.try_get(3)?, age })
}

impl TakenCohort for PostgresCohort {
    fn cohort(&self) -> &Cohort {
        &self.cohort
    }

    fn pending(&self) -> &[Pending] {
        &self.pending
    }

    async fn finish(self, ends: Vec<End>, next: Duration) -> Result<usize, StoreError> {
        let Self { connection, cohort, pending } = self;
        let bytes: usize = ends.iter().filter_map(|end| end.operation.as_ref()).map(Vec::len).sum();
        limited_for(bytes, async move {
            let mut news = 0;
            let mut ends = ends.as_slice();
            while !ends.is_empty() {
                let (part, rest) = ends.split_at(leading(ends));
                news += end(&connection, cohort.id, part).await.map_err(StoreError::failed)?;
                ends = rest;
            }
            if pending.is_empty() {
                close(&connection, cohort.id).await.map_err(StoreError::failed)?;
            }
            let sql = "update cci_sweep set swept = clock_timestamp(),
                         due = clock_timestamp() + $2 * interval '1 second' where cohort = $1";
            let seconds = next.as_secs_f64().min(1e9);
            let parameters = [(&cohort.id as _, Type::INT8), (&seconds as _, Type::FLOAT8)];
            connection.execute_typed(sql, &parameters).await.map_err(StoreError::failed)?;
            connection.commit().await?;
            Ok(usize::try_from(news).unwrap_or(usize::MAX))
        })
        .await
    }
}

/// How many of the first go into one statement.
fn leading(ends: &[End]) -> usize {
    let mut bytes = 0_usize;
    let fits = |end: &&End| {
        bytes = bytes.saturating_add(end.operation.as_ref().map_or(0, Vec::len));
        bytes <= AT_ONCE
    };
    ends.iter().take_while(fits).count().max(1)
}

/// Operations become results. A name that has a result already keeps that one.
async fn end(connection: &Connection, cohort: i64, ends: &[End]) -> Result<u64, tokio_postgres::Error> {
    let names: Vec<_> = ends.iter().map(|end| end.name.as_str()).collect();
    let operations: Vec<_> = ends.iter().map(|end| end.operation.as_deref()).collect();
    let lost: Vec<_> = ends.iter().map(|end| end.lost.as_deref()).collect();
    let sql = "with gone as (
                 delete from cci_operation where cohort = $1 and name = any ($2)
                 returning name, response, metadata, context, registered)
               insert into cci_outcome (name, response, metadata, context, registered, operation, lost)
               select g.name, g.response, g.metadata, g.context, g.registered, e.operation, e.lost
               from gone g join unnest($2, $3, $4) as e (name, operation, lost) on e.name = g.name
               on conflict (name) do nothing";
    let parameters = [
        (&cohort as _, Type::INT8),
        (&names as _, Type::TEXT_ARRAY),
        (&operations as _, Type::BYTEA_ARRAY),
        (&lost as _, Type::TEXT_ARRAY),
    ];
    connection.execute_typed(sql, &parameters).await
}

/// Closes a cohort without operations, in two sweeps.
///
/// The first takes away the place in it. Whoever registered into it before has committed by then, since both change one
/// row; whoever comes later finds no place. So the second sees all that will ever be in it, and drops it if that is
/// nothing.
async fn close(connection: &Connection, cohort: i64) -> Result<(), tokio_postgres::Error> {
    let sql = "update cci_cohort set filled = 10000 where id = $1 and filled < 10000";
    if connection.execute_typed(sql, &[(&cohort, Type::INT8)]).await? > 0 {
        return Ok(());
    }
    let sql = "delete from cci_sweep where cohort = $1
               and not exists (select 1 from cci_operation where cohort = $1)";
    if connection.execute_typed(sql, &[(&cohort, Type::INT8)]).await? > 0 {
        connection.execute_typed("delete from cci_cohort where id = $1", &[(&cohort, Type::INT8)]).await?;
    }
    Ok(())
}
