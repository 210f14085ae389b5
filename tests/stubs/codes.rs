//! The code of each fault, as a stub sees it over our transport and over tonic's own channel: `docs/faults.md` has both.

use std::fmt::Write as _;
use std::time::Duration;

use contact_center_insights::error::{Fault, ServerEffect};
use contact_center_insights::proto::longrunning::GetOperationRequest;
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights::status::code_name;
use contact_center_insights::{Code, Credentials, Transport};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status};
use tower::service_fn;

use crate::calls::Kind;
use crate::documented;
use crate::rows::{self, Expected, Row};
use crate::server::{Lookup, Server};
use crate::support::NAME;

/// No call takes so long on any machine: longer is a hang.
const HANG: Duration = Duration::from_secs(30);

/// Each fault, and why the codes differ where they do.
const FAULTS: [(&str, &str); 14] = [
    ("connection refused", ""),
    ("name does not resolve", ""),
    ("TCP closed after the request", "a connection that breaks is UNAVAILABLE in gRPC's other clients"),
    ("TCP closed after the reply's head", "as above"),
    ("HTTP/1.1 server", "no connection was opened, and nothing was sent"),
    ("GOAWAY that leaves the request out", "the server has not seen it: gRPC retries that (gRFC A6)"),
    ("RST_STREAM `REFUSED_STREAM`", ""),
    (
        "RST_STREAM `INTERNAL_ERROR`",
        "proxies reset streams with any code when what is behind them goes; INTERNAL is left to servers that say so",
    ),
    ("RST_STREAM `CANCEL`", "CANCELLED is for calls that the caller cancels, and is not retried"),
    ("RST_STREAM `ENHANCE_YOUR_CALM`", ""),
    ("HTML page, HTTP 401", "tonic reads the page as a message before it looks at the code"),
    ("HTML page, HTTP 429", "as above; the server asks for fewer calls"),
    ("HTML page, HTTP 502", "as above"),
    (
        "silence",
        "`Request::set_timeout` of 0.4 s; a deadline is DEADLINE_EXCEEDED, and not the caller's cancellation",
    ),
];

async fn dial(found: Lookup) -> std::io::Result<TcpStream> {
    match found {
        Lookup::At(address) => TcpStream::connect(address).await,
        Lookup::Nowhere => TcpStream::connect("no-such-host.invalid:80").await,
    }
}

fn ours(server: &Server) -> Transport {
    let lookup = server.resolver();
    Transport::builder("http://localhost".parse().unwrap())
        .with_credentials(Credentials::anonymous())
        .with_connector(move || dial(lookup()))
        .build()
        .unwrap()
}

fn theirs(server: &Server) -> Channel {
    let lookup = server.resolver();
    let connector = service_fn(move |_: Uri| {
        let found = lookup();
        async move { dial(found).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector_lazy(connector)
}

fn request(row: &Row) -> Request<GetOperationRequest> {
    let mut request = Request::new(GetOperationRequest { name: NAME.to_owned() });
    if row.is_timed() {
        request.set_timeout(row.patience.attempt);
    }
    request
}

/// What a stub over each says of a fault that never ends.
async fn measure(row: &Row) -> (Status, Status) {
    let server = Server::start(&row.fault, usize::MAX, Kind::Read).await;
    let call = OperationsClient::new(ours(&server));
    let ours = timeout(HANG, call.clone().get_operation(request(row))).await.expect("no hang").unwrap_err();
    let mut call = OperationsClient::new(theirs(&server));
    let theirs = timeout(HANG, call.get_operation(request(row))).await.expect("no hang").unwrap_err();
    (ours, theirs)
}

#[tokio::test]
async fn the_codes_that_stubs_see_are_as_documented() {
    let all = rows::all();
    let mut unexplained = Vec::new();
    let mut table = String::from(
        "| fault | over this transport | over tonic's `Channel` | may pass | server acted | why they differ |\n|---|---|---|---|---|---|\n",
    );
    for (name, reason) in FAULTS {
        let row = all.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no row `{name}`"));
        let (ours, theirs) = measure(row).await;
        let (code, effect, is_transient) = match row.expected {
            Expected::Transient(code, effect) | Expected::Overload(code, effect) => (code, effect, true),
            Expected::Permanent(code, effect) => (code, effect, false),
            Expected::Token => (Code::Unauthenticated, ServerEffect::Answered, false),
            Expected::Nothing => panic!("{name} is not a fault"),
        };
        let fault = Fault::of(&ours).unwrap_or_else(|| panic!("{name}: {ours:?}"));
        assert_eq!(
            (ours.code(), fault.effect, fault.is_transient),
            (code, effect, is_transient),
            "{name}: {ours:?}"
        );
        assert!(!ours.message().is_empty(), "{name}");
        if (ours.code() != theirs.code()) == reason.is_empty() {
            unexplained.push((name, theirs.clone()));
        }
        let (ours, theirs) = (code_name(ours.code()), code_name(theirs.code()));
        let may_pass = if is_transient { "yes" } else { "no" };
        writeln!(table, "| {name} | {ours} | {theirs} | {may_pass} | {effect:?} | {reason} |").unwrap();
    }
    assert!(unexplained.is_empty(), "a reason, and only where the codes differ: {unexplained:#?}");
    documented::compare_part("faults", "stubs", &table);
}

/// A service that the caller brings, and that is gone for good, tells in the call: stubs make UNKNOWN of what it says when
/// it is asked whether it is ready.
#[tokio::test]
async fn a_service_that_is_gone_is_unavailable() {
    #[derive(Clone)]
    struct Gone;
    impl tower::Service<http::Request<tonic::body::Body>> for Gone {
        type Response = http::Response<tonic::body::Body>;
        type Error = std::io::Error;
        type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), std::io::Error>> {
            std::task::Poll::Ready(Err(std::io::Error::other("the worker has stopped")))
        }

        fn call(&mut self, _: http::Request<tonic::body::Body>) -> Self::Future {
            panic!("it was not ready");
        }
    }
    let transport = Transport::builder("http://localhost".parse().unwrap())
        .with_credentials(Credentials::anonymous())
        .with_service(Gone)
        .build()
        .unwrap();
    let mut stub = OperationsClient::new(transport);
    for _ in 0..2 {
        let status = stub.get_operation(GetOperationRequest::default()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert!(status.message().ends_with("the worker has stopped"), "{status:?}");
        let fault = Fault::of(&status).unwrap();
        assert_eq!(fault.effect, ServerEffect::NotSent);
        assert!(!fault.is_transient);
    }
}

/// A token that cannot be had is told to a stub as to a typed call.
#[tokio::test(start_paused = true)]
async fn a_stub_without_a_token_is_unauthenticated() {
    use contact_center_insights::auth::Token;
    use contact_center_insights::error::BoxError;

    let credentials = Credentials::from_source(|| async { Err::<Token, BoxError>("no key".into()) });
    let server = Server::start(&crate::server::Fault::Mute, 0, Kind::Read).await;
    let lookup = server.resolver();
    let transport = Transport::builder("http://localhost".parse().unwrap())
        .with_credentials(credentials)
        .with_connector(move || dial(lookup()))
        .build()
        .unwrap();
    let mut request = Request::new(GetOperationRequest { name: NAME.to_owned() });
    request.set_timeout(HANG);
    let status = OperationsClient::new(transport).get_operation(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    assert!(status.message().contains("no access token"), "{status:?}");
    assert_eq!(Fault::of(&status).unwrap().effect, ServerEffect::NotSent);
}
