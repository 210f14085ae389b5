//! Registering operations: each gets a place in a cohort of its location and day.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::pool::Pool;
use crate::error::StoreError;
use crate::key;
use crate::row::{COHORT, Registration};
use crate::time::day;

/// In a transaction of its own.
pub(super) async fn alone(pool: &Arc<Pool>, registrations: Vec<Registration>) -> Result<usize, StoreError> {
    let connection = pool.get().await?;
    connection.begin(None).await?;
    let news = within(&connection, registrations).await?;
    connection.commit().await?;
    Ok(news)
}

/// In the transaction that `client` is in.
pub(super) async fn within(client: &Client, registrations: Vec<Registration>) -> Result<usize, StoreError> {
    let names: Vec<&str> = registrations.iter().map(Registration::name).collect();
    let mut seen: HashSet<String> = known(client, &names).await?.into_iter().collect();
    let mut groups: BTreeMap<(String, i32), Vec<Registration>> = BTreeMap::new();
    for registration in registrations {
        if seen.insert(registration.name().to_owned()) {
            let place = (key::parent(registration.name()).to_owned(), registration.created.map_or(-1, day));
            groups.entry(place).or_default().push(registration);
        }
    }
    let mut news = 0;
    for ((parent, day), group) in groups {
        for part in group.chunks(COHORT as usize) {
            let count = i32::try_from(part.len()).unwrap_or(i32::MAX);
            let cohort = cohort(client, &parent, day, count).await?;
            news += insert(client, cohort, part).await.map_err(StoreError::failed)?;
        }
    }
    Ok(usize::try_from(news).unwrap_or(usize::MAX))
}

/// Which of these names are there already.
pub(super) async fn known(client: &Client, names: &[&str]) -> Result<Vec<String>, StoreError> {
    // A scalar subquery a name, which goes by the index: for `exists`, and for `= any`, the engine reads whole tables.
    let sql = "select n.name from unnest($1) as n (name) where coalesce(
                 (select true from cci_operation o where o.name = n.name),
                 (select true from cci_outcome o where o.name = n.name))";
    let rows = client.query_typed(sql, &[(&names, Type::TEXT_ARRAY)]).await.map_err(StoreError::failed)?;
    rows.iter().map(|row| row.try_get(0).map_err(StoreError::failed)).collect()
}

/// A cohort with place for `count` more, which is now taken.
///
/// One that another registers into at this moment is passed over, so that nobody waits. The lock of a sweep is on another
/// table: registering never waits for one.
async fn cohort(client: &Client, parent: &str, day: i32, count: i32) -> Result<i64, StoreError> {
    let sql = "update cci_cohort set filled = filled + $3 where id =
                 (select id from cci_cohort where parent = $1 and day = $2 and filled < 10000 and filled + $3 <= 10000
                  order by id limit 1 for update skip locked)
               returning id";
    let place = [(&parent as _, Type::TEXT), (&day as _, Type::INT4), (&count as _, Type::INT4)];
    let found = client.query_typed_opt(sql, &place).await.map_err(StoreError::failed)?;
    let id = |row: &tokio_postgres::Row| row.try_get(0).map_err(StoreError::failed);
    if let Some(row) = found {
        return id(&row);
    }
    let sql = "insert into cci_cohort (parent, day, filled) values ($1, $2, $3) returning id";
    let row = client.query_typed_one(sql, &place).await.map_err(StoreError::failed)?;
    let cohort: i64 = id(&row)?;
    let sql = "insert into cci_sweep (cohort, project) values ($1, $2)";
    let project = key::project(parent);
    client
        .execute_typed(sql, &[(&cohort, Type::INT8), (&project, Type::TEXT)])
        .await
        .map_err(StoreError::failed)?;
    Ok(cohort)
}

async fn insert(
    client: &Client,
    cohort: i64,
    registrations: &[Registration],
) -> Result<u64, tokio_postgres::Error> {
    let names: Vec<&str> = registrations.iter().map(Registration::name).collect();
    let responses: Vec<_> = registrations.iter().map(|of| of.handle.response.as_deref()).collect();
    let metadata: Vec<_> = registrations.iter().map(|of| of.handle.metadata.as_deref()).collect();
    let created: Vec<_> = registrations.iter().map(|of| of.created).collect();
    let contexts: Vec<_> = registrations.iter().map(|of| of.context.as_deref()).collect();
    let sql = "insert into cci_operation (name, cohort, response, metadata, created, context)
               select n.name, $1, n.response, n.metadata,
                 timestamptz 'epoch' + n.created * interval '1 microsecond', n.context
               from unnest($2, $3, $4, $5, $6) as n (name, response, metadata, created, context)
               on conflict (name) do nothing";
    client
        .execute_typed(
            sql,
            &[
                (&cohort, Type::INT8),
                (&names, Type::TEXT_ARRAY),
                (&responses, Type::TEXT_ARRAY),
                (&metadata, Type::TEXT_ARRAY),
                (&created, Type::INT8_ARRAY),
                (&contexts, Type::TEXT_ARRAY),
            ],
        )
        .await
}
