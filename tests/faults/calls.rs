//! The four kinds of call that the matrix makes, and what a healthy server answers to each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::lro::{PollPolicy, Poller};
use contact_center_insights::proto::insights::{
    CreateIssueModelMetadata, CreateIssueModelRequest, IssueModel,
};
use contact_center_insights::proto::longrunning::{ListOperationsRequest, ListOperationsResponse};
use contact_center_insights::{Client, Error, Transport};
use prost::Message as _;
use tokio::net::TcpStream;

use crate::server::{Lookup, Server};
use crate::support::{NAME, model, running, succeeded};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Create,
    Poll,
    List,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Read, Self::Create, Self::Poll, Self::List];

    /// Requests of a call that meets no fault.
    pub fn requests(self) -> usize {
        if self == Self::List { 2 } else { 1 }
    }

    /// What a healthy server answers to the request message.
    pub fn reply(self, request: &[u8]) -> Vec<u8> {
        match self {
            Self::Read | Self::Poll => succeeded().encode_to_vec(),
            Self::Create => running("started").encode_to_vec(),
            Self::List => {
                let is_first = ListOperationsRequest::decode(request).unwrap().page_token.is_empty();
                let (note, next) = if is_first { ("one", "two") } else { ("two", "") };
                let page = ListOperationsResponse {
                    operations: vec![running(note)],
                    next_page_token: next.to_owned(),
                    ..Default::default()
                };
                page.encode_to_vec()
            }
        }
    }

    /// Makes the call; an answer is checked.
    pub async fn call(self, client: &Client, patience: Patience) -> Result<(), Error> {
        match self {
            Self::Read => assert!(client.get_operation(NAME).await?.is_done()),
            Self::Create => {
                let request = CreateIssueModelRequest { parent: PARENT.to_owned(), ..Default::default() };
                assert_eq!(client.create_issue_model(request).await?.name(), NAME);
            }
            Self::Poll => {
                let poller: Poller<IssueModel, CreateIssueModelMetadata> = client.poller(NAME)?;
                let policy = PollPolicy::default().with_first_wait(WAIT).with_max_wait(WAIT);
                let mut poller = poller.with_policy(policy);
                // Polls are made one by one, so that their number is known: waiting ends by time.
                let mut failures = 0;
                while !poller.last().is_some_and(contact_center_insights::Operation::is_done) {
                    match poller.poll().await {
                        Ok(_) => failures = 0,
                        Err(error) => {
                            failures += 1;
                            if failures == patience.attempts || !error.is_transient() {
                                return Err(error);
                            }
                        }
                    }
                }
                assert_eq!(poller.until_done().await?, model());
            }
            Self::List => {
                let request = ListOperationsRequest { name: PARENT.to_owned(), ..Default::default() };
                let mut pages = client.list_operations(request).into_pages();
                let mut items = 0;
                while let Some(page) = pages.next_page().await? {
                    items += page.operations.len();
                }
                assert_eq!(items, 2);
            }
        }
        Ok(())
    }
}

const PARENT: &str = "projects/p/locations/us-central1";
/// Between attempts, and between polls.
const WAIT: Duration = Duration::from_millis(10);
/// Larger replies are refused.
pub const MAX_REPLY_SIZE: usize = 4096;

/// How impatient a client is.
#[derive(Clone, Copy)]
pub struct Patience {
    /// Attempts of a call, and polls in a row that may fail.
    pub attempts: u32,
    pub attempt: Duration,
    pub call: Option<Duration>,
    /// For a connection to open.
    pub connect: Duration,
    /// Between HTTP/2 pings, and until one that is not answered ends the connection.
    pub ping: Option<Duration>,
}

/// A client of the server; only looking up its name is ours.
pub fn client(server: &Server, patience: Patience) -> Client {
    let lookup = server.resolver();
    let dial = move || {
        let found = lookup();
        async move {
            match found {
                Lookup::At(address) => TcpStream::connect(address).await,
                Lookup::Nowhere => TcpStream::connect("no-such-host.invalid:80").await,
            }
        }
    };
    let fetches = AtomicUsize::new(0);
    let credentials = Credentials::from_source(move || {
        let number = fetches.fetch_add(1, Ordering::SeqCst);
        async move { Token::new(format!("token-{number}")) }
    });
    let mut transport = Transport::builder("http://localhost".parse().unwrap())
        .with_credentials(credentials)
        .with_connect_timeout(patience.connect)
        .with_connector(dial);
    if let Some(ping) = patience.ping {
        transport = transport.with_keepalive(ping, ping);
    }
    let transport = transport.build().unwrap();
    let policy = RetryPolicy::default()
        .with_max_attempts(patience.attempts)
        .with_attempt_timeout(patience.attempt)
        .with_first_wait(WAIT)
        .with_max_wait(WAIT);
    let builder =
        Client::builder().with_transport(transport).with_retry(policy).with_max_reply_size(MAX_REPLY_SIZE);
    let builder = match patience.call {
        Some(timeout) => builder.with_timeout(timeout),
        None => builder,
    };
    builder.build().unwrap()
}
