//! What a pool may do.

use std::time::Duration;

use super::ping_interval::INTERVAL_ELSEWHERE;

/// What a pool may do.
#[derive(Clone, Debug)]
pub(crate) struct PoolSettings {
    /// Connections at once.
    pub(crate) max_connections: usize,
    /// Calls at once on one connection, where the server allows more.
    pub(crate) max_streams: usize,
    /// For a connection to open: name, TCP, TLS and the server's first word of HTTP/2.
    pub(crate) connect_timeout: Duration,
    /// Of the first connection; it grows when the server says that it is pinged too often.
    pub(crate) keepalive_interval: Duration,
    pub(crate) keepalive_timeout: Duration,
    pub(crate) keepalive_while_idle: bool,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            max_connections: 8,
            // Google's front ends allow no more, and other servers are as well off.
            max_streams: 100,
            connect_timeout: Duration::from_secs(10),
            keepalive_interval: INTERVAL_ELSEWHERE,
            keepalive_timeout: Duration::from_secs(20),
            keepalive_while_idle: false,
        }
    }
}
