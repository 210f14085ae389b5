//! `cci worker run`: follows, and hands over, until it is told to stop.

use contact_center_insights::call::Budget;
use contact_center_insights_worker::{Delivery, Store, Worker, WorkerBuilder};
use serde_json::json;
use tokio::net::TcpListener;

use super::of_worker;
use super::sinks::{Exec, Webhook, print_line};
use crate::args::WorkerRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::terminal::eprint_line;

pub(super) async fn run<S: Store>(store: S, args: WorkerRun) -> Result<(), Failure> {
    let session = Session::open_anywhere(args.connection.clone())?;
    let builder = options(Worker::builder(store, session.client()), &args);
    let builder = if let Some(url) = &args.webhook {
        let webhook = Webhook::new(url)?;
        builder.on(move |delivery: Delivery| {
            let webhook = webhook.clone();
            async move { webhook.post(&delivery).await }
        })
    } else if args.print {
        builder.on(|delivery: Delivery| async move { print_line(&delivery) })
    } else {
        let exec = Exec::new(args.exec);
        builder.on(move |delivery: Delivery| {
            let exec = exec.clone();
            async move { exec.run(&delivery).await }
        })
    };
    let worker = builder.build();
    // What is told on stderr leaves stdout to the results.
    let serving = match args.listen {
        Some(address) => {
            let bound = TcpListener::bind(address).await;
            let listener = bound.map_err(|error| {
                Failure::because(Exit::Usage, format!("cannot listen at {address}"), error)
            })?;
            let address = listener.local_addr().unwrap_or(address);
            eprint_line(json!({ "listening": address.to_string() }));
            Some(listener)
        }
        None => None,
    };
    eprint_line("the worker runs; Ctrl-C or SIGTERM ends it, and what is in hand is settled first");
    let served = async {
        match serving {
            Some(listener) => worker.serve_metrics(listener).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        done = worker.run(stopped()) => done.map_err(|error| of_worker(error, &session)),
        () = served => Ok(()),
    }
}

fn options<S: Store>(builder: WorkerBuilder<S>, args: &WorkerRun) -> WorkerBuilder<S> {
    let builder =
        builder.with_handler_timeout(args.timeout).with_tries(args.tries).with_interval(args.interval);
    match args.quota {
        Some(calls) => builder.with_quota(Budget::per_minute(calls)),
        None => builder,
    }
}

/// Ready at Ctrl-C or SIGTERM.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // If no signal can be heard, the worker runs until it is killed, which loses nothing.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
