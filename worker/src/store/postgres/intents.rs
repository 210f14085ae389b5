//! What is about to be started.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::pool::Pool;
use super::register;
use crate::error::StoreError;
use crate::row::{Intent, OpenIntent, Registration};

pub(super) async fn write(pool: &Arc<Pool>, intent: Intent, within: Duration) -> Result<(), StoreError> {
    let connection = pool.get().await?;
    let Intent { id, parent, method, request_type, request, response, metadata, context } = intent;
    let sql = "insert into cci_intent
               (id, parent, method, request_type, request, response, metadata, context, due)
               values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 second')";
    let seconds = within.as_secs_f64().min(1e9);
    connection
        .execute_typed(
            sql,
            &[
                (&id, Type::TEXT),
                (&parent, Type::TEXT),
                (&method, Type::TEXT),
                (&request_type, Type::TEXT),
                (&request, Type::BYTEA),
                (&response, Type::TEXT),
                (&metadata, Type::TEXT),
                (&context, Type::TEXT),
                (&seconds, Type::FLOAT8),
            ],
        )
        .await
        .map_err(StoreError::failed)?;
    connection.keep();
    Ok(())
}

/// The intent goes, and the operation is registered, together; if `only_ours`, then only where the intent was there.
pub(super) async fn settle(
    pool: &Arc<Pool>,
    id: &str,
    started: Option<Registration>,
    only_ours: bool,
) -> Result<bool, StoreError> {
    let connection = pool.get().await?;
    connection.begin(None).await?;
    let sql = "delete from cci_intent where id = $1";
    let gone = connection.execute_typed(sql, &[(&id, Type::TEXT)]).await.map_err(StoreError::failed)?;
    let is_ours = gone > 0;
    if is_ours || !only_ours {
        register::within(&connection, started.into_iter().collect()).await?;
    }
    connection.commit().await?;
    Ok(is_ours)
}

pub(super) async fn open(pool: &Arc<Pool>) -> Result<Vec<OpenIntent>, StoreError> {
    let connection = pool.get().await?;
    let sql = "select id, parent, method, request_type, request, response, metadata, context,
                 (extract(epoch from written) * 1000000)::bigint, looks
               from cci_intent where due <= now() order by written limit 100";
    let rows = connection.query_typed(sql, &[]).await.map_err(StoreError::failed)?;
    connection.keep();
    rows.iter().map(intent).collect::<Result<_, _>>().map_err(StoreError::failed)
}

fn intent(row: &Row) -> Result<OpenIntent, tokio_postgres::Error> {
    let looks: i32 = row.try_get(9)?;
    let intent = Intent {
        id: row.try_get(0)?,
        parent: row.try_get(1)?,
        method: row.try_get(2)?,
        request_type: row.try_get(3)?,
        request: row.try_get(4)?,
        response: row.try_get(5)?,
        metadata: row.try_get(6)?,
        context: row.try_get(7)?,
    };
    Ok(OpenIntent { intent, written: row.try_get(8)?, looks: u32::try_from(looks).unwrap_or_default() })
}

pub(super) async fn note(
    pool: &Arc<Pool>,
    id: &str,
    next: Result<Duration, String>,
) -> Result<(), StoreError> {
    let connection = pool.get().await?;
    let seconds = next.as_ref().ok().map(|wait| wait.as_secs_f64().min(1e9));
    let reason = next.err();
    let sql = "update cci_intent set looks = looks + 1, reason = $2, due = now() + $3 * interval '1 second'
               where id = $1 and due is not null";
    let parameters = [(&id as _, Type::TEXT), (&reason as _, Type::TEXT), (&seconds as _, Type::FLOAT8)];
    connection.execute_typed(sql, &parameters).await.map_err(StoreError::failed)?;
    connection.keep();
    Ok(())
}
