//! Servers over pipes, by a function that answers each request; and a stub of methods that stream, as tonic would generate
//! it.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::transport::TransportBuilder;
use contact_center_insights::{Credentials, Transport};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message as _;
use tokio_stream::Stream;
use tonic::client::Grpc;
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;

/// Counts what is opened and what is asked.
#[derive(Clone, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    pub fn add(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A transport to servers that answer each request by `answer`.
pub fn served<F, Fut>(answer: F) -> TransportBuilder
where
    F: Fn(Request<RecvStream>, SendResponse<Bytes>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    dialled(move |stream| {
        let answer = answer.clone();
        async move {
            let mut connection = h2::server::Builder::new()
                // A server that reads, however much nobody has asked for yet.
                .initial_window_size(1 << 20)
                .handshake(stream)
                .await
                .unwrap();
            while let Some(Ok((request, reply))) = connection.accept().await {
                tokio::spawn(answer(request, reply));
            }
        }
    })
}

/// A transport to servers that are whatever `serve` makes of a connection.
pub fn dialled<F, Fut>(serve: F) -> TransportBuilder
where
    F: Fn(tokio::io::DuplexStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let dial = move || {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(serve(theirs));
        async move { Ok::<_, io::Error>(ours) }
    };
    Transport::builder("http://localhost:1".parse().unwrap())
        .with_credentials(Credentials::anonymous())
        .with_connector(dial)
}

/// Sends the head of a reply.
pub fn begin(reply: &mut SendResponse<Bytes>) -> SendStream<Bytes> {
    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    reply.send_response(head, false).unwrap()
}

/// Ends a reply well.
pub fn end(stream: &mut SendStream<Bytes>) {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    // The client may be gone.
    let _ = stream.send_trailers(trailers);
}

/// A message with so many bytes of text, framed.
pub fn framed(size: usize) -> Bytes {
    let message = message(size).encode_to_vec();
    let mut bytes = vec![0];
    bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    bytes.extend(message);
    bytes.into()
}

pub fn message(size: usize) -> Operation {
    Operation { name: "x".repeat(size), ..Default::default() }
}

/// Calls a method that streams both ways.
pub async fn stream(
    transport: &Transport,
    request: tonic::Request<impl Stream<Item = Operation> + Send + 'static>,
) -> Result<Streaming<Operation>, Status> {
    let mut grpc = Grpc::new(transport.clone());
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/test.Streams/Both");
    let codec = ProstCodec::<Operation, Operation>::default();
    grpc.streaming(request, path, codec).await.map(tonic::Response::into_inner)
}

/// Calls a method that streams nothing.
pub async fn unary(transport: &Transport, request: tonic::Request<Operation>) -> Result<Operation, Status> {
    let mut grpc = Grpc::new(transport.clone()).max_decoding_message_size(64 << 20);
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/test.Streams/Unary");
    let codec = ProstCodec::<Operation, Operation>::default();
    grpc.unary(request, path, codec).await.map(tonic::Response::into_inner)
}
