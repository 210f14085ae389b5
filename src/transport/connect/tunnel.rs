//! Through a proxy: HTTP CONNECT or SOCKS 5, and what its refusals mean. What goes through is TLS, unless the caller
//! asked for a proxy before a plaintext server.

use std::task::{Context, Poll};

use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{Request, StatusCode, Uri};
use hyper::client::conn::http1;
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::rt::TokioIo;
use tower::Service;

use super::proxy::{Language, Proxy};
use super::tcp::Tcp;
#[cfg(feature = "tls")]
use super::tls::Secure;
use super::{ConnectSettings, Io, Patience};
use crate::error::{ConnectFailure, Error};

/// A way through a proxy.
pub(super) struct Detour {
    tcp: Tcp,
    pub(super) proxy: Proxy,
    /// With the proxy itself.
    #[cfg(feature = "tls")]
    tls: Option<Secure>,
}

impl Detour {
    #[cfg_attr(
        not(feature = "tls"),
        allow(unused_variables, clippy::unnecessary_wraps, reason = "TLS has settings")
    )]
    pub(super) fn new(tcp: Tcp, proxy: Proxy, settings: &ConnectSettings) -> Result<Self, Error> {
        Ok(Self {
            #[cfg(feature = "tls")]
            tls: match proxy.language {
                Language::Https => Some(Secure::to_proxy(proxy.host(), &proxy.place, &settings.tls)?),
                Language::Http | Language::Socks5 => None,
            },
            tcp,
            proxy,
        })
    }

    /// Opens a way to the place that the patience is for.
    pub(super) async fn open(&self, patience: Patience<'_>) -> Result<Io, ConnectFailure> {
        let opening = async {
            self.tcp.open(&self.proxy.place).await.map_err(|error| {
                let text = format!("the proxy `{}` cannot be reached", self.proxy.place);
                ConnectFailure::transient(text).because(error)
            })
        };
        let stream = patience.within("a TCP connection to the proxy", opening).await?;
        #[cfg(feature = "tls")]
        let stream = match &self.tls {
            Some(tls) => patience.within("the TLS handshake with the proxy", tls.handshake(stream)).await?,
            None => stream,
        };
        patience.within("the answer of the proxy", self.proxy.tunnel(stream, patience.place)).await
    }
}

impl Proxy {
    /// Has the proxy, which `stream` leads to, open a way to `target` (`host:port`).
    async fn tunnel(&self, stream: Io, target: &str) -> Result<Io, ConnectFailure> {
        match self.language {
            Language::Http | Language::Https => self.connect(stream, target).await,
            Language::Socks5 => self.socks(stream, target).await,
        }
    }

    async fn connect(&self, stream: Io, target: &str) -> Result<Io, ConnectFailure> {
        let broken = |error: hyper::Error| {
            let text = format!(
                "the proxy `{}` broke off before it had answered; is it an HTTP proxy, and is its scheme right?",
                self.place
            );
            ConnectFailure::transient(text).because(error)
        };
        let mut request = Request::connect(target).header(HOST, target);
        if let Some(authorization) = self.intercept.basic_auth() {
            request = request.header(PROXY_AUTHORIZATION, authorization);
        }
        let request = request.body(String::new()).map_err(|error| {
            ConnectFailure::permanent(format!("`{target}` cannot be asked for")).because(error)
        })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let exchange = async {
            let reply = sender.send_request(request).await.map_err(broken)?;
            if !reply.status().is_success() {
                return Err(self.refused(target, reply.status()));
            }
            hyper::upgrade::on(reply).await.map_err(broken)
        };
        // The connection hands itself over, and then it is done; in error it is the exchange that says so.
        let driver = async {
            drop(connection.with_upgrades().await);
            Ok(())
        };
        let (tunnel, ()) = tokio::try_join!(exchange, driver)?;
        Ok(Box::new(TokioIo::new(tunnel)))
    }

    fn refused(&self, target: &str, status: StatusCode) -> ConnectFailure {
        let (place, code) = (&self.place, status.as_u16());
        match code {
            407 if self.intercept.basic_auth().is_some() => ConnectFailure::permanent(format!(
                "the proxy `{place}` does not accept the user name and password in its URL (HTTP 407)"
            )),
            407 => ConnectFailure::permanent(format!(
                "the proxy `{place}` asks for a user name and password (HTTP 407); put them into its URL: \
                 http://user:password@{place}"
            )),
            408 | 429 | 500..=599 => ConnectFailure::transient(format!(
                "the proxy `{place}` cannot reach `{target}` (HTTP {status})"
            )),
            _ => ConnectFailure::permanent(format!(
                "the proxy `{place}` refuses to connect to `{target}` (HTTP {status}); allow it there, or name the \
                 host in NO_PROXY if it can be reached without"
            )),
        }
    }

    async fn socks(&self, stream: Io, target: &str) -> Result<Io, ConnectFailure> {
        let bad = |error: http::Error| ConnectFailure::permanent("no address for the proxy").because(error);
        // Names are looked up by the proxy, whether it is called socks5 or socks5h: often it alone can.
        let mut socks = SocksV5::new(self.uri().map_err(bad)?, Once(Some(stream)));
        if let Some((user, password)) = self.intercept.raw_auth() {
            socks = socks.with_auth(user.to_owned(), password.to_owned());
        }
        let target_uri =
            format!("http://{target}/").parse().map_err(|error| bad(http::Error::from(error)))?;
        let tunnel = socks.call(target_uri).await.map_err(|error| {
            let text = format!("the SOCKS proxy `{}` opened no way to `{target}`", self.place);
            // Its error is of a type without a name; what it says stays.
            ConnectFailure::transient(text).because(error.to_string())
        })?;
        Ok(Box::new(tunnel.into_inner()))
    }
}

/// A connector that has its connection already.
struct Once(Option<Io>);

impl Service<Uri> for Once {
    type Response = TokioIo<Io>;
    type Error = &'static str;
    type Future = std::future::Ready<Result<TokioIo<Io>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        std::future::ready(self.0.take().map(TokioIo::new).ok_or("one connection was asked for twice"))
    }
}
