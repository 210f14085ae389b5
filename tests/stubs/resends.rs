//! Requests that the server has not processed come back, and are sent again over another connection; behind a proxy, for
//! example, that ends each connection after so many requests, as nginx does by `keepalive_requests`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use contact_center_insights::call::RetryPolicy;
use contact_center_insights::error::{Fault, ServerEffect};
use contact_center_insights::proto::longrunning::GetOperationRequest;
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights::{Client, Code, Transport};
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;
use tonic::Request;

use crate::pipe::{dialled, message, stream};
use crate::support::{NAME, succeeded};
use crate::wire;

/// What all connections of a proxy share.
#[derive(Clone, Default)]
struct Proxy {
    /// Of each connection; then a GOAWAY.
    requests: usize,
    connections: Arc<AtomicUsize>,
    served: Arc<AtomicUsize>,
    /// Requests that were not taken up.
    left_out: Arc<AtomicUsize>,
}

impl Proxy {
    /// Ends each connection after so many requests, and does not say so before.
    fn new(requests: usize) -> Self {
        Self { requests, ..Self::default() }
    }

    fn transport(&self) -> Transport {
        let proxy = self.clone();
        dialled(move |stream| proxy.clone().serve(stream)).build().unwrap()
    }

    /// Speaks HTTP/2 by hand, for no library leaves requests out as a proxy does.
    async fn serve(self, mut socket: DuplexStream) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        socket.read_exact(&mut [0; wire::PREFACE.len()]).await.unwrap();
        socket.write_all(&wire::frame(wire::SETTINGS, 0, 0, &[])).await.unwrap();
        let mut heads = 0;
        let mut last = 0;
        // The client closes when those that were taken up are served.
        loop {
            let mut head = [0; 9];
            if socket.read_exact(&mut head).await.is_err() {
                return;
            }
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let (kind, flags) = (head[3], head[4]);
            let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let mut payload = vec![0; length];
            socket.read_exact(&mut payload).await.unwrap();
            let answer = match kind {
                wire::SETTINGS if flags & wire::ACK == 0 => wire::frame(wire::SETTINGS, wire::ACK, 0, &[]),
                wire::PING if flags & wire::ACK == 0 => wire::frame(wire::PING, wire::ACK, 0, &payload),
                wire::HEADERS => {
                    heads += 1;
                    if heads <= self.requests {
                        last = id;
                    }
                    if heads > self.requests {
                        self.left_out.fetch_add(1, Ordering::SeqCst);
                    }
                    // One too many: those that were taken up by then are the last.
                    if heads == self.requests + 1 { wire::go_away(last, 0, "") } else { Vec::new() }
                }
                wire::DATA if id <= last && flags & wire::END_STREAM != 0 => {
                    self.served.fetch_add(1, Ordering::SeqCst);
                    wire::reply(id, &succeeded().encode_to_vec())
                }
                _ => Vec::new(),
            };
            if socket.write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

const WORKERS: usize = 40;
const CALLS: usize = 25;

/// So many calls one after the other by each worker; none may fail.
async fn all_succeed<F, Fut>(call: F)
where
    F: Fn() -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let call = call.clone();
        workers.spawn(async move {
            for _ in 0..CALLS {
                call().await;
            }
        });
    }
    workers.join_all().await;
}

#[tokio::test(start_paused = true)]
async fn calls_without_retries_survive_the_end_of_each_connection() {
    let proxy = Proxy::new(20);
    let client =
        Client::builder().with_transport(proxy.transport()).with_retry(RetryPolicy::never()).build().unwrap();
    all_succeed(move || {
        let client = client.clone();
        async move {
            client.get_operation(NAME).await.unwrap();
        }
    })
    .await;
    assert_eq!(proxy.served.load(Ordering::SeqCst), WORKERS * CALLS, "each is served once");
    assert!(proxy.left_out.load(Ordering::SeqCst) > 0);
}

#[tokio::test(start_paused = true)]
async fn stubs_survive_the_end_of_each_connection() {
    let proxy = Proxy::new(20);
    let stub = OperationsClient::new(proxy.transport());
    all_succeed(move || {
        let mut stub = stub.clone();
        async move {
            let reply = stub.get_operation(GetOperationRequest { name: NAME.to_owned() }).await;
            assert!(reply.unwrap().into_inner().done);
        }
    })
    .await;
    assert_eq!(proxy.served.load(Ordering::SeqCst), WORKERS * CALLS, "each is served once");
    assert!(proxy.left_out.load(Ordering::SeqCst) > 0);
}

/// Of a stream, what was sent is sent again, and the rest follows.
#[tokio::test(start_paused = true)]
async fn a_stream_is_sent_again_from_its_beginning() {
    let proxy = Proxy::new(1);
    let transport = proxy.transport();
    let mut warm = OperationsClient::new(transport.clone());
    warm.get_operation(GetOperationRequest::default()).await.unwrap();
    let messages = tokio_stream::iter([1, 2, 3]).map(message);
    let mut reply = stream(&transport, Request::new(messages)).await.unwrap();
    assert!(reply.message().await.unwrap().unwrap().done);
    assert_eq!(proxy.connections.load(Ordering::SeqCst), 2);
}

/// A proxy that never takes up anything: three times is enough, and the error says that nothing happened.
#[tokio::test(start_paused = true)]
async fn what_always_comes_back_is_an_error() {
    let proxy = Proxy::new(0);
    let mut stub = OperationsClient::new(proxy.transport());
    let status = stub.get_operation(GetOperationRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(Fault::of(&status).unwrap().effect, ServerEffect::Refused);
    assert_eq!(proxy.connections.load(Ordering::SeqCst), 4, "once, and three times more");

    let proxy = Proxy::new(0);
    let client =
        Client::builder().with_transport(proxy.transport()).with_retry(RetryPolicy::never()).build().unwrap();
    let error = client.get_operation(NAME).await.unwrap_err();
    assert!(!error.may_have_been_applied() && error.is_transient(), "{error:?}");
    assert_eq!(proxy.connections.load(Ordering::SeqCst), 4);
}

/// What is too large to keep is sent once.
#[tokio::test(start_paused = true)]
async fn a_large_request_of_a_stub_is_not_kept() {
    let proxy = Proxy::new(0);
    let mut stub = OperationsClient::new(proxy.transport());
    let request = GetOperationRequest { name: "x".repeat(300 << 10) };
    let status = stub.get_operation(request).await.unwrap_err();
    assert_eq!((status.code(), proxy.connections.load(Ordering::SeqCst)), (Code::Unavailable, 1));
}
