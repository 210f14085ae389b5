//! HTTP/2 frames (RFC 9113) and gRPC messages as bytes, so that a server can say what no library lets it say.

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A head or trailers, as HPACK literals without indexing (RFC 7541, 6.2.2).
pub fn headers(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            let length = u8::try_from(text.len()).ok().filter(|length| *length < 127);
            block.push(length.expect("a header that one byte measures"));
            block.extend(text.as_bytes());
        }
    }
    frame(HEADERS, END_HEADERS | flags, stream, &block)
}

pub fn data(stream: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    frame(DATA, flags, stream, payload)
}

pub fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

pub fn go_away(last_stream: u32, code: u32, debug: &str) -> Vec<u8> {
    let mut payload = last_stream.to_be_bytes().to_vec();
    payload.extend(code.to_be_bytes());
    payload.extend(debug.as_bytes());
    frame(GOAWAY, 0, 0, &payload)
}

/// A gRPC message that claims to be `length` bytes long.
pub fn message_of(length: usize, bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![0];
    message.extend(u32::try_from(length).unwrap().to_be_bytes());
    message.extend(bytes);
    message
}

pub fn message(bytes: &[u8]) -> Vec<u8> {
    message_of(bytes.len(), bytes)
}

/// The head of every gRPC reply that is one.
pub fn head(stream: u32) -> Vec<u8> {
    headers(stream, 0, &[(":status", "200"), ("content-type", "application/grpc")])
}

/// A whole reply: head, message, and a good end.
pub fn reply(stream: u32, bytes: &[u8]) -> Vec<u8> {
    [head(stream), data(stream, 0, &message(bytes)), headers(stream, END_STREAM, &[("grpc-status", "0")])]
        .concat()
}

/// Trailers only: a head that is also the end.
pub fn status(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    let head = [(":status", "200"), ("content-type", "application/grpc")];
    headers(stream, END_STREAM, &[&head, fields].concat())
}

/// What a proxy answers: a page.
pub fn page(stream: u32, code: &str) -> Vec<u8> {
    let head = headers(stream, 0, &[(":status", code), ("content-type", "text/html")]);
    [head, data(stream, END_STREAM, b"<html><body>sorry</body></html>")].concat()
}
