//! A service that starts bulk analyses, and a handler that writes what comes of them into a table of its own.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use contact_center_insights::proto::insights::BulkAnalyzeConversationsRequest;
use contact_center_insights::{Client, Payload};
use contact_center_insights_worker::store::postgres::TxHandler;
use contact_center_insights_worker::tokio_postgres::Transaction;
use contact_center_insights_worker::{BoxError, Delivery, Error, PostgresStore, Worker};
use serde::Deserialize;
use serde_json::{Value, json};

/// The table that the handler writes: the order, and what came of it.
pub const TABLE: &str = "create table if not exists analysis (
  order_id text primary key,
  operation text not null,
  analyzed int,
  failed int,
  error text
)";

/// What the service works with.
#[derive(Clone, Debug)]
pub struct Service {
    client: Client,
    worker: Worker<PostgresStore>,
}

/// What a caller asks for.
#[derive(Debug, Deserialize)]
struct Order {
    /// The location, `projects/P/locations/L`.
    parent: String,
    /// Which conversations.
    #[serde(default)]
    filter: String,
    /// Of how many of them, in percent.
    percentage: f32,
}

/// `POST /orders/{id}` starts a bulk analysis; `GET /stats` tells what the fleet has to do.
///
/// The service follows nothing itself: workers on the same store do, in other processes.
pub fn service(client: Client, store: PostgresStore) -> Router {
    let worker = Worker::builder(store, &client).build();
    Router::new()
        .route("/orders/{id}", post(start))
        .route("/stats", get(statistics))
        .with_state(Service { client, worker })
}

async fn start(
    State(service): State<Service>,
    Path(id): Path<String>,
    Json(order): Json<Order>,
) -> (StatusCode, Json<Value>) {
    let request = BulkAnalyzeConversationsRequest {
        parent: order.parent,
        filter: order.filter,
        analysis_percentage: order.percentage,
        ..Default::default()
    };
    let call = service.client.bulk_analyze_conversations(request);
    // The order's id comes back with the result, whoever gets it.
    match service.worker.start_with_context(call, id).await {
        Ok(poller) => (StatusCode::ACCEPTED, Json(json!({ "operation": poller.name() }))),
        // It may run, and is looked for: asking once more would start a second one.
        Err(Error::Unsure { intent, .. }) => (StatusCode::ACCEPTED, Json(json!({ "unsure": intent }))),
        Err(error) => (StatusCode::BAD_GATEWAY, Json(json!({ "error": error.to_string() }))),
    }
}

async fn statistics(State(service): State<Service>) -> (StatusCode, Json<Value>) {
    match service.worker.statistics().await {
        Ok(counts) => {
            let counts =
                json!({ "pending": counts.pending, "waiting": counts.waiting, "handed": counts.handed });
            (StatusCode::OK, Json(counts))
        }
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": error.to_string() }))),
    }
}

/// Writes a row for each order that has ended, in the transaction that notes that its result was taken: exactly once.
#[derive(Debug)]
pub struct Analyses;

impl TxHandler for Analyses {
    async fn handle(&self, delivery: Delivery, transaction: &Transaction<'_>) -> Result<(), BoxError> {
        let order = delivery.context.clone().unwrap_or_else(|| delivery.key.to_string());
        let (mut analyzed, mut failed, mut error) = (None, None, None);
        match delivery.result() {
            Ok(Payload::BulkAnalyzeConversationsResponse(response)) => {
                (analyzed, failed) =
                    (Some(response.successful_analysis_count), Some(response.failed_analysis_count));
            }
            Ok(other) => error = Some(format!("another result: {other:?}")),
            Err(reason) => error = Some(reason.to_string()),
        }
        let sql =
            "insert into analysis (order_id, operation, analyzed, failed, error) values ($1, $2, $3, $4, $5)";
        let name = delivery.handle.name.as_str();
        transaction.execute(sql, &[&order, &name, &analyzed, &failed, &error]).await?;
        Ok(())
    }
}
