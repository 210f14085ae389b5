//! The service and two workers, on a PostgreSQL of the test's own, against an emulator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]
#![cfg(unix)]

#[path = "../../../worker/tests/support/cluster.rs"]
#[allow(dead_code, unreachable_pub, reason = "a module of other tests, of which this uses a part")]
mod cluster;

use std::time::Duration;

use cluster::Cluster;
use contact_center_insights::{Client, Credentials};
use contact_center_insights_emulator::Emulator;
use contact_center_insights_worker::store::postgres::InTransaction;
use contact_center_insights_worker::{PostgresStore, Worker};
use fleet_example::{Analyses, TABLE, service};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_gets_one_row() {
    let Some(cluster) = Cluster::start("fsync = off") else { return };
    let url = cluster.database("fleet");
    cluster.sql_in("fleet", TABLE);
    let emulator = Emulator::builder().with_profile("polls:1".parse().unwrap()).start().await.unwrap();
    let client = Client::builder()
        .with_endpoint(emulator.endpoint())
        .with_credentials(Credentials::anonymous())
        .build()
        .unwrap();
    let connect = async || PostgresStore::connect_with(&url, |_| None).await.unwrap();
    for _ in 0..2 {
        let worker = Worker::builder(connect().await, &client)
            .with_interval(Duration::from_millis(50))
            .build_with(InTransaction::new(Analyses));
        tokio::spawn(async move { worker.run(std::future::pending()).await });
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = service(client, connect().await);
    tokio::spawn(async move { axum::serve(listener, service).await });
    // Nothing here is encrypted, but `reqwest` asks for it all the same; another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    for order in 0..10 {
        // One bulk analysis runs at a time in a location.
        let parent = format!("projects/shop-{order}/locations/us-central1");
        let body = json!({ "parent": parent, "filter": "agent_id=\"7\"", "percentage": 100.0 });
        let answer = http.post(format!("http://{address}/orders/{order}")).json(&body).send().await.unwrap();
        let status = answer.status();
        assert_eq!(status, 202, "{}", answer.text().await.unwrap());
    }
    let count = || cluster.sql_in("fleet", "select count(*) from analysis where error is null");
    for _ in 0..600 {
        if count() == "10" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let error = cluster.sql_in("fleet", "select error from analysis where error is not null limit 1");
    assert_eq!((count().as_str(), error.as_str()), ("10", ""));
}
