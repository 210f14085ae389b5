//! No secret is shown: not by `Debug` or `Display` of anything of ours, not in errors and what stands below them, not
//! in spans and events at any level, not in panic messages, not in a URL.

use std::error::Error as _;
use std::time::Duration;

use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::call::RetryPolicy;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::kinds::Kind;
use crate::script::Answer;
use crate::server::TokenServer;
use crate::support::{NAME, Script, answer, running, succeeded};
use crate::{certificate, child, grants};

/// A token that a caller gives, or a header that a call carries.
const OWN_TOKEN: &str = "planted-own-token";

/// What no output may hold: a part of each secret that is its own, and that no encoding changes.
fn secrets() -> Vec<&'static str> {
    let key = grants::KEY.lines().nth(1).unwrap();
    vec![
        "planted-access-token",
        "planted-source-token",
        "planted-client-secret",
        "planted-refresh-token",
        "planted-subject-token",
        "planted-panic",
        OWN_TOKEN,
        &key[..16],
    ]
}

/// Whether a secret came to this server, to which none belongs.
pub fn secrets_sent(server: &TokenServer) -> bool {
    let seen = server.desk.seen.lock().unwrap();
    seen.iter().any(|request| {
        // A signed assertion shows no part of its key.
        request.contains("assertion") || secrets().iter().any(|secret| request.contains(secret))
    })
}

/// In a process of its own, for it listens to every span and event of every crate and thread.
pub async fn child() {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_span_events(FmtSpan::FULL)
        .with_writer(std::io::stdout)
        .init();
    // No server of this test is silent, and a busy machine may take long to print everything.
    let credentials =
        child::credentials().with_patience(Duration::ZERO).with_fetch_timeout(Duration::from_mins(1));
    println!("{credentials:?} {credentials:#?}");
    let script = Script::new([answer(running("a")), answer(succeeded())]);
    let client = script.client_with(credentials);
    for _ in 0..2 {
        let call = client.get_operation(NAME).with_retry(RetryPolicy::never());
        let call = call.with_header(HeaderName::from_static("x-own"), HeaderValue::from_static(OWN_TOKEN));
        println!("{call:?} {call:#?}");
        match call.await {
            Ok(operation) => println!("@ok {operation:?}"),
            Err(error) => {
                println!("{error} {error:?} {error:#?} {}", child::chain(&error));
                let mut next = error.source();
                while let Some(error) = next {
                    println!("{error} {error:?} {error:#?}");
                    next = error.source();
                }
            }
        }
        println!("{client:?} {client:#?} {:?}", client.transport());
        child::tell("good");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let token = Token::new(OWN_TOKEN).unwrap().expires_in(Duration::from_mins(1));
    println!("{token:?} {token:#?}");
    let own = Script::new([answer(succeeded())]);
    let client = own.client_with(Credentials::from_token(token));
    client.get_operation(NAME).await.unwrap();
    println!("{client:#?}");
    let sent = own.seen()[0].headers.clone().into_headers();
    assert!(sent[AUTHORIZATION].to_str().unwrap().ends_with(OWN_TOKEN), "it was planted");
}

/// The crate that a line of output comes from, by the target of its event; none for what is printed.
fn target(line: &str) -> Option<&str> {
    let (_, rest) =
        ["TRACE ", "DEBUG ", "INFO ", "WARN ", "ERROR "].iter().find_map(|level| line.split_once(level))?;
    let mut words = rest.split(' ').filter_map(|word| word.strip_suffix(':'));
    let target = words.rfind(|word| !word.contains(['{', '=', '"']))?;
    Some(target.split("::").next().unwrap_or(target))
}

#[tokio::test]
async fn no_secret_is_shown() {
    let (tls, authority) = certificate();
    let answers = [Answer::Good, Answer::Echo, Answer::Odd, Answer::Torn, Answer::Zero, Answer::Status(403)];
    let mut leaks = Vec::new();
    let mut events = 0;
    let mut cases = tokio::task::JoinSet::new();
    for kind in Kind::ALL {
        for answer in answers {
            let (tls, authority) = (tls.clone(), authority.clone());
            cases.spawn(async move {
                let server = TokenServer::start([answer]).await;
                let address = server.also_with_tls(tls).await;
                let output = child::run("secrets", kind, &server, (address, &authority), &[]).await;
                (kind, answer, server, output)
            });
        }
    }
    while let Some(case) = cases.join_next().await {
        let (kind, answer, server, output) = case.unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && text.contains("@ok"), "{kind:?} {answer:?}: {text}");
        for line in text.lines() {
            events += usize::from(target(line) == Some("contact_center_insights"));
            if secrets().iter().any(|secret| line.contains(secret)) {
                leaks.push((target(line).unwrap_or("printed").to_owned(), line.to_owned()));
            }
        }
        for address in server.desk.addresses.lock().unwrap().iter() {
            assert!(!secrets().iter().any(|secret| address.contains(secret)), "{address}");
        }
    }
    assert!(events > 100, "only {events} events of ours: the test has gone blind");
    leaks.sort();
    leaks.dedup_by(|a, b| a.0 == b.0);
    let targets: Vec<_> = leaks.iter().map(|(target, _)| target.as_str()).collect();
    assert_eq!(targets, [""; 0], "{leaks:#?}");
}
