//! The way to the server, step by step: the name, TCP, the proxy if there is one, TLS, HTTP/2.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use contact_center_insights::{Endpoint, http};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::report::{Check, Report};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::shell::command;
use crate::web::{self, BoxError};

/// For each step.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of a proxy's answer, in bytes.
const MOST_OF_ANSWER: usize = 8 * 1024;
/// The preface of a client of HTTP/2, and its settings, which are none (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const FRAME_HEAD: usize = 9;
const SETTINGS: u8 = 4;

/// Tries the way to `endpoint`, up to the first step that fails.
pub(super) async fn check(endpoint: &Endpoint, report: &mut Report) {
    let Some((host, port)) = place(&endpoint.to_string()) else { return };
    // As the library has it: no proxy for plaintext, nor for this machine.
    let proxy = (!endpoint.is_plaintext() && !endpoint.is_loopback()).then(|| proxy(&host, port)).flatten();
    let (first, first_port) = match &proxy {
        None => (host.clone(), port),
        Some(proxy) => {
            report.add(Check::ok("proxy", shown(proxy)));
            match place(&proxy.uri().to_string()) {
                Some(place) => place,
                None => return,
            }
        }
    };
    let Some(addresses) =
        step(report, "name", lookup(&first, first_port).await, |found: &Vec<SocketAddr>| {
            let addresses: Vec<_> = found.iter().map(|address| address.ip().to_string()).collect();
            format!("{first} is {}", addresses.join(", "))
        })
    else {
        return;
    };
    let connected = connect(&addresses, endpoint, first_port).await;
    let Some(stream) = step(report, "tcp", connected, |stream: &TcpStream| {
        stream.peer_addr().map_or_else(|_| "connected".to_owned(), |peer| format!("connected to {peer}"))
    }) else {
        return;
    };
    let mut stream: Stream = Box::new(stream);
    if let Some(proxy) = &proxy {
        match proxy.uri().scheme_str() {
            Some("http") => {}
            Some("https") => {
                let encrypted = to_proxy(stream, &first).await;
                let Some(encrypted) =
                    step(report, "proxy tls", encrypted, |_| "the proxy's certificate is trusted".to_owned())
                else {
                    return;
                };
                stream = encrypted;
            }
            _ => {
                let greeted = greet(&mut stream).await;
                if step(report, "socks", greeted, |()| "the proxy speaks SOCKS 5".to_owned()).is_some() {
                    report.add(Check::skipped("tunnel", "what is behind it, the call tells"));
                }
                return;
            }
        }
        let tunnel = tunnel(&mut stream, proxy, &host, port).await;
        if step(report, "tunnel", tunnel, |()| format!("the proxy leads to {host}:{port}")).is_none() {
            return;
        }
    }
    if endpoint.is_plaintext() {
        step(report, "http/2", speaks_http2(&mut stream).await, |()| "answered, unencrypted".to_owned());
        return;
    }
    let handshake = handshake(stream, &host, proxy.is_some()).await;
    let Some(mut stream) = step(report, "tls", handshake, |stream| {
        let version = stream.get_ref().1.protocol_version();
        version
            .map_or_else(|| "agreed".to_owned(), |version| format!("{version:?}, the certificate is trusted"))
    }) else {
        return;
    };
    step(report, "http/2", speaks_http2(&mut stream).await, |()| "answered".to_owned());
}

/// A connection, through whatever there is in between.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

type Stream = Box<dyn Duplex>;

/// Adds what came of a step.
fn step<T>(
    report: &mut Report,
    name: &'static str,
    result: Result<T, Failure>,
    describe: impl FnOnce(&T) -> String,
) -> Option<T> {
    match result {
        Ok(value) => {
            report.add(Check::ok(name, describe(&value)));
            Some(value)
        }
        Err(failure) => {
            report.add(Check::failed(name, &failure));
            None
        }
    }
}

/// The host and the port of a URI.
fn place(uri: &str) -> Option<(String, u16)> {
    let uri: http::Uri = uri.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
        Some("https") => 443,
        Some(scheme) if scheme.starts_with("socks") => 1080,
        _ => 80,
    });
    Some((host, port))
}

fn proxy(host: &str, port: u16) -> Option<Intercept> {
    let uri = format!("https://{host}:{port}").parse().ok()?;
    Matcher::from_env().intercept(&uri)
}

/// The proxy without who calls and by what password.
fn shown(proxy: &Intercept) -> String {
    super::without_password(&proxy.uri().to_string())
}

fn unreachable(reason: String, cause: impl Into<BoxError>, help: String) -> Failure {
    Failure::because(Exit::Unreachable, reason, cause).with_help(help)
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {PATIENCE:?}"));
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
}

async fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let found = within(async { Ok(lookup_host((host, port)).await?.collect::<Vec<_>>()) }).await;
    found.map_err(|error| {
        let help =
            format!("check how `{host}` is spelled, and the network: without a name server nothing is found");
        unreachable(format!("`{host}` has no address"), error, help)
    })
}

async fn connect(addresses: &[SocketAddr], endpoint: &Endpoint, port: u16) -> Result<TcpStream, Failure> {
    within(TcpStream::connect(addresses)).await.map_err(|error| {
        let help = if endpoint.is_loopback() {
            let start = command(["emulator", "--port", &port.to_string()]);
            format!("is the emulator running? To start it: {start}")
        } else {
            "a firewall may be in between; where there is a proxy, name it: export HTTPS_PROXY=http://HOST:PORT".to_owned()
        };
        unreachable(format!("nothing answers at port {port}"), error, help)
    })
}

