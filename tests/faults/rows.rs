//! The faults, and what each must be called.

use std::sync::Arc;
use std::time::Duration;

use contact_center_insights::error::ServerEffect::{self, Answered, NotSent, Refused, Unknown};
use contact_center_insights::proto::rpc;
use contact_center_insights::{Code, Status};

use crate::calls::{MAX_REPLY_SIZE, Patience};
use crate::server::After::{self, Close, Stay};
use crate::server::Fault;
use crate::wire::{self, END_STREAM, data, go_away, head, headers, message, message_of, page, reset};

/// One fault, and what the client must make of it.
#[derive(Clone)]
pub struct Row {
    pub name: String,
    pub fault: Fault,
    pub expected: Expected,
    pub patience: Patience,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No fault at all.
    Nothing,
    /// May pass by itself.
    Transient(Code, ServerEffect),
    /// As above, and the server asks for fewer calls.
    Overload(Code, ServerEffect),
    Permanent(Code, ServerEffect),
    /// The server refuses the token: a new one is fetched, once.
    Token,
}

use Expected::{Nothing, Overload, Permanent, Token, Transient};

/// Long enough for any machine; nothing waits for its end.
const PATIENT: Patience = Patience {
    attempts: 5,
    attempt: Duration::from_secs(20),
    call: None,
    connect: Duration::from_secs(20),
    ping: None,
};
const SILENCE: Duration = Duration::from_millis(400);

impl Row {
    /// Whether time plays a part: on a busy machine, attempts may then be more or fewer than planned.
    pub fn is_timed(&self) -> bool {
        self.patience.attempt == SILENCE || self.patience.connect == SILENCE || self.patience.ping.is_some()
    }
}

fn row(name: impl Into<String>, fault: Fault, expected: Expected) -> Row {
    Row { name: name.into(), fault, expected, patience: PATIENT }
}

/// The server sends `bytes(stream)` in place of a reply.
fn says(
    name: impl Into<String>,
    bytes: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static,
    after: After,
    expected: Expected,
) -> Row {
    row(name, Fault::Reply(Arc::new(bytes), after), expected)
}

/// The server says `bytes(stream)` and falls silent, so that only the time for an attempt ends it.
fn silent(name: &str, bytes: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static) -> Row {
    let patience = Patience { attempt: SILENCE, ..PATIENT };
    Row { patience, ..says(name, bytes, Stay, Transient(Code::DeadlineExceeded, Unknown)) }
}

pub fn all() -> Vec<Row> {
    [connections(), resets(), pages(), replies(), silences(), statuses()].concat()
}

fn connections() -> Vec<Row> {
    let unavailable = |acted| Transient(Code::Unavailable, acted);
    let mute = row("TCP accepted, then not a byte", Fault::Mute, unavailable(NotSent));
    let dead =
        row("the connection goes dead without a word; pings notice", Fault::Dead, unavailable(Unknown));
    vec![
        row("connection refused", Fault::Refused, unavailable(NotSent)),
        row("name does not resolve", Fault::Unresolved, unavailable(NotSent)),
        row("TCP closed before the request is read", Fault::Unread, unavailable(Unknown)),
        says("TCP closed after the request", |_| vec![], Close, unavailable(Unknown)),
        says("TCP closed after the reply's head", head, Close, unavailable(Unknown)),
        Row { patience: Patience { connect: SILENCE, ..PATIENT }, ..mute },
        Row { patience: Patience { ping: Some(SILENCE / 2), ..PATIENT }, ..dead },
        row("HTTP/1.1 server", Fault::Http1, unavailable(NotSent)),
        says("GOAWAY that leaves the request out", |_| go_away(0, 0, ""), Stay, unavailable(Refused)),
        says("GOAWAY that leaves it out, then close", |_| go_away(0, 0, ""), Close, unavailable(Refused)),
        says(
            "GOAWAY `ENHANCE_YOUR_CALM` that leaves it out",
            |_| go_away(0, 11, "too_many_calls"),
            Close,
            Overload(Code::ResourceExhausted, Refused),
        ),
        row("GOAWAY that covers the request, then its reply", Fault::Farewell, Nothing),
        says(
            "GOAWAY that covers the request, then close",
            |stream| go_away(stream, 0, ""),
            Close,
            unavailable(Unknown),
        ),
        says(
            "GOAWAY `max_age` that covers it, then close",
            |stream| go_away(stream, 0, "max_age"),
            Close,
            unavailable(Unknown),
        ),
    ]
}

const RESET_CODES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

fn resets() -> Vec<Row> {
    let mut rows: Vec<_> = (0..)
        .zip(RESET_CODES)
        .map(|(code, name)| {
            let expected = match name {
                "REFUSED_STREAM" => Transient(Code::Unavailable, Refused),
                "ENHANCE_YOUR_CALM" => Overload(Code::ResourceExhausted, Unknown),
                _ => Transient(Code::Unavailable, Unknown),
            };
            says(format!("RST_STREAM `{name}`"), move |stream| reset(stream, code), Stay, expected)
        })
        .collect();
    for (code, name, expected) in [
        (0, "NO_ERROR", Transient(Code::Unavailable, Unknown)),
        (7, "REFUSED_STREAM", Transient(Code::Unavailable, Unknown)),
        (8, "CANCEL", Transient(Code::Unavailable, Unknown)),
    ] {
        let bytes = move |stream| [head(stream), reset(stream, code)].concat();
        rows.push(says(format!("RST_STREAM `{name}` after the reply's head"), bytes, Stay, expected));
    }
    rows
}

