//! The caller's own way to the server: a Unix socket, a pipe in memory, a tunnel.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::Io;
use crate::error::{BoxError, ConnectFailure};

type Dialing = Pin<Box<dyn Future<Output = Result<Io, BoxError>> + Send>>;

/// Opens byte streams by a function of the caller's.
#[derive(Clone)]
pub(crate) struct Dial(Arc<dyn Fn() -> Dialing + Send + Sync>);

impl Dial {
    pub(crate) fn new<F, Fut, S, E>(dial: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        E: Into<BoxError>,
    {
        Self(Arc::new(move || {
            let stream = dial();
            Box::pin(async move { stream.await.map(|stream| Box::new(stream) as Io).map_err(Into::into) })
        }))
    }

    pub(super) async fn open(&self, place: &str) -> Result<Io, ConnectFailure> {
        (self.0)().await.map_err(|error| {
            ConnectFailure::transient(format!("the connector of the caller found no way to `{place}`"))
                .because(error)
        })
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial")
    }
}
