//! Ways to a server, each with a real one at its end: TLS, client certificates, proxies, connectors, and the headers
//! that say who pays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]
#![allow(unreachable_pub, clippy::indexing_slicing, reason = "modules of a test")]

mod certificates;
mod connectors;
mod identity;
mod proxies;
mod proxy;
mod regions;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod tls;

use std::error::Error as _;
use std::time::Duration;

use contact_center_insights::auth::Token;
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::{Client, ClientBuilder, Credentials, Error};

/// The token that must not be seen where it does not belong.
const TOKEN: &str = "planted-token";

/// A client that tries once, with a token.
fn client(endpoint: &str, set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let builder = Client::builder()
        .with_endpoint(endpoint)
        .with_credentials(Credentials::from_token(Token::new(TOKEN).unwrap()))
        .with_retry(RetryPolicy::default().with_max_attempts(1));
    set(builder).build().unwrap()
}

/// Makes a call that must work.
async fn works(client: &Client) {
    let call = client.get_operation(support::NAME);
    let operation = tokio::time::timeout(Duration::from_secs(30), call).await.expect("no hang");
    assert!(operation.unwrap_or_else(|error| panic!("{}", chain(&error))).is_done());
}

/// Makes a call that must fail before anything is sent, and returns all that is said of it.
async fn fails(client: &Client) -> (Error, String) {
    let call = client.get_operation(support::NAME);
    let result = tokio::time::timeout(Duration::from_secs(30), call).await.expect("no hang");
    let error = result.map(|_| "it worked").unwrap_err();
    assert!(error.is_unreachable() && !error.may_have_been_applied(), "{error:?}");
    let text = chain(&error);
    assert!(!format!("{error:?} {text}").contains("planted"), "{error:?}");
    (error, text)
}

/// An error and all its sources.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}\n{source}");
        next = source.source();
    }
    text
}
