//! The neutral server: the h2 crate, and a reply whose bytes were made beforehand. It costs less than any client, so that
//! the clients are what is measured: a server that decodes and encodes each time would bound how many calls they make.

use bytes::Bytes;
use contact_center_insights::proto::longrunning::Operation;
use h2::server::{Connection, SendResponse, handshake};
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message as _;
use tokio::net::{TcpListener, TcpStream};

use super::support::{end_with_parent, runtime};

/// Answers every call with `operation`, on a free port of loopback, which it prints, until standard input ends.
pub(crate) fn serve(operation: &Operation) {
    end_with_parent();
    let message = operation.encode_to_vec();
    let prefix = [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes()].concat();
    let reply = Bytes::from([prefix, message].concat());
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("http://{}", listener.local_addr().expect("bound"));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a TCP socket");
            tokio::spawn(converse(stream, reply.clone()));
        }
    });
}

/// Until the client leaves.
async fn converse(stream: TcpStream, reply: Bytes) {
    let Ok(connection) = handshake(stream).await else { return };
    let mut connection: Connection<_, Bytes> = connection;
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(answer(request, respond, reply.clone()));
    }
}

/// Once the request is whole.
async fn answer(request: Request<h2::RecvStream>, mut respond: SendResponse<Bytes>, reply: Bytes) {
    let mut body = request.into_body();
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
    }
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    // Each fails only if the client has left.
    let Ok(mut stream) = respond.send_response(head, false) else { return };
    let _ = stream.send_data(reply, false);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let _ = stream.send_trailers(trailers);
}
