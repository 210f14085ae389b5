//! The caller's own ways to a server: a Unix socket, a pipe in memory with TLS over it.

use std::io;
use std::time::Duration;

use contact_center_insights::Transport;
use contact_center_insights::error::Setting;
use rustls::version::TLS13;
use tokio::io::{DuplexStream, duplex};
use tokio_rustls::TlsAcceptor;

use crate::certificates::{Authority, NOW, server};
use crate::server::serve;
use crate::support::{Script, answer, succeeded};
use crate::{TOKEN, client, fails, works};

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_carries_calls() {
    use tokio::net::{UnixListener, UnixStream};

    let path = std::env::temp_dir().join(format!("cci-net-{}.sock", std::process::id()));
    let to = path.clone();
    let client =
        client("http://localhost", |builder| builder.with_connector(move || UnixStream::connect(to.clone())));
    let (_, text) = fails(&client).await;
    assert!(text.contains("the connector of the caller found no way to `localhost:80`"), "{text}");

    let listener = UnixListener::bind(&path).unwrap();
    let script = Script::new([answer(succeeded())]);
    let served = script.clone();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream, served).await;
    });
    works(&client).await;
    let seen = script.seen();
    assert_eq!(seen[0].headers.get("authorization").unwrap(), &format!("Bearer {TOKEN}"));
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn tls_is_spoken_over_a_pipe_in_memory() {
    let authority = Authority::new();
    let config = server(&authority.sign("insights.example.test", NOW), None, &["h2"], &[&TLS13]);
    let script = Script::new([answer(succeeded())]);
    let served = script.clone();
    let pipe = move || {
        let (ours, theirs) = duplex(1 << 16);
        let (config, script) = (config.clone(), served.clone());
        tokio::spawn(async move {
            if let Ok(stream) = TlsAcceptor::from(config).accept(theirs).await {
                serve(stream, script).await;
            }
        });
        async move { Ok::<DuplexStream, io::Error>(ours) }
    };
    let client = client("https://insights.example.test", |builder| {
        let builder = builder.with_connector(pipe).with_tls(authority.trust());
        // As good as none, and no reason to panic.
        builder.with_connect_timeout(Duration::MAX)
    });
    works(&client).await;
    assert_eq!(script.calls(), 1);
}

#[tokio::test]
async fn a_connector_and_a_proxy_exclude_each_other() {
    let both = Transport::builder("https://e.test".parse().unwrap())
        .with_connector(|| async { Err::<DuplexStream, _>(io::Error::other("never called")) })
        .with_proxy("http://proxy.test")
        .build();
    assert_eq!(both.unwrap_err().setting(), Some(Setting::Proxy));
}
