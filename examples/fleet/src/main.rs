//! `fleet serve PORT` takes orders, `fleet work` follows them; any number of each, on any number of machines.

use std::process::ExitCode;

use contact_center_insights::Client;
use contact_center_insights_worker::store::postgres::InTransaction;
use contact_center_insights_worker::{BoxError, PostgresStore, Worker};
use fleet_example::{Analyses, service};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().init();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["serve", port] => serve(port).await,
        ["work"] => work().await,
        _ => Err("usage: fleet serve PORT | fleet work".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The host and the password come from PGHOST, PGPASSWORD and so on.
async fn store() -> Result<PostgresStore, BoxError> {
    Ok(PostgresStore::connect("postgres://").await?)
}

async fn serve(port: &str) -> Result<(), BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    axum::serve(listener, service(Client::builder().build()?, store().await?)).await?;
    Ok(())
}

async fn work() -> Result<(), BoxError> {
    let worker =
        Worker::builder(store().await?, &Client::builder().build()?).build_with(InTransaction::new(Analyses));
    let metrics = TcpListener::bind("127.0.0.1:0").await?;
    println!("metrics: http://{}/metrics", metrics.local_addr()?);
    tokio::select! {
        done = worker.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }) => Ok(done?),
        () = worker.serve_metrics(metrics) => Ok(()),
    }
}
