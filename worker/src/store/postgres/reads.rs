//! What a database has: counts, lists, names.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::pool::Pool;
use super::register;
use crate::error::StoreError;
use crate::row::{Listed, State, Statistics};

/// Everything by name, with its state.
const ALL: &str = "
select name, 'pending' as state, registered, 0 as tries, null as reason, context from cci_operation
union all
select name, case when handed is not null then 'handed' when buried is not null then 'buried' else 'waiting' end,
  registered, tries, coalesce(reason, lost), context from cci_outcome
union all
select id, case when due is null then 'unsure' else 'starting' end, written, looks, coalesce(reason, method), context
  from cci_intent";

pub(super) async fn list(
    pool: &Arc<Pool>,
    state: Option<State>,
    after: Option<String>,
    most: usize,
) -> Result<Vec<Listed>, StoreError> {
    let connection = pool.get().await?;
    // In the order of bytes, as names are compared everywhere else.
    let sql = format!(
        "select name, state, registered, tries, reason, context from ({ALL}) as a
         where ($1::text is null or state = $1) and name collate \"C\" > $2 order by name collate \"C\" limit $3"
    );
    let (state, after) = (state.map(State::as_str), after.unwrap_or_default());
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let parameters = [(&state as _, Type::TEXT), (&after as _, Type::TEXT), (&most as _, Type::INT8)];
    let rows = connection.query_typed(&sql, &parameters).await.map_err(StoreError::failed)?;
    connection.keep();
    rows.iter().map(listed).collect::<Result<_, _>>().map_err(StoreError::failed)
}

fn listed(row: &Row) -> Result<Listed, tokio_postgres::Error> {
    let (state, tries): (&str, i32) = (row.try_get(1)?, row.try_get(3)?);
    let states =
        [State::Pending, State::Waiting, State::Buried, State::Handed, State::Starting, State::Unsure];
    Ok(Listed {
        name: row.try_get(0)?,
        state: states.into_iter().find(|of| of.as_str() == state).unwrap_or(State::Pending),
        registered: row.try_get::<_, SystemTime>(2)?,
        tries: u32::try_from(tries).unwrap_or_default(),
        reason: row.try_get(4)?,
        context: row.try_get(5)?,
    })
}

pub(super) async fn statistics(pool: &Arc<Pool>) -> Result<Statistics, StoreError> {
    let connection = pool.get().await?;
    let sql = "select
      (select count(*) from cci_operation),
      (select count(*) from cci_sweep),
      (select coalesce(greatest(extract(epoch from now() - min(due)), 0), 0)::float8 from cci_sweep),
      (select count(*) from cci_outcome where handed is null and buried is null),
      (select coalesce(greatest(extract(epoch from now() - min(found)), 0), 0)::float8
         from cci_outcome where handed is null and buried is null),
      (select count(*) from cci_outcome where handed is null and buried is null and tries > 0),
      (select count(*) from cci_outcome where buried is not null and handed is null),
      (select count(*) from cci_outcome where handed is not null),
      (select count(*) from cci_intent where due is not null),
      (select count(*) from cci_intent where due is null)";
    let row = connection.query_typed_one(sql, &[]).await.map_err(StoreError::failed)?;
    connection.keep();
    counted(&row).map_err(StoreError::failed)
}

fn counted(row: &Row) -> Result<Statistics, tokio_postgres::Error> {
    let count =
        |column: usize| row.try_get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or_default());
    let seconds = |column: usize| {
        row.try_get::<_, f64>(column).map(|age| Duration::try_from_secs_f64(age).unwrap_or_default())
    };
    Ok(Statistics {
        pending: count(0)?,
        cohorts: count(1)?,
        oldest_cohort: seconds(2)?,
        waiting: count(3)?,
        oldest_outcome: seconds(4)?,
        failing: count(5)?,
        buried: count(6)?,
        handed: count(7)?,
        starting: count(8)?,
        unsure: count(9)?,
    })
}

pub(super) async fn backlog(pool: &Arc<Pool>, most: u64) -> Result<u64, StoreError> {
    let connection = pool.get().await?;
    let sql = "select count(*) from
               (select 1 from cci_outcome where handed is null and buried is null limit $1) as w";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let row = connection.query_typed_one(sql, &[(&most, Type::INT8)]).await.map_err(StoreError::failed)?;
    connection.keep();
    let count: i64 = row.try_get(0).map_err(StoreError::failed)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

pub(super) async fn known(pool: &Arc<Pool>, names: Vec<String>) -> Result<Vec<String>, StoreError> {
    let connection = pool.get().await?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let known = register::known(&connection, &names).await?;
    connection.keep();
    Ok(known)
}
