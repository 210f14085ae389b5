//! HTTP/2 pings, as the server sees them: while calls are in flight, and else only if the caller asks for it. Servers
//! close connections that ping more (gRPC's `too_many_pings`).

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contact_center_insights::call::RetryPolicy;
use contact_center_insights::transport::TransportBuilder;
use contact_center_insights::{Client, Credentials, Error, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, sleep};

use crate::server::NAME;
use crate::wire;

/// What its connections share.
#[derive(Clone)]
struct Server {
    pings: Arc<AtomicUsize>,
    opened: Arc<AtomicUsize>,
    /// How many pings it bears on one connection.
    patience: usize,
    /// The last stream that it says to have taken up.
    last_stream: u32,
}

impl Server {
    fn new() -> Self {
        let (pings, opened) = Default::default();
        Self { pings, opened, patience: usize::MAX, last_stream: 1 }
    }

    fn pings(&self) -> usize {
        self.pings.load(Ordering::SeqCst)
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// Answers pings and settings, and never a call; at one ping too many it does as gRPC's servers do.
    async fn serve(self, mut stream: DuplexStream) -> io::Result<()> {
        let mut pings = 0;
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
                wire::SETTINGS => {
                    stream.write_all(&wire::frame(wire::SETTINGS, wire::ACK, 0, &[])).await?;
                }
                wire::PING => {
                    self.pings.fetch_add(1, Ordering::SeqCst);
                    pings += 1;
                    if pings > self.patience {
                        const ENHANCE_YOUR_CALM: u32 = 11;
                        let bytes = wire::go_away(self.last_stream, ENHANCE_YOUR_CALM, "too_many_pings");
                        return stream.write_all(&bytes).await;
                    }
                    stream.write_all(&wire::frame(wire::PING, wire::ACK, 0, &payload)).await?;
                }
                _ => {}
            }
        }
    }

    /// A client without retries, nor deadlines to speak of.
    fn client(&self, endpoint: &str, settings: impl FnOnce(TransportBuilder) -> TransportBuilder) -> Client {
        let server = self.clone();
        let builder = Transport::builder(endpoint.parse().unwrap())
            .with_credentials(Credentials::anonymous())
            .with_connector(move || {
                let (ours, theirs) = tokio::io::duplex(1 << 16);
                server.opened.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(server.clone().serve(theirs));
                std::future::ready(Ok::<_, io::Error>(ours))
            });
        let policy = RetryPolicy::never().with_attempt_timeout(Duration::from_hours(1));
        let client = Client::builder().with_transport(settings(builder).build().unwrap()).with_retry(policy);
        client.build().unwrap()
    }
}

const LOCAL: &str = "http://localhost:1";

async fn get(client: Client) -> Result<(), Error> {
    client.get_operation(NAME).await.map(drop)
}

/// Google's front ends are used to a ping a minute; the default of gRPC's servers is one in five.
#[tokio::test(start_paused = true)]
async fn the_host_decides_how_often_pings_are_sent() {
    let google = "http://europe-west1-contactcenterinsights.googleapis.com";
    let elsewhere = "http://contactcenterinsights.example.cloud";
    let own = |builder: TransportBuilder| builder.with_universe_domain("example.cloud");
    let set =
        |builder: TransportBuilder| builder.with_keepalive(Duration::from_secs(30), Duration::from_secs(20));
    let plain = |builder| builder;
    for (endpoint, settings, pings) in [
        (google, &plain as &dyn Fn(TransportBuilder) -> TransportBuilder, 10),
        (LOCAL, &plain, 2),
        (elsewhere, &plain, 2),
        (elsewhere, &own, 10),
        (google, &set, 20),
        (LOCAL, &set, 20),
    ] {
        let server = Server::new();
        let call = tokio::spawn(get(server.client(endpoint, settings)));
        sleep(Duration::from_secs(601)).await;
        assert_eq!(server.pings(), pings, "{endpoint}");
        call.abort();
    }
}

/// What grpc-go and C-core do by default at the third ping too many: the error says that pings were the reason, and the next
/// connections ping half as often.
#[tokio::test(start_paused = true)]
async fn after_too_many_pings_they_are_sent_half_as_often() {
    let server = Server { patience: 3, ..Server::new() };
    let client = server
        .client(LOCAL, |builder| builder.with_keepalive(Duration::from_mins(1), Duration::from_secs(20)));
    for minutes in [1_u64, 2, 4] {
        let started = Instant::now();
        let error = get(client.clone()).await.unwrap_err();
        assert_eq!(started.elapsed().as_secs() / 60, 4 * minutes, "four pings");
        assert!(error.is_transient() && error.may_have_been_applied(), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("the server closed the connection because of too many pings"), "{text}");
        let source = error.source().unwrap().to_string();
        let (this, next) = (60 * minutes, 120 * minutes);
        assert!(
            source.contains(&format!("every {this}s")) && source.contains(&format!("every {next}s")),
            "{source}"
        );
        assert!(source.contains("with_keepalive"), "{source}");
    }
    assert_eq!((server.opened(), server.pings()), (3, 12));
}

/// A request that the server says to have left out is sent over the next connection, whatever it is.
#[tokio::test(start_paused = true)]
async fn what_too_many_pings_left_out_is_sent_elsewhere() {
    let server = Server { patience: 3, last_stream: 0, ..Server::new() };
    let client = server
        .client(LOCAL, |builder| builder.with_keepalive(Duration::from_mins(1), Duration::from_secs(20)));
    let call = tokio::spawn(get(client));
    sleep(Duration::from_mins(11)).await;
    // Four in four minutes, then one each two.
    assert_eq!((server.opened(), server.pings()), (2, 7));
    assert!(!call.is_finished());
    let error = call.await.unwrap().unwrap_err();
    assert!(!error.may_have_been_applied() && error.is_transient(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn pings_are_sent_while_a_call_is_in_flight_and_not_after() {
    let server = Server::new();
    let client = server.client(LOCAL, |builder| builder);
    let call = tokio::spawn(get(client.clone()));
    sleep(Duration::from_secs(1501)).await;
    assert_eq!(server.pings(), 5, "one each five minutes");
    call.abort();
    sleep(Duration::from_mins(5)).await;
    let seen = server.pings();
    sleep(Duration::from_hours(1)).await;
    assert_eq!(server.pings(), seen, "nothing is in flight");
}

#[tokio::test(start_paused = true)]
async fn pings_while_idle_are_the_callers_choice() {
    let interval = Duration::from_secs(10);
    let server = Server::new();
    let client = server.client(LOCAL, |builder| {
        builder.with_keepalive(interval, Duration::from_secs(5)).with_keepalive_while_idle(true)
    });
    let call = tokio::spawn(async move {
        let _ = tokio::time::timeout(Duration::from_secs(1), client.get_operation(NAME)).await;
        // Held: a client that is dropped closes its connections.
        sleep(Duration::from_secs(100)).await;
    });
    call.await.unwrap();
    assert_eq!(server.pings(), 10);
}
