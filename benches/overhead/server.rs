//! The neutral server: frames of HTTP/2 whose bytes were made beforehand. It reads no header and decodes no message, so that
//! it costs less than any client, and the clients are what is measured: a server of the usual kind takes longer for a call
//! than they do, and would bound how many calls they make.

use bytes::{Buf as _, BytesMut};
use contact_center_insights::proto::longrunning::Operation;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::support::{end_with_parent, runtime};

/// Frames, by their types and flags (RFC 9113, 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Length, type, flags and stream.
const FRAME_HEADER: usize = 9;
/// What clients may send before they hear that more is welcome, besides what is theirs from the start.
const WINDOW: u32 = 1 << 30;
/// What a client says first (RFC 9113, 3.4).
const PREFACE: usize = 24;

/// `:status: 200` and `content-type: application/grpc`, the second to be remembered (RFC 7541, 6.2.1); and from then on, when
/// the table has the status of the first reply before it.
const FIRST_HEAD: &[u8] = b"\x88\x5f\x10application/grpc";
const HEAD: &[u8] = b"\x88\xbf";
/// `grpc-status: 0`, as above.
const FIRST_TRAILERS: &[u8] = b"\x40\x0bgrpc-status\x010";
const TRAILERS: &[u8] = b"\xbe";

/// Answers every call with `operation`, on a free port of loopback, which it prints, until standard input ends.
pub(crate) fn serve(operation: &Operation) {
    end_with_parent();
    let message = operation.encode_to_vec();
    let reply = [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), &message].concat();
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

/// Until the client leaves. Its windows are taken to be large enough: all of these clients announce megabytes.
async fn converse(mut stream: TcpStream, reply: Vec<u8>) {
    let mut incoming = BytesMut::with_capacity(256 << 10);
    let mut outgoing = Vec::new();
    let (mut is_first, mut received) = (true, WINDOW);
    push(&mut outgoing, SETTINGS, 0, 0, &[]);
    while incoming.len() < PREFACE {
        if !matches!(stream.read_buf(&mut incoming).await, Ok(1..)) {
            return;
        }
    }
    incoming.advance(PREFACE);
    loop {
        if received >= WINDOW / 2 {
            push(&mut outgoing, WINDOW_UPDATE, 0, 0, &std::mem::take(&mut received).to_be_bytes());
        }
        while let Some((kind, flags, id, payload)) = next(&mut incoming) {
            if kind == DATA {
                received += u32::try_from(payload.len()).unwrap();
            }
            match kind {
                SETTINGS if flags & ACK == 0 => push(&mut outgoing, SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 => push(&mut outgoing, PING, ACK, 0, &payload),
                DATA if flags & END_STREAM != 0 => {
                    let (head, trailers) =
                        if is_first { (FIRST_HEAD, FIRST_TRAILERS) } else { (HEAD, TRAILERS) };
                    is_first = false;
                    push(&mut outgoing, HEADERS, END_HEADERS, id, head);
                    push(&mut outgoing, DATA, 0, id, &reply);
                    push(&mut outgoing, HEADERS, END_HEADERS | END_STREAM, id, trailers);
                }
                _ => {}
            }
        }
        if stream.write_all(&outgoing).await.is_err() {
            return;
        }
        outgoing.clear();
        if !matches!(stream.read_buf(&mut incoming).await, Ok(1..)) {
            return;
        }
    }
}

/// The next frame that is whole: type, flags, stream and payload.
fn next(incoming: &mut BytesMut) -> Option<(u8, u8, u32, BytesMut)> {
    let [high, middle, low, kind, flags, id @ ..] = *incoming.first_chunk::<FRAME_HEADER>()?;
    let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    if incoming.len() < FRAME_HEADER + length {
        return None;
    }
    incoming.advance(FRAME_HEADER);
    Some((kind, flags, u32::from_be_bytes(id), incoming.split_to(length)))
}

fn push(outgoing: &mut Vec<u8>, kind: u8, flags: u8, id: u32, payload: &[u8]) {
    let [_, high, middle, low] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    outgoing.extend([high, middle, low, kind, flags]);
    outgoing.extend(id.to_be_bytes());
    outgoing.extend(payload);
}
