//! Cases of our own: what a stub's user meets in a year, and gRPC's list does not have.

use std::time::Duration;

use contact_center_insights::error::Fault;
use tokio::net::TcpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request};

use crate::basic::{large_unary, ping, wanted};
use crate::case::{Case, Given, Problem, ends_with, ensure};
use crate::channel::Kind;
use crate::proto::{Empty, StreamingOutputCallRequest};

pub(crate) fn all() -> Vec<Case> {
    vec![
        Case::own("a refused connection is UNAVAILABLE, and its fault is known", |given| {
            Box::pin(refused(given))
        }),
        Case::own("a deadline ends a call whose server is silent", |given| Box::pin(silent(given))),
        Case::own("a deadline ends a stream that has begun", |given| Box::pin(silent_within(given))),
        Case::own("50 requests are sent over a channel of 4 before the reply is read", |given| {
            Box::pin(sent_before_read(given))
        }),
        Case::own("a dropped reply ends the upload at once", |given| Box::pin(dropped(given))),
        Case::own("12 streams of 8 MiB that nobody reads hold up no other call", |given| {
            Box::pin(unread(given))
        }),
        Case::own("calls of 40 workers while connections end", |given| Box::pin(ending(given))),
    ]
}

/// The one that waits.
pub(crate) fn silence() -> Vec<Case> {
    let case = Case::own("a call that is silent for 250 s, at the defaults", |given| {
        Box::pin(silence_of_250_s(given))
    });
    vec![Case { limit: Duration::from_mins(5), ..case }]
}

async fn refused(given: Given) -> Result<(), Problem> {
    // Bound and never listening: whoever connects is refused, and nobody else gets the port.
    let closed = TcpSocket::new_v4().map_err(|error| error.to_string())?;
    let bound = closed.bind(([127, 0, 0, 1], 0).into()).and_then(|()| closed.local_addr());
    let address = bound.map_err(|error| error.to_string())?.to_string();
    let channel = given.kind.connect(&address)?;
    let mut stub = Given { channel, ..given.clone() }.stub();
    let status = ends_with(stub.empty_call(Empty {}).await, Code::Unavailable)?;
    let is_known = Fault::of(&status).is_some_and(|fault| fault.is_transient);
    ensure(is_known || given.kind == Kind::Tonics, "its fault is not known")
}

fn within<T>(message: T, time: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    request
}

/// One message at once, and the next never.
fn then_silence() -> StreamingOutputCallRequest {
    let response_parameters = vec![wanted(1, 0), wanted(1, i32::MAX)];
    StreamingOutputCallRequest { response_parameters, ..Default::default() }
}

async fn silent(given: Given) -> Result<(), Problem> {
    let request =
        StreamingOutputCallRequest { response_parameters: vec![wanted(1, i32::MAX)], ..Default::default() };
    let result = match given.stub().streaming_output_call(within(request, Duration::from_millis(300))).await {
        Err(status) => Err(status),
        Ok(reply) => ends_in_time(reply.into_inner()).await?,
    };
    ends_with(result, Code::DeadlineExceeded).map(drop)
}

async fn silent_within(given: Given) -> Result<(), Problem> {
    let request = within(then_silence(), Duration::from_millis(300));
    let mut reply = given.stub().streaming_output_call(request).await?.into_inner();
    reply.message().await?.ok_or("no message")?;
    ends_with(ends_in_time(reply).await?, Code::DeadlineExceeded).map(drop)
}

async fn ends_in_time<T>(mut reply: tonic::Streaming<T>) -> Result<Result<(), tonic::Status>, Problem> {
    let next = timeout(Duration::from_secs(5), reply.message()).await.map_err(|_| "hangs")?;
    Ok(next.map(drop))
}

async fn sent_before_read(given: Given) -> Result<(), Problem> {
    const MESSAGES: usize = 50;
    let (send, receive) = mpsc::channel(4);
    let _ = send.send(ping(10, 10)).await;
    let mut reply = given.stub().full_duplex_call(ReceiverStream::new(receive)).await?.into_inner();
    for _ in 1..MESSAGES {
        let ended = timeout(Duration::from_secs(5), send.send(ping(10, 10))).await;
        ended.map_err(|_| "hangs")?.map_err(|_| "the stream of requests ended")?;
    }
    drop(send);
    let mut messages = 0;
    while reply.message().await?.is_some() {
        messages += 1;
    }
    ensure(messages == MESSAGES, "too few messages")
}

async fn dropped(given: Given) -> Result<(), Problem> {
    let (send, receive) = mpsc::channel(4);
    let _ = send.send(ping(10, 10)).await;
    let mut reply = given.stub().full_duplex_call(ReceiverStream::new(receive)).await?.into_inner();
    reply.message().await?.ok_or("no message")?;
    drop(reply);
    ensure(send.is_closed(), "it goes on")
}

async fn unread(given: Given) -> Result<(), Problem> {
    let mut held = Vec::new();
    for _ in 0..12 {
        let request = StreamingOutputCallRequest {
            response_parameters: vec![wanted(1 << 20, 0); 8],
            ..Default::default()
        };
        held.push(given.stub().streaming_output_call(request).await?.into_inner());
    }
    // A moment for the server to fill what windows there are; a call that it holds up does not return.
    tokio::time::sleep(Duration::from_millis(500)).await;
    timeout(Duration::from_secs(15), large_unary(given)).await.map_err(|_| "hangs")??;
    for mut reply in held {
        let mut messages = 0;
        while reply.message().await?.is_some() {
            messages += 1;
        }
        ensure(messages == 8, "too few messages")?;
    }
    Ok(())
}

async fn ending(given: Given) -> Result<(), Problem> {
    let Some(address) = given.server.ending.clone() else {
        return Err(Problem::NotServed("it ends no connections"));
    };
    let channel = given.kind.connect(&address)?;
    let stub = Given { channel, ..given }.stub();
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..40 {
        let mut stub = stub.clone();
        workers.spawn(async move {
            while started.elapsed() < Duration::from_secs(4) {
                stub.empty_call(Empty {}).await?;
            }
            Ok::<_, tonic::Status>(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.map_err(|_| "panics")??;
    }
    Ok(())
}

async fn silence_of_250_s(given: Given) -> Result<(), Problem> {
    let response_parameters = vec![wanted(1, 0), wanted(1, 250_000_000)];
    let request = StreamingOutputCallRequest { response_parameters, ..Default::default() };
    let mut reply = given.stub().streaming_output_call(request).await?.into_inner();
    for _ in 0..2 {
        reply.message().await?.ok_or("too few messages")?;
    }
    ensure(reply.message().await?.is_none(), "too many messages")
}