/// TLS with a proxy itself, before it is asked for anything.
async fn to_proxy(stream: Stream, host: &str) -> Result<Stream, Failure> {
    let help = "an https:// proxy speaks TLS itself, with a certificate for its name; one that does not is http://HOST:PORT, and TLS to the service goes through it all the same";
    let failed = |error: BoxError| unreachable("TLS with the proxy fails".to_owned(), error, help.to_owned());
    let connector = web::tls(b"http/1.1")?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.into()))?;
    let encrypted = within(connector.connect(name, stream)).await.map_err(|error| failed(error.into()))?;
    Ok(Box::new(encrypted))
}

/// The first words of SOCKS 5 (RFC 1928, 3): which ways to log in there are. What of them it takes, the call tells.
async fn greet(stream: &mut Stream) -> Result<(), Failure> {
    const VERSION: u8 = 5;
    const NONE_AND_PASSWORD: [u8; 4] = [VERSION, 2, 0, 2];
    let answer = within(async {
        stream.write_all(&NONE_AND_PASSWORD).await?;
        let mut answer = [0; 2];
        stream.read_exact(&mut answer).await.map(|_| answer)
    });
    let wrong = |cause: BoxError| {
        let help = "an HTTP proxy is named by http://HOST:PORT in HTTPS_PROXY".to_owned();
        unreachable("the proxy does not speak SOCKS 5".to_owned(), cause, help)
    };
    match answer.await.map_err(|error| wrong(error.into()))? {
        [VERSION, 0xff] => Err(wrong("it takes neither a password nor callers without one".into())),
        [VERSION, _] => Ok(()),
        _ => Err(wrong("it answers something else".into())),
    }
}

/// Has a proxy lead to the host (RFC 9110, 9.3.6).
async fn tunnel(stream: &mut Stream, proxy: &Intercept, host: &str, port: u16) -> Result<(), Failure> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(who) = proxy.basic_auth().and_then(|value| value.to_str().ok()) {
        request = format!("{request}Proxy-Authorization: {who}\r\n");
    }
    request += "\r\n";
    let answer = within(async {
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < MOST_OF_ANSWER {
            head.push(stream.read_u8().await?);
        }
        Ok(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned())
    });
    let help = format!("ask whoever runs the proxy to let {host}:{port} pass, or name the host in NO_PROXY");
    let answer = answer.await.map_err(|error| {
        unreachable("the proxy closes the connection without an answer".to_owned(), error, help.clone())
    })?;
    let code = answer.split(' ').nth(1).unwrap_or_default();
    if code.starts_with('2') && answer.starts_with("HTTP/1.") {
        return Ok(());
    }
    let help = if code == "407" {
        "put its user and password into the variable: http://USER:PASSWORD@HOST:PORT".to_owned()
    } else {
        help
    };
    Err(unreachable("the proxy does not lead there".to_owned(), format!("it answers `{answer}`"), help))
}

async fn handshake(
    stream: Stream,
    host: &str,
    has_proxy: bool,
) -> Result<tokio_rustls::client::TlsStream<Stream>, Failure> {
    let connector = web::tls(b"h2")?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| unreachable(format!("`{host}` cannot be in a certificate"), error, String::new()))?;
    within(connector.connect(name, stream)).await.map_err(|error| {
        // The error of TLS is within that of the socket, and not below it.
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let advice = tls.and_then(|tls| hints::on_tls(tls));
        let (reason, help) = match (&tls, has_proxy) {
            (Some(_), true) => ("the proxy, or the server behind it, is not trusted", "a proxy that opens TLS shows a certificate of its own"),
            (Some(_), false) => ("TLS fails", "check the endpoint, and this machine's clock"),
            (None, true) => ("TLS is cut short behind the proxy", "the proxy, or a firewall, does not let TLS to this host pass: ask whoever runs it, or name the host in NO_PROXY"),
            (None, false) => ("TLS is cut short", "a firewall may cut it, or the port does not speak TLS: an emulator without --tls is reached by http://"),
        };
        let help = advice.map_or_else(|| help.to_owned(), |advice| format!("{help}\n{advice}"));
        unreachable(reason.to_owned(), error, help)
    })
}

/// Whether the other side begins HTTP/2 as a server does, by its settings.
async fn speaks_http2(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), Failure> {
    let mut head = [0; FRAME_HEAD];
    let read = within(async {
        stream.write_all(PREFACE).await?;
        stream.flush().await?;
        stream.read_exact(&mut head).await.map(drop)
    });
    let help =
        "gRPC needs HTTP/2 all the way: a proxy in between may only speak HTTP/1.1; or it is another server";
    let wrong =
        |cause: BoxError| unreachable("the server does not speak HTTP/2".to_owned(), cause, help.to_owned());
    read.await.map_err(|error| wrong(error.into()))?;
    if head.get(3) == Some(&SETTINGS) { Ok(()) } else { Err(wrong("it answers something else".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        assert_eq!(place("https://h.test"), Some(("h.test".to_owned(), 443)));
        assert_eq!(place("http://[::1]:9420"), Some(("::1".to_owned(), 9420)));
        assert_eq!(place("http://proxy/"), Some(("proxy".to_owned(), 80)));
        assert_eq!(place("socks5h://proxy"), Some(("proxy".to_owned(), 1080)));
        assert_eq!(place("not a uri"), None);
    }
}
