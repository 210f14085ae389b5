//! Credentials against token servers that speak the documented protocols, well and badly: every backend and kind under
//! every script, compared with `docs/credentials.md`.
//!
//! Sockets are real here, and so is time; nothing depends on it but how long a silent server is waited for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]
#![allow(unreachable_pub, clippy::indexing_slicing, reason = "modules of a test")]

mod child;
#[path = "../support/documented.rs"]
mod documented;
mod expiry;
mod grants;
mod kinds;
mod safety;
mod script;
mod server;
mod single;
#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use kinds::Kind;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use script::Answer;
use server::TokenServer;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// A way to misbehave, in words.
const SCRIPTS: [(&str, Answer); 20] = [
    ("a token", Answer::Good),
    ("a token, after a while", Answer::Slow),
    ("the same token, good for 20 s more", Answer::NearlyOver),
    ("400, `invalid_grant`", Answer::InvalidGrant),
    ("401", Answer::Status(401)),
    ("403", Answer::Status(403)),
    ("404", Answer::Status(404)),
    ("429", Answer::Status(429)),
    ("500", Answer::Status(500)),
    ("503", Answer::Status(503)),
    ("HTML page", Answer::Page),
    ("JSON broken off", Answer::Torn),
    ("an empty token", Answer::Empty),
    ("a token of an unknown type", Answer::Odd),
    ("`expires_in` below zero", Answer::Negative),
    ("`expires_in` zero", Answer::Zero),
    ("`expires_in` 2^64-1", Answer::Endless),
    ("silence", Answer::Hang),
    ("the connection breaks", Answer::Reset),
    ("a redirect to another server", Answer::Redirect(NOWHERE)),
];

/// In the place of the other server, which each case has for itself.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// What one kind of credentials made of one script.
struct Cell {
    error: String,
    alive: usize,
    waited: usize,
    fetches: usize,
    most_in_flight: usize,
}

async fn measure(kind: Kind, answer: Answer, tls: &(TlsAcceptor, PathBuf)) -> Cell {
    let other = TokenServer::start([Answer::Good]).await;
    let scripted = if answer == Answer::Redirect(NOWHERE) { Answer::Redirect(other.address) } else { answer };
    let server = TokenServer::start([scripted]).await;
    let address = server.also_with_tls(tls.0.clone()).await;
    let output = child::run("matrix", kind, &server, (address, &tls.1), &[]).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let place = || format!("{kind:?} {answer:?}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    let line = |word| *child::lines(&text, word).first().unwrap_or_else(|| panic!("no {word}: {}", place()));
    let mut error = line("@error")
        .replace(&address.to_string(), "SERVER")
        .replace(&server.address.to_string(), "SERVER")
        .replace(&format!("localhost:{}", other.address.port()), "OTHER");
    if scripted != answer {
        let is_told = safety::secrets_sent(&other);
        error.push_str(if is_told { "; **OTHER got the secrets**" } else { "; OTHER got no secret" });
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked at"), "a panic reached stderr: {}", place());
    let cell = Cell {
        error,
        alive: line("@alive").parse().unwrap(),
        waited: line("@waited").parse().unwrap(),
        fetches: server.desk.requests.load(SeqCst),
        most_in_flight: server.desk.most_in_flight.load(SeqCst),
    };
    let wrong = server.desk.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "the protocol was broken: {wrong:?}, {}", place());
    assert_eq!(cell.alive, child::CALLS, "dead: {}", place());
    assert!(cell.most_in_flight <= 1, "{} in flight: {}", cell.most_in_flight, place());
    cell
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_of_every_token_server_is_as_documented() {
    let tls = Arc::new(certificate());
    let permits = Arc::new(Semaphore::new(12));
    let mut running = JoinSet::new();
    for (row, (_, answer)) in SCRIPTS.into_iter().enumerate() {
        for (column, kind) in Kind::ALL.into_iter().enumerate() {
            let (tls, permits) = (tls.clone(), permits.clone());
            running.spawn(async move {
                let _permit = permits.acquire().await.unwrap();
                (column, row, measure(kind, answer, &tls).await)
            });
        }
    }
    let mut cells = running.join_all().await;
    cells.sort_by_key(|(column, row, _)| (*column, *row));
    documented::compare("credentials", &print(&cells));
}

fn print(cells: &[(usize, usize, Cell)]) -> String {
    let mut text = String::new();
    for (column, row, cell) in cells {
        if *row == 0 {
            writeln!(text, "\n### {}\n", Kind::ALL[*column].name()).unwrap();
            text.push_str(
                "| the token server answers | what a call says meanwhile | afterwards | twice so, then well | fetches \
                 | most at once |\n|---|---|---|---|---|---|\n",
            );
        }
        let Cell { error, alive, waited, fetches, most_in_flight } = cell;
        let error = error.split_once("gave no token: ").map_or("ok", |(_, reason)| reason);
        let of = child::CALLS;
        let name = SCRIPTS[*row].0;
        writeln!(
            text,
            "| {name} | {error} | {alive} of {of} ok | {waited} of {of} ok | {fetches} | {most_in_flight} |"
        )
        .unwrap();
    }
    text
}

/// TLS for `localhost`, and the file of the authority that speaks for it.
fn certificate() -> (TlsAcceptor, PathBuf) {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key.into())
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), kinds::write_text(&authority.pem()))
}
