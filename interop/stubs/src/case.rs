//! A case, and what comes of it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use contact_center_insights::error::BoxError;
use contact_center_insights::status::code_name;
use tokio::time::timeout;
use tonic::{Code, Status};

use crate::channel::{Channel, Kind};
use crate::proto::test_service_client::TestServiceClient;

/// No case takes so long, but for the one that waits.
const HANG: Duration = Duration::from_secs(40);

/// A server under test.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) address: String,
    /// A port of the same server whose connections end after a moment, if it has one.
    pub(crate) ending: Option<String>,
}

impl Server {
    /// `NAME=ADDRESS`, or `NAME=ADDRESS,ADDRESS`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, addresses) = text.split_once('=')?;
        let (address, ending) = match addresses.split_once(',') {
            Some((address, ending)) => (address, Some(ending.to_owned())),
            None => (addresses, None),
        };
        Some(Self { name: name.replace('_', " "), address: address.to_owned(), ending })
    }
}

/// What a case has to work with.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) server: Server,
    pub(crate) kind: Kind,
    pub(crate) channel: Channel,
}

impl Given {
    pub(crate) fn stub(&self) -> TestServiceClient<Channel> {
        TestServiceClient::new(self.channel.clone())
    }
}

/// Why a case failed, in words that are the same each time.
#[derive(Debug)]
pub(crate) enum Problem {
    Failed(String),
    NotServed(&'static str),
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

impl From<&str> for Problem {
    fn from(text: &str) -> Self {
        Self::Failed(text.to_owned())
    }
}

/// A call that should have succeeded.
impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        Self::Failed(code_name(status.code()).to_owned())
    }
}

impl From<BoxError> for Problem {
    fn from(error: BoxError) -> Self {
        Self::Failed(error.to_string())
    }
}

pub(crate) type Running = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send>>;

/// One case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Not one of gRPC's.
    pub(crate) is_own: bool,
    pub(crate) run: fn(Given) -> Running,
    pub(crate) limit: Duration,
}

impl Case {
    /// One of gRPC's public list.
    pub(crate) fn of_grpc(name: &'static str, run: fn(Given) -> Running) -> Self {
        Self { name, is_own: false, run, limit: HANG }
    }

    pub(crate) fn own(name: &'static str, run: fn(Given) -> Running) -> Self {
        Self { is_own: true, ..Self::of_grpc(name, run) }
    }

    pub(crate) fn run(&self, server: Server, kind: Kind) -> impl Future<Output = Outcome> + Send + use<> {
        let (run, limit) = (self.run, self.limit);
        async move {
            let channel = match kind.connect(&server.address) {
                Ok(channel) => channel,
                Err(error) => return Outcome::Failed(error.to_string()),
            };
            match timeout(limit, run(Given { server, kind, channel })).await {
                Ok(Ok(())) => Outcome::Passed,
                Ok(Err(Problem::Failed(why))) => Outcome::Failed(why),
                Ok(Err(Problem::NotServed(why))) => Outcome::NotServed(why),
                Err(_) => Outcome::Failed("hangs".to_owned()),
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    /// The server does not do what the case asks for.
    NotServed(&'static str),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passes"),
            Self::Failed(why) => write!(f, "**fails**: {why}"),
            Self::NotServed(why) => write!(f, "– {why}"),
        }
    }
}

/// A call that must end with this code.
pub(crate) fn ends_with<T>(result: Result<T, Status>, code: Code) -> Result<Status, Problem> {
    match result {
        Ok(_) => Err(format!("OK, and not {}", code_name(code)).into()),
        Err(status) if status.code() == code => Ok(status),
        Err(status) => Err(format!("{}, and not {}", code_name(status.code()), code_name(code)).into()),
    }
}

/// `Err` with the text, unless it holds.
pub(crate) fn ensure(holds: bool, text: &'static str) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(text.into()) }
}
