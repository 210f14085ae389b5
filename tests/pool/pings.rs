//! HTTP/2 pings, as the server sees them: while calls are in flight, and else only if the caller asks for it. Servers
//! close connections that ping more (gRPC's `too_many_pings`).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contact_center_insights::call::RetryPolicy;
use contact_center_insights::transport::TransportBuilder;
use contact_center_insights::{Client, Credentials, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::sleep;

use crate::server::NAME;
use crate::wire;

/// Answers pings and settings, and never a call.
async fn serve(mut stream: DuplexStream, pings: Arc<AtomicUsize>) -> io::Result<()> {
    stream.read_exact(&mut [0; wire::PREFACE.len()]).await?;
    stream.write_all(&wire::frame(wire::SETTINGS, 0, 0, &[])).await?;
    loop {
        // A length of three bytes and the type: one word.
        let word = stream.read_u32().await?;
        let (flags, _) = (stream.read_u8().await?, stream.read_u32().await?);
        let mut payload = vec![0; (word >> 8) as usize];
        stream.read_exact(&mut payload).await?;
        let [.., kind] = word.to_be_bytes();
        if flags & wire::ACK != 0 {
            continue;
        }
        match kind {
            wire::SETTINGS => stream.write_all(&wire::frame(wire::SETTINGS, wire::ACK, 0, &[])).await?,
            wire::PING => {
                pings.fetch_add(1, Ordering::SeqCst);
                stream.write_all(&wire::frame(wire::PING, wire::ACK, 0, &payload)).await?;
            }
            _ => {}
        }
    }
}

/// A client without deadlines, and the pings that its server has seen.
fn client(settings: impl FnOnce(TransportBuilder) -> TransportBuilder) -> (Client, Arc<AtomicUsize>) {
    let pings = Arc::new(AtomicUsize::new(0));
    let seen = pings.clone();
    let builder = Transport::builder("http://localhost:1".parse().unwrap())
        .with_credentials(Credentials::anonymous())
        .with_connector(move || {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(serve(theirs, seen.clone()));
            std::future::ready(Ok::<_, io::Error>(ours))
        });
    let policy = RetryPolicy::never().with_attempt_timeout(Duration::from_hours(1));
    let client = Client::builder().with_transport(settings(builder).build().unwrap()).with_retry(policy);
    (client.build().unwrap(), pings)
}

#[tokio::test(start_paused = true)]
async fn pings_are_sent_while_a_call_is_in_flight_and_not_after() {
    let (client, pings) = client(|builder| builder);
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.get_operation(NAME).await.map(drop) }
    });
    sleep(Duration::from_secs(301)).await;
    assert_eq!(pings.load(Ordering::SeqCst), 5, "one a minute");
    call.abort();
    sleep(Duration::from_mins(1)).await;
    let seen = pings.load(Ordering::SeqCst);
    sleep(Duration::from_hours(1)).await;
    assert_eq!(pings.load(Ordering::SeqCst), seen, "nothing is in flight");
}

#[tokio::test(start_paused = true)]
async fn pings_while_idle_are_the_callers_choice() {
    let interval = Duration::from_secs(10);
    let (client, pings) = client(|builder| {
        builder.with_keepalive(interval, Duration::from_secs(5)).with_keepalive_while_idle(true)
    });
    let call = tokio::spawn(async move {
        let _ = tokio::time::timeout(Duration::from_secs(1), client.get_operation(NAME)).await;
        // Held: a client that is dropped closes its connections.
        sleep(Duration::from_secs(100)).await;
    });
    call.await.unwrap();
    assert_eq!(pings.load(Ordering::SeqCst), 10);
}
