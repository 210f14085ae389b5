//! Who is answered at the port: official clients by every name that they send, and no page of another site, whatever the
//! path.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::sync::Arc;

use bytes::Bytes;
use contact_center_insights_emulator::{Emulator, StartError};
use http::{HeaderMap, Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use support::L;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What clients send as `:authority` or `Host`; the certificate is good for those that are `true`.
const SERVED: [(&str, bool); 15] = [
    ("127.0.0.1:{port}", true),
    ("127.0.0.1", true),
    ("[::1]:{port}", true),
    ("[::1]", true),
    ("10.1.2.3:{port}", false),
    ("localhost:{port}", true),
    ("localhost", true),
    // A port of a container, mapped to another of the machine.
    ("localhost:49153", true),
    ("a.localhost:{port}", false),
    ("emulator:9420", false),
    ("host.docker.internal:{port}", true),
    ("contactcenterinsights.googleapis.com:443", true),
    ("contactcenterinsights.mtls.googleapis.com", true),
    ("us-central1-contactcenterinsights.googleapis.com", true),
    ("europe-west1-contactcenterinsights.googleapis.com:443", true),
];

/// One of each kind that is on the port: verb, path, content type.
const PATHS: [(&str, &str, &str); 9] = [
    ("POST", "/google.longrunning.Operations/ListOperations", "application/grpc"),
    ("POST", "/contactcenterinsights.emulator.v1.EmulatorAdmin/TakeSnapshot", "application/grpc"),
    ("POST", "/grpc.health.v1.Health/Check", "application/grpc"),
    ("POST", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "application/grpc"),
    ("POST", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "application/grpc"),
    ("GET", "/v1/projects/p/locations/us/operations", ""),
    ("GET", "/_emulator/v1/snapshot", ""),
    ("POST", "/_emulator/v1/reset", "text/plain"),
    ("GET", "/", ""),
];

trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// A connection as a client makes it that takes the emulator for `host`.
async fn connect(emulator: &Emulator, host: &str) -> Result<Box<dyn Io>, std::io::Error> {
    let stream = TcpStream::connect(emulator.address()).await?;
    let Some(ca) = emulator.ca_pem() else { return Ok(Box::new(stream)) };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let host = ServerName::try_from(host.to_owned()).unwrap();
    let secure = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(host, stream).await?;
    Ok(Box::new(secure))
}

type Reply = (Response<Bytes>, HeaderMap);

async fn read(response: Response<hyper::body::Incoming>) -> Reply {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    (Response::from_parts(head, body.to_bytes()), trailers)
}

async fn over_http2(io: Box<dyn Io>, authority: &str, path: &str, content: &str) -> Reply {
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://{authority}{path}")).version(Version::HTTP_2);
    let request = request.header("content-type", content).header("te", "trailers");
    let request = request.body(Full::new(Bytes::from_static(&[0; 5]))).unwrap();
    read(sender.send_request(request).await.unwrap()).await
}

async fn over_http1(io: Box<dyn Io>, verb: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().method(verb).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    read(sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap()).await
}

fn code((reply, trailers): &Reply) -> String {
    let found = trailers.get("grpc-status").or_else(|| reply.headers().get("grpc-status"));
    found.map_or_else(|| reply.status().as_u16().to_string(), |code| code.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn r58_clients_are_answered_by_every_name_that_they_send() {
    let plain = Emulator::builder().start().await.unwrap();
    let secure = Emulator::builder().with_tls().start().await.unwrap();
    for emulator in [&plain, &secure] {
        for (authority, has_certificate) in SERVED {
            let authority = authority.replace("{port}", &emulator.address().port().to_string());
            let uri: http::Uri = format!("http://{authority}").parse().unwrap();
            // By another name, clients have to be told whom to expect.
            let host = if has_certificate { uri.host().unwrap() } else { "localhost" };
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let list = "/google.longrunning.Operations/ListOperations";
            let connect = || async { connect(emulator, host).await.unwrap() };
            let reply = over_http2(connect().await, &authority, list, "application/grpc").await;
            assert_eq!(code(&reply), "3", "{authority}: it asks for a name, so the call has arrived");
            let path = format!("/v1/{L}/operations");
            let reply = over_http1(connect().await, "GET", &path, &[("host", &authority)]).await;
            assert_eq!(code(&reply), "200", "{authority}");
        }
    }
    let other = connect(&secure, "emulator").await;
    assert!(other.is_err(), "the certificate is not good for any name");
}

#[tokio::test]
async fn r58_a_name_that_was_made_to_lead_here_reads_and_changes_nothing() {
    let emulator = Emulator::builder().start().await.unwrap();
    for (verb, path, content) in PATHS {
        let rebound = [("host", "rebound.example:9420"), ("content-type", content)];
        let connect = || async { connect(&emulator, "").await.unwrap() };
        let reply = over_http1(connect().await, verb, path, &rebound).await;
        let wanted = if content == "application/grpc" { "7" } else { "403" };
        assert_eq!(code(&reply), wanted, "{path}");
        let text = String::from_utf8_lossy(reply.0.body()).into_owned();
        assert!(content == "application/grpc" || text.contains("--allow-host rebound.example"), "{text}");
        let reply = over_http2(connect().await, "rebound.example:9420", path, content).await;
        assert_eq!(code(&reply), wanted, "{path}");
        // Nor does a name that is served beside it help.
        let both = [("host", "localhost"), ("host", "rebound.example"), ("content-type", content)];
        assert_eq!(code(&over_http1(connect().await, verb, path, &both).await), wanted, "{path}");
    }
    assert!(emulator.journal().entries().is_empty(), "what is refused is not a call");
}

#[tokio::test]
async fn r58_no_name_is_needed_by_http_1_0_alone() {
    let emulator = Emulator::builder().start().await.unwrap();
    for (version, wanted) in [("1.0", " 200 "), ("1.1", " 403 ")] {
        let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
        let request = format!("GET /_emulator/v1/status HTTP/{version}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.lines().next().unwrap().contains(wanted), "{version}: {answer}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_are_refused_on_every_path() {
    let emulator = Emulator::builder().start().await.unwrap();
    let host = emulator.host();
    let own = emulator.endpoint();
    for (verb, path, content) in PATHS {
        let wanted = if content == "application/grpc" { "7" } else { "403" };
        for (name, value) in [
            ("origin", "https://example.com"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:1"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let headers = [("host", host.as_str()), ("content-type", content), (name, value)];
            let reply = over_http1(connect(&emulator, "").await.unwrap(), verb, path, &headers).await;
            assert_eq!(code(&reply), wanted, "{path} {name}: {value}");
            assert!(!reply.0.headers().contains_key("access-control-allow-origin"));
        }
        let headers = [
            ("host", host.as_str()),
            ("content-type", content),
            ("origin", own.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        let reply = over_http1(connect(&emulator, "").await.unwrap(), verb, path, &headers).await;
        assert_ne!(code(&reply), wanted, "{path}: a page of its own");
    }
    let preflight = [
        ("host", host.as_str()),
        ("origin", "https://example.com"),
        ("access-control-request-method", "DELETE"),
    ];
    let reply = over_http1(connect(&emulator, "").await.unwrap(), "OPTIONS", "/v1/x", &preflight).await;
    assert_eq!(code(&reply), "403");
}

#[tokio::test]
async fn a_page_under_test_is_answered_where_it_is_allowed() {
    let page = "http://localhost:3000";
    let emulator =
        Emulator::builder().with_allowed_origin(page).with_allowed_host("*.test").start().await.unwrap();
    let ask = |verb: &'static str, path: String, more: &'static [(&str, &str)]| {
        let emulator = &emulator;
        async move {
            let headers =
                [&[("host", "insights.test"), ("origin", page), ("sec-fetch-site", "cross-site")], more];
            over_http1(connect(emulator, "").await.unwrap(), verb, &path, &headers.concat()).await
        }
    };
    let wanted =
        &[("access-control-request-method", "POST"), ("access-control-request-headers", "content-type")];
    let (preflight, _) = ask("OPTIONS", format!("/v1/{L}/conversations"), wanted).await;
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-allow-headers"], "content-type");
    for (path, status) in
        [(format!("/v1/{L}/conversations"), 200), (format!("/v1/{L}/conversations/none"), 404)]
    {
        let (reply, _) = ask("GET", path, &[]).await;
        assert_eq!(
            (reply.status().as_u16(), &reply.headers()["access-control-allow-origin"]),
            (status, page.parse().as_ref().unwrap())
        );
    }
    for (builder, bad) in [
        (Emulator::builder().with_allowed_origin("*"), "origin"),
        (Emulator::builder().with_allowed_host("http://x"), "host"),
    ] {
        let error = builder.start().await.unwrap_err();
        let is_named = match bad {
            "origin" => matches!(error, StartError::Origin(_)),
            _ => matches!(error, StartError::Host(_)),
        };
        assert!(is_named, "{error}");
    }
}
