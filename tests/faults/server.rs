//! A server on a loopback socket that fails as it is told, so often, and is well ever after.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::calls::Kind;
use crate::wire;

/// What goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// Nothing listens where the name leads.
    Refused,
    /// The name leads nowhere.
    Unresolved,
    /// The connection closes when the request has arrived, before anyone read it.
    Unread,
    /// The connection is accepted, and not a byte comes back.
    Mute,
    /// The connection stands, and from the request on nothing comes over it any more.
    Dead,
    /// The server speaks HTTP/1.1, and hears gibberish.
    Http1,
    /// The reply comes, between a GOAWAY that covers it and the end of the connection.
    Farewell,
    /// The server sends these bytes in place of a reply; then it stays, or closes.
    Reply(Arc<dyn Fn(u32) -> Vec<u8> + Send + Sync>, After),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum After {
    Stay,
    Close,
}

/// The server; it ends when this is dropped.
pub struct Server {
    address: SocketAddr,
    state: State,
    _tasks: JoinSet<()>,
    /// Bound and never listening: whoever connects is refused, and nobody else gets the port.
    closed: TcpSocket,
}

#[derive(Clone)]
struct State {
    fault: Fault,
    left: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    kind: Kind,
}

impl State {
    fn is_due(&self) -> bool {
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

impl Server {
    /// Fails `times`, then answers calls of this kind.
    pub async fn start(fault: &Fault, times: usize, kind: Kind) -> Self {
        let closed = TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            fault: fault.clone(),
            left: Arc::new(AtomicUsize::new(times)),
            requests: Arc::default(),
            kind,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, state.clone()));
        Self { address, state, _tasks: tasks, closed }
    }

    /// Requests whose head has arrived.
    pub fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Looks the server up, as a resolver would.
    pub fn resolver(&self) -> impl Fn() -> Lookup + Clone + Send + 'static {
        let (state, address, closed) = (self.state.clone(), self.address, self.closed.local_addr().unwrap());
        move || match state.fault {
            Fault::Refused if state.is_due() => Lookup::At(closed),
            Fault::Unresolved if state.is_due() => Lookup::Nowhere,
            _ => Lookup::At(address),
        }
    }
}

pub enum Lookup {
    At(SocketAddr),
    Nowhere,
}

async fn accept(listener: TcpListener, state: State) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let state = state.clone();
        // What a client does to its end of the connection is its own business.
        connections.spawn(async move { serve(socket, state).await.unwrap_or_default() });
    }
}

async fn serve(mut socket: TcpStream, state: State) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let settings = wire::frame(wire::SETTINGS, 0, 0, &[]);
    if matches!(state.fault, Fault::Unread) && state.is_due() {
        socket.write_all(&settings).await?;
        return close_when_the_request_is_there(&socket, &state).await;
    }
    let is_mute = matches!(state.fault, Fault::Mute) && state.is_due();
    let is_http1 = matches!(state.fault, Fault::Http1) && state.is_due();
    socket.read_exact(&mut [0; wire::PREFACE.len()]).await?;
    if is_http1 {
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\r\nwhat?").await?;
        return close(&mut socket).await;
    }
    if !is_mute {
        socket.write_all(&settings).await?;
    }
    let mut is_dead = false;
    let mut request = Vec::new();
    loop {
        let Frame { kind, flags, stream, payload } = read_frame(&mut socket).await?;
        if kind == wire::HEADERS {
            state.requests.fetch_add(1, Ordering::SeqCst);
            request.clear();
            is_dead |= matches!(state.fault, Fault::Dead) && state.is_due();
        }
        match kind {
            _ if is_mute || is_dead => {}
            wire::SETTINGS if flags & wire::ACK == 0 => {
                socket.write_all(&wire::frame(wire::SETTINGS, wire::ACK, 0, &[])).await?;
            }
            wire::PING if flags & wire::ACK == 0 => {
                socket.write_all(&wire::frame(wire::PING, wire::ACK, 0, &payload)).await?;
            }
            wire::DATA => {
                request.extend(payload);
                if flags & wire::END_STREAM == 0 {
                    continue;
                }
                let answer = wire::reply(stream, &state.kind.reply(request.get(5..).unwrap_or_default()));
                let (bytes, after) = match &state.fault {
                    Fault::Reply(bytes, after) if state.is_due() => (bytes(stream), *after),
                    Fault::Farewell if state.is_due() => {
                        ([wire::go_away(stream, 0, "max_age"), answer].concat(), After::Close)
                    }
                    _ => (answer, After::Stay),
                };
                socket.write_all(&bytes).await?;
                if after == After::Close {
                    return close(&mut socket).await;
                }
            }
            _ => {}
        }
    }
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

async fn read_frame(socket: &mut TcpStream) -> io::Result<Frame> {
    // A length of three bytes and the type: one word.
    let word = socket.read_u32().await?;
    let (flags, stream) = (socket.read_u8().await?, socket.read_u32().await?);
    let mut payload = vec![0; (word >> 8) as usize];
    socket.read_exact(&mut payload).await?;
    Ok(Frame { kind: word.to_be_bytes()[3], flags, stream, payload })
}

/// Says goodbye, and reads to the end: to close over unread bytes would reset the connection, and the client
/// might lose what was sent last.
async fn close(socket: &mut TcpStream) -> io::Result<()> {
    socket.shutdown().await?;
    while socket.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}

/// Leaves the bytes where they are, so that the kernel resets the connection.
async fn close_when_the_request_is_there(socket: &TcpStream, state: &State) -> io::Result<()> {
    let mut seen = [0; 4096];
    loop {
        let length = socket.peek(&mut seen).await?;
        if length == 0 || has_request(seen.get(..length).unwrap_or_default()) {
            state.requests.fetch_add(1, Ordering::SeqCst);
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn has_request(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(wire::PREFACE.len()..).unwrap_or_default();
    while let [a, b, c, kind, _, _, _, _, _, after @ ..] = rest {
        if *kind == wire::HEADERS {
            return true;
        }
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        rest = after.get(length..).unwrap_or_default();
    }
    false
}
