//! Who asks: this client, the generated stub, or the h2 crate alone.

use std::time::Instant;

use bytes::Bytes;
use contact_center_insights::Client;
use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::lro::Operation;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::proto::longrunning::GetOperationRequest;
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use h2::client::SendRequest;
use http::{HeaderValue, Request};
use prost::Message as _;
use tokio::net::TcpStream;
use tonic::Status;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use super::support::{self, NAME, TOKEN};

/// A call that is made again and again by concurrent callers, each with its own clone, over one connection.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "a box would burden the stub")]
pub(crate) enum Variant {
    Client(Client),
    /// About 1,000 operations, one after another.
    Names(Client),
    Stub(OperationsClient<InterceptedService<Channel, Headers>>),
    H2(Alone),
}

impl Variant {
    pub(crate) async fn new(name: &str, address: &str) -> Self {
        match name {
            "client" => Self::Client(client(address)),
            "names" => Self::Names(client(address)),
            "h2" => Self::H2(Alone::new(address).await),
            stub => {
                let channel =
                    Channel::from_shared(address.to_owned()).unwrap().connect().await.expect("the server");
                Self::Stub(OperationsClient::with_interceptor(channel, Headers::new(stub == "stub")))
            }
        }
    }

    pub(crate) async fn run(&self, callers: usize, calls: usize) {
        self.timed(callers, calls, false).await;
    }

    /// How long each call took, in nanoseconds, if that is wanted.
    pub(crate) async fn timed(&self, callers: usize, calls: usize, is_wanted: bool) -> Vec<u64> {
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let mut this = self.clone();
                tokio::spawn(async move {
                    let mut times = Vec::with_capacity(if is_wanted { calls / callers } else { 0 });
                    for call in 0..calls / callers {
                        let began = is_wanted.then(Instant::now);
                        this.call(caller + call * callers).await;
                        times.extend(began.map(|began| u64::try_from(began.elapsed().as_nanos()).unwrap()));
                    }
                    times
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.expect("every call succeeds"));
        }
        times
    }

    async fn call(&mut self, number: usize) {
        let (metadata, model): (CreateIssueModelMetadata, IssueModel) = match self {
            Self::Client(client) => unpacked(&client.get_operation(NAME).await.unwrap().cast()),
            Self::Names(client) => {
                let name = format!("{}{:03}", &NAME[..NAME.len() - 3], number % 1_000);
                unpacked(&client.get_operation(name).await.unwrap().cast())
            }
            Self::Stub(stub) => {
                let request = GetOperationRequest { name: NAME.to_owned() };
                let operation = stub.get_operation(request).await.unwrap().into_inner();
                let Some(Outcome::Response(response)) = operation.result else { panic!("it succeeded") };
                (operation.metadata.unwrap().to_msg().unwrap(), response.to_msg().unwrap())
            }
            Self::H2(alone) => return alone.call().await,
        };
        assert!(metadata.end_time.is_some() && model.issue_count == support::ISSUES);
    }
}

fn client(address: &str) -> Client {
    let token = Credentials::from_token(Token::new(TOKEN).unwrap());
    Client::builder().with_endpoint(address).with_credentials(token).build().unwrap()
}

fn unpacked(
    operation: &Operation<IssueModel, CreateIssueModelMetadata>,
) -> (CreateIssueModelMetadata, IssueModel) {
    (operation.metadata().unwrap().unwrap(), operation.result().unwrap().unwrap())
}

/// What the client sends besides the token.
const HEADERS: [(&str, &str); 3] = [
    ("x-goog-request-params", support::ROUTING),
    ("x-goog-api-client", "gl-rust/1.95.0 gapic/0.1.0 grpc/0.14-tonic"),
    ("grpc-timeout", "60001m"),
];

/// The same exchange by h2 itself: its reply is received to the end, and not decoded.
#[derive(Clone)]
pub(crate) struct Alone {
    sender: SendRequest<Bytes>,
    head: Request<()>,
    body: Bytes,
}

impl Alone {
    async fn new(address: &str) -> Self {
        let authority = address.trim_start_matches("http://");
        let stream = TcpStream::connect(authority).await.expect("the server");
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        tokio::spawn(async move { connection.await.expect("it ends well") });
        let mut token = HeaderValue::from_str(&format!("Bearer {TOKEN}")).unwrap();
        token.set_sensitive(true);
        let mut head = Request::post(format!("{address}/google.longrunning.Operations/GetOperation"))
            .header("te", "trailers")
            .header("content-type", "application/grpc")
            .header("user-agent", "contact-center-insights/0.1.0 grpc-rust-tonic/0.14")
            .header("authorization", token);
        for (name, value) in HEADERS {
            head = head.header(name, value);
        }
        let message = GetOperationRequest { name: NAME.to_owned() }.encode_to_vec();
        let prefix = [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes()].concat();
        Self { sender, head: head.body(()).unwrap(), body: [prefix, message].concat().into() }
    }

    async fn call(&mut self) {
        let mut sender = self.sender.clone().ready().await.unwrap();
        let (reply, mut stream) = sender.send_request(self.head.clone(), false).unwrap();
        stream.send_data(self.body.clone(), true).unwrap();
        let mut body = reply.await.unwrap().into_body();
        while let Some(data) = body.data().await {
            let length = data.unwrap().len();
            body.flow_control().release_capacity(length).unwrap();
        }
        let trailers = body.trailers().await.unwrap().expect("a status");
        assert!(trailers.get("grpc-status").is_some_and(|status| status == "0"));
    }
}

/// What the client sends, as constants; `others` is empty for the stub that sends the token alone.
#[derive(Clone)]
pub(crate) struct Headers {
    token: MetadataValue<Ascii>,
    others: Vec<(&'static str, MetadataValue<Ascii>)>,
}

impl Headers {
    fn new(all: bool) -> Self {
        let mut token: MetadataValue<Ascii> = format!("Bearer {TOKEN}").parse().unwrap();
        token.set_sensitive(true);
        let others = HEADERS.map(|(name, value)| (name, MetadataValue::from_static(value)));
        Self { token, others: if all { others.into() } else { Vec::new() } }
    }
}

impl tonic::service::Interceptor for Headers {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
        let headers = request.metadata_mut();
        headers.insert("authorization", self.token.clone());
        for (name, value) in &self.others {
            headers.insert(*name, value.clone());
        }
        Ok(request)
    }
}
