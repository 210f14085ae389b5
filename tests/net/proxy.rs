//! Proxies on loopback sockets: CONNECT, in the clear or over TLS, and SOCKS 5. They lead to one server, whatever they
//! are asked for, and keep what they saw.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use rustls::ServerConfig;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, ReadBuf, copy_bidirectional,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What the proxy does with the next connection.
#[derive(Clone)]
pub enum Manner {
    /// Opens a way, if the authorization is this one.
    Connect(Option<&'static str>),
    /// The same over TLS.
    Secure(Arc<ServerConfig>),
    /// Answers with these bytes, and closes.
    Answer(&'static str),
    /// The same, before it has been asked anything.
    Blurt(&'static str),
    /// Closes when it has been asked.
    Close,
    /// Hears, and says nothing.
    Mute,
    /// SOCKS 5, with this user name and password.
    Socks(Option<(&'static str, &'static str)>),
}

/// The proxy; it ends when this is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<u8>>>,
    manner: Arc<Mutex<Manner>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub async fn start(manner: Manner, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (manner, seen) = (Arc::new(Mutex::new(manner)), Arc::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, manner.clone(), Arc::clone(&seen)));
        Self { address, seen, manner, _tasks: tasks }
    }

    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// All bytes that came from clients, as far as they are text.
    pub fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    seen: Arc<Mutex<Vec<u8>>>,
) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let (manner, seen) = (manner.lock().unwrap().clone(), seen.clone());
        // What a client does to its end of the connection is its own business.
        connections.spawn(async move { serve(socket, server, manner, seen).await.unwrap_or_default() });
    }
}

async fn serve(
    socket: TcpStream,
    server: SocketAddr,
    manner: Manner,
    seen: Arc<Mutex<Vec<u8>>>,
) -> io::Result<()> {
    match manner {
        Manner::Connect(authorization) => {
            connect(BufReader::new(Spy { inner: socket, seen }), server, authorization).await
        }
        Manner::Secure(config) => {
            let stream = TlsAcceptor::from(config).accept(socket).await?;
            connect(BufReader::new(Spy { inner: stream, seen }), server, None).await
        }
        Manner::Answer(answer) => {
            let mut stream = BufReader::new(Spy { inner: socket, seen });
            head(&mut stream).await?;
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        }
        Manner::Blurt(answer) => {
            let mut socket = socket;
            socket.write_all(answer.as_bytes()).await?;
            socket.shutdown().await?;
            socket.read_to_end(&mut Vec::new()).await.map(drop)
        }
        Manner::Close => head(&mut BufReader::new(Spy { inner: socket, seen })).await.map(drop),
        Manner::Mute => {
            let mut stream = BufReader::new(Spy { inner: socket, seen });
            head(&mut stream).await?;
            std::future::pending().await
        }
        Manner::Socks(user) => socks(BufReader::new(Spy { inner: socket, seen }), server, user).await,
    }
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(char::from(stream.read_u8().await?));
    }
    Ok(head)
}

async fn connect(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    server: SocketAddr,
    authorization: Option<&str>,
) -> io::Result<()> {
    let head = head(&mut stream).await?.to_ascii_lowercase();
    assert!(head.starts_with("connect ") && head.contains("\r\nhost: "), "{head}");
    let expected =
        authorization.map(|value| format!("proxy-authorization: {value}\r\n").to_ascii_lowercase());
    if expected.is_some_and(|expected| !head.contains(&expected)) {
        let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\
            content-length: 0\r\n\r\n";
        return stream.write_all(answer).await;
    }
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut stream, &mut TcpStream::connect(server).await?).await.map(drop)
}

/// RFC 1928, with RFC 1929 for the password.
async fn socks(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    server: SocketAddr,
    user: Option<(&str, &str)>,
) -> io::Result<()> {
    assert_eq!(stream.read_u8().await?, 5);
    let mut methods = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut methods).await?;
    let method = if user.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        return stream.write_all(&[5, 0xff]).await;
    }
    stream.write_all(&[5, method]).await?;
    if let Some((user, password)) = user {
        assert_eq!(stream.read_u8().await?, 1);
        let given = (text(&mut stream).await?, text(&mut stream).await?);
        let is_known = given == (user.to_owned(), password.to_owned());
        stream.write_all(&[1, u8::from(!is_known)]).await?;
        if !is_known {
            return Ok(());
        }
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    assert_eq!(request, [5, 1, 0, 3], "CONNECT to a name, which is looked up here");
    text(&mut stream).await?;
    stream.read_u16().await?;
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await?;
    copy_bidirectional(&mut stream, &mut TcpStream::connect(server).await?).await.map(drop)
}

async fn text(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut text = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut text).await?;
    Ok(String::from_utf8(text).unwrap())
}

/// Keeps what is read.
struct Spy<S> {
    inner: S,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Spy<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        self.seen.lock().unwrap().extend(&buffer.filled()[before..]);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Spy<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
