//! Results: handing them over, burying them, forgetting them.

use std::sync::Arc;
use std::time::Duration;

use contact_center_insights::Handle;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::limited;
use super::pool::{Connection, Pool};
use crate::error::StoreError;
use crate::row::{Outcome, Settlement};
use crate::store::TakenOutcomes;

/// Of results that are in hand together, no more than this many bytes; one alone may have more.
const IN_HAND: i64 = 64 << 20;

/// How many are forgotten at a time, so that others do not wait for long.
const AT_ONCE: i64 = 5_000;

/// Results that this process has locked.
pub struct PostgresOutcomes {
    connection: Connection,
    outcomes: Vec<Outcome>,
}

impl std::fmt::Debug for PostgresOutcomes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresOutcomes").field("outcomes", &self.outcomes.len()).finish_non_exhaustive()
    }
}

pub(super) async fn take(
    pool: &Arc<Pool>,
    most: usize,
    deadline: Duration,
) -> Result<Option<PostgresOutcomes>, StoreError> {
    let connection = pool.get().await?;
    connection.begin(Some(deadline)).await?;
    let outcomes = lock(&connection, most).await.map_err(StoreError::failed)?;
    if outcomes.is_empty() {
        connection.commit().await?;
        return Ok(None);
    }
    Ok(Some(PostgresOutcomes { connection, outcomes }))
}

/// Locks what is due and is not locked by others, oldest first, for the transaction that `client` is in.
pub(super) async fn lock(client: &Client, most: usize) -> Result<Vec<Outcome>, tokio_postgres::Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let sql = "select id, coalesce(octet_length(operation), 0)::bigint from cci_outcome
               where handed is null and buried is null and due <= now()
               order by due, id limit $1 for update skip locked";
    let rows = client.query_typed(sql, &[(&most, Type::INT8)]).await?;
    let (mut ids, mut bytes) = (Vec::new(), 0_i64);
    for row in rows {
        let (id, size): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        bytes = bytes.saturating_add(size);
        if bytes > IN_HAND && !ids.is_empty() {
            break;
        }
        ids.push(id);
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "select id, name, response, metadata, context, operation, lost, tries,
                 greatest(extract(epoch from now() - found), 0)::float8
               from cci_outcome where id = any ($1) order by due, id";
    let rows = client.query_typed(sql, &[(&ids, Type::INT8_ARRAY)]).await?;
    rows.iter().map(outcome).collect()
}

fn outcome(row: &Row) -> Result<Outcome, tokio_postgres::Error> {
    let tries: i32 = row.try_get(7)?;
    Ok(Outcome {
        id: row.try_get(0)?,
        handle: Handle::new(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?),
        context: row.try_get(4)?,
        operation: row.try_get(5)?,
        lost: row.try_get(6)?,
        tries: u32::try_from(tries).unwrap_or_default(),
        age: Duration::try_from_secs_f64(row.try_get(8)?).unwrap_or_default(),
    })
}

impl TakenOutcomes for PostgresOutcomes {
    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    async fn settle(self, settled: Vec<(i64, Settlement)>) -> Result<(), StoreError> {
        let connection = self.connection;
        limited(async move {
            let handed: Vec<i64> =
                settled.iter().filter(|(_, to)| *to == Settlement::Handed).map(|(id, _)| *id).collect();
            if !handed.is_empty() {
                hand(&connection, &handed).await.map_err(StoreError::failed)?;
            }
            for (id, settlement) in settled {
                fail(&connection, id, &settlement).await.map_err(StoreError::failed)?;
            }
            connection.commit().await
        })
        .await
    }
}

/// These were taken.
pub(super) async fn hand(client: &Client, ids: &[i64]) -> Result<u64, tokio_postgres::Error> {
    let sql =
        "update cci_outcome set handed = clock_timestamp(), operation = null, reason = null, buried = null
               where id = any ($1) and handed is null";
    client.execute_typed(sql, &[(&ids, Type::INT8_ARRAY)]).await
}

/// This one was not; nothing if it was.
pub(super) async fn fail(
    client: &Client,
    id: i64,
    settlement: &Settlement,
) -> Result<(), tokio_postgres::Error> {
    match settlement {
        Settlement::Handed => {}
        Settlement::Failed { reason, wait } => {
            let sql = "update cci_outcome set tries = tries + 1, reason = $2,
                         due = clock_timestamp() + $3 * interval '1 second' where id = $1 and handed is null";
            let wait = wait.as_secs_f64().min(1e9);
            let parameters = [(&id as _, Type::INT8), (reason as _, Type::TEXT), (&wait as _, Type::FLOAT8)];
            client.execute_typed(sql, &parameters).await?;
        }
        Settlement::Buried { reason } => {
            let sql = "update cci_outcome set tries = tries + 1, reason = $2, buried = clock_timestamp()
                       where id = $1 and handed is null";
            client.execute_typed(sql, &[(&id, Type::INT8), (reason, Type::TEXT)]).await?;
        }
    }
    Ok(())
}

pub(super) async fn retry(pool: &Arc<Pool>, names: Option<Vec<String>>) -> Result<u64, StoreError> {
    let connection = pool.get().await?;
    // What is in somebody's hand at this moment is being tried anyway.
    let sql = "update cci_outcome set buried = null, tries = 0, due = clock_timestamp() where id in
               (select id from cci_outcome where handed is null and (buried is not null or tries > 0)
                and ($1::text[] is null or name = any ($1)) for update skip locked)";
    let changed =
        connection.execute_typed(sql, &[(&names, Type::TEXT_ARRAY)]).await.map_err(StoreError::failed)?;
    connection.keep();
    Ok(changed)
}

pub(super) async fn bury(pool: &Arc<Pool>, names: Vec<String>, reason: String) -> Result<u64, StoreError> {
    let connection = pool.get().await?;
    connection.begin(None).await?;
    // What is in somebody's hand at this moment may be taken.
    let sql = "update cci_outcome set buried = clock_timestamp(), reason = $2 where id in
               (select id from cci_outcome where name = any ($1) and handed is null and buried is null
                for update skip locked)";
    let buried = connection
        .execute_typed(sql, &[(&names, Type::TEXT_ARRAY), (&reason, Type::TEXT)])
        .await
        .map_err(StoreError::failed)?;
    let sql = "delete from cci_intent where id = any ($1) and due is null";
    let dropped =
        connection.execute_typed(sql, &[(&names, Type::TEXT_ARRAY)]).await.map_err(StoreError::failed)?;
    connection.commit().await?;
    Ok(buried.saturating_add(dropped))
}

pub(super) async fn purge(pool: &Arc<Pool>, older: Duration) -> Result<u64, StoreError> {
    let connection = pool.get().await?;
    let sql = "delete from cci_outcome where id in
               (select id from cci_outcome where handed is not null
                and handed < now() - $1 * interval '1 second' limit $2)";
    let seconds = older.as_secs_f64().min(1e9);
    let gone = connection
        .execute_typed(sql, &[(&seconds, Type::FLOAT8), (&AT_ONCE, Type::INT8)])
        .await
        .map_err(StoreError::failed)?;
    connection.keep();
    Ok(gone)
}
