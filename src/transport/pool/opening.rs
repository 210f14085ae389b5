//! Opens the connections of a pool, one after the other, in a task of its own, for as long as the queue wants more.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::time::{sleep_until, timeout};

use super::connection::Connection;
use super::pulse::{Pulse, Pulsing};
use super::{Pool, on_event};
use crate::error::{BoxError, ConnectFailure};

/// Connections being opened. However that ends, the pool hears of it: even if the runtime stops meanwhile.
pub(super) struct Opening {
    pool: Pool,
    pulse: Arc<Pulse>,
    is_over: bool,
}

impl Opening {
    pub(super) fn new(pool: Pool, pulse: Arc<Pulse>) -> Self {
        Self { pool, pulse, is_over: false }
    }

    /// Opens connections from now on, without anybody to wait for it. A runtime that has stopped drops it at once.
    pub(super) fn start(self, runtime: &Handle) {
        let pulse = self.pulse.clone();
        runtime.spawn(Pulsing::new(pulse, Box::pin(self.run())));
    }

    async fn run(mut self) {
        while self.pool.opened(self.open().await, &self.pulse) {}
        self.is_over = true;
    }

    async fn open(&self) -> Result<Connection, BoxError> {
        let shared = &self.pool.0;
        if let Some(at) = shared.not_before() {
            sleep_until(at).await;
        }
        let pool = Arc::downgrade(shared);
        let open = async {
            let io = shared.connector.connect().await?;
            let observer = move |event, health: &Arc<_>| on_event(&pool, event, health);
            Connection::open(io, &shared.settings, &shared.interval, observer).await
        };
        let limit = shared.settings.connect_timeout;
        timeout(limit, open).await.unwrap_or_else(|_| {
            let text = format!("the server said not a word of HTTP/2 within {limit:?}");
            Err(ConnectFailure::transient(text).into())
        })
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.pulse.abandon();
        if std::thread::panicking() {
            // To try again at once would panic again.
            let failure = ConnectFailure::transient("the connector of the caller panicked");
            self.pool.failed(failure.into(), &self.pulse);
        } else {
            self.pool.abandoned(&self.pulse);
        }
    }
}