fn pages() -> Vec<Row> {
    [
        ("200", Permanent(Code::Unknown, Unknown)),
        ("401", Token),
        ("403", Permanent(Code::PermissionDenied, Answered)),
        ("404", Permanent(Code::Unimplemented, Answered)),
        ("429", Overload(Code::ResourceExhausted, Refused)),
        ("500", Transient(Code::Unknown, Unknown)),
        ("502", Transient(Code::Unavailable, Unknown)),
        ("503", Transient(Code::Unavailable, Unknown)),
        ("504", Transient(Code::Unavailable, Unknown)),
    ]
    .map(|(code, expected)| {
        says(format!("HTML page, HTTP {code}"), |stream| page(stream, code), Stay, expected)
    })
    .into()
}

fn replies() -> Vec<Row> {
    let torn = Transient(Code::Internal, Unknown);
    let end = |stream| headers(stream, END_STREAM, &[("grpc-status", "0")]);
    let body =
        move |bytes: Vec<u8>| move |stream| [head(stream), data(stream, 0, &bytes), end(stream)].concat();
    let bad_details = [("grpc-status", "9"), ("grpc-status-details-bin", "%%%")];
    let definite = Permanent(Code::FailedPrecondition, Answered);
    vec![
        says(
            "no `grpc-status`",
            |stream| [head(stream), data(stream, END_STREAM, &message(b""))].concat(),
            Stay,
            Transient(Code::Unknown, Unknown),
        ),
        says("head, and nothing else", move |stream| [head(stream), end(stream)].concat(), Stay, torn),
        says(
            "corrupt `grpc-status-details-bin` in trailers",
            move |stream| [head(stream), headers(stream, END_STREAM, &bad_details)].concat(),
            Stay,
            definite,
        ),
        says(
            "corrupt `grpc-status-details-bin`, trailers only",
            move |stream| wire::status(stream, &bad_details),
            Stay,
            definite,
        ),
        says("two messages", body([message(b""), message(b"")].concat()), Stay, torn),
        says("message shorter than its prefix says", body(message_of(9, b"torn")), Stay, torn),
        says(
            "message cut off, and no trailers",
            |stream| [head(stream), data(stream, END_STREAM, &message_of(9, b"torn"))].concat(),
            Stay,
            torn,
        ),
        says("message that does not decode", body(message(b"\xff\xff")), Stay, torn),
        says("message flagged as compressed", body(vec![1, 0, 0, 0, 1, 0]), Stay, torn),
        says("bytes that are not a gRPC message", body(b"<html>".to_vec()), Stay, torn),
        says(
            "message beyond the client's limit",
            body(message(&[0; MAX_REPLY_SIZE + 1])),
            Stay,
            Permanent(Code::OutOfRange, Unknown),
        ),
        says(
            "compressed in a way that was not offered",
            move |stream| {
                let fields =
                    [(":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "zstd")];
                [headers(stream, 0, &fields), end(stream)].concat()
            },
            Stay,
            Permanent(Code::Unimplemented, Unknown),
        ),
    ]
}

fn silences() -> Vec<Row> {
    vec![
        silent("silence", |_| vec![]),
        silent("silence after the reply's head", head),
        silent("silence within the message", |stream| {
            [head(stream), data(stream, 0, &message_of(9, b"half"))].concat()
        }),
    ]
}

fn statuses() -> Vec<Row> {
    let retry_info =
        rpc::RetryInfo { retry_delay: Some(prost_types::Duration { seconds: 0, nanos: 20_000_000 }) };
    let exhausted = Status::new(Code::ResourceExhausted, "quota").with_detail(&retry_info);
    let exhausted = tonic::Status::from(exhausted).into_http::<()>();
    let details = exhausted.headers().get("grpc-status-details-bin").unwrap().to_str().unwrap().to_owned();
    let mut rows: Vec<_> = [
        (Code::Unavailable, Transient(Code::Unavailable, Refused)),
        (Code::Internal, Transient(Code::Internal, Unknown)),
        (Code::Unknown, Transient(Code::Unknown, Unknown)),
        (Code::DeadlineExceeded, Transient(Code::DeadlineExceeded, Unknown)),
        (Code::Cancelled, Transient(Code::Cancelled, Unknown)),
        (Code::ResourceExhausted, Overload(Code::ResourceExhausted, Refused)),
        (Code::Unauthenticated, Token),
        (Code::NotFound, Permanent(Code::NotFound, Answered)),
        (Code::OutOfRange, Permanent(Code::OutOfRange, Answered)),
    ]
    .into_iter()
    .map(|(code, expected)| {
        let name = format!("status {} from the server", contact_center_insights::status::code_name(code));
        let number = (code as i32).to_string();
        let bytes =
            move |stream| wire::status(stream, &[("grpc-status", &number), ("grpc-message", "scripted")]);
        says(name, bytes, Stay, expected)
    })
    .collect();
    rows.push(says(
        "status RESOURCE_EXHAUSTED with `RetryInfo`",
        move |stream| {
            wire::status(stream, &[("grpc-status", "8"), ("grpc-status-details-bin", details.as_str())])
        },
        Stay,
        Overload(Code::ResourceExhausted, Refused),
    ));
    rows.push(says(
        "status UNAVAILABLE after a message",
        |stream| {
            let trailers = headers(stream, END_STREAM, &[("grpc-status", "14")]);
            [head(stream), data(stream, 0, &message(b"")), trailers].concat()
        },
        Stay,
        Transient(Code::Unavailable, Unknown),
    ));
    rows
}
