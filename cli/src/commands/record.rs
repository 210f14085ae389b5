//! `cci record`: passes REST calls on to the service, and writes them down.

use serde_json::json;

use crate::args::Record;
use crate::escape::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::record::Recorder;
use crate::terminal::{eprint_line, print};

pub(super) async fn run(args: &Record) -> Result<(), Failure> {
    // Watched from before the first line is printed: who has read it may stop us.
    let end = end()?;
    let recorder = Recorder::open(&args.upstream, args.port, &args.out, args.keep_text).await?;
    let address = recorder.address();
    print(&format!("{}\n", json!({ "ready": true, "address": address.to_string() })))?;
    eprint_line(format_args!(
        "calls to http://{address} go to {} and are written to {}, until Ctrl-C",
        args.upstream,
        args.out.display()
    ));
    let count = recorder.run(end).await;
    let written = counted(usize::try_from(count).unwrap_or(usize::MAX), "exchange is", "exchanges are");
    eprint_line(format_args!("{written} in {}; read it before you pass it on", args.out.display()));
    Ok(())
}

/// Ends with a signal that ends a server well.
#[cfg(unix)]
fn end() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let watch =
        |kind| signal(kind).map_err(|error| Failure::because(Exit::Api, "cannot watch for signals", error));
    let (mut interrupt, mut terminate) = (watch(SignalKind::interrupt())?, watch(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn end() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
