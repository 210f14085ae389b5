//! Calls through proxies: only TLS goes through, refusals are explained, and the environment is obeyed.

use std::net::SocketAddr;
use std::process::Command;

use contact_center_insights::auth::Token;
use contact_center_insights::error::Setting;
use contact_center_insights::{Client, Credentials};
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpSocket;

use crate::certificates::{Authority, NOW, server};
use crate::proxy::{Manner, Proxy};
use crate::server::{Manner as Speech, Server};
use crate::{TOKEN, chain, client, fails, works};

/// A name that only the proxy can lead to.
const HOST: &str = "insights.example.test";

/// An authority, a server with its certificate for the host, and the way that the proxy speaks.
async fn behind(manner: Manner) -> (Authority, Server, Proxy) {
    let authority = Authority::new();
    let config = server(&authority.sign(HOST, NOW), None, &["h2"], &[&TLS13, &TLS12]);
    let server = Server::start(Speech::Tls(config)).await;
    let proxy = Proxy::start(manner, server.address).await;
    (authority, server, proxy)
}

#[tokio::test]
async fn a_call_goes_through_a_proxy_that_sees_nothing_of_it() {
    // "user:se:cret%" in base64.
    const AUTHORIZATION: &str = "Basic dXNlcjpzZTpjcmV0JQ==";
    let cases = [
        (Manner::Connect(None), "http", ""),
        (Manner::Connect(Some(AUTHORIZATION)), "http", "user:se:cret%25@"),
        (Manner::Socks(None), "socks5", ""),
        (Manner::Socks(Some(("user", "se:cret%"))), "socks5h", "user:se:cret%25@"),
    ];
    for (manner, scheme, user) in cases {
        let (authority, server, proxy) = behind(manner).await;
        let url = format!("{scheme}://{user}{}", proxy.address);
        let client = client(&format!("https://{HOST}"), |builder| {
            builder.with_tls(authority.trust()).with_proxy(url.clone())
        });
        works(&client).await;
        assert_eq!(server.script.seen()[0].headers.get("authorization").unwrap(), &format!("Bearer {TOKEN}"));
        let seen = proxy.seen();
        assert!(seen.contains(HOST) && !seen.contains("planted") && !seen.contains("operations"), "{seen:?}");
        assert!(!format!("{client:?}").contains("cret"), "{client:?}");
    }
}

#[tokio::test]
async fn a_proxy_behind_tls_is_asked_over_tls() {
    let (authority, target, proxy) = behind(Manner::Close).await;
    let own = authority.sign("localhost", NOW);
    proxy.behave(Manner::Secure(server(&own, None, &[], &[&TLS13])));
    let through = || {
        client(&format!("https://{HOST}"), |builder| {
            let url = format!("https://localhost:{}", proxy.address.port());
            builder.with_tls(authority.trust()).with_proxy(url)
        })
    };
    works(&through()).await;
    assert_eq!(target.script.calls(), 1);
    assert!(!proxy.seen().contains("planted"));
    proxy.behave(Manner::Blurt("HTTP/1.1 400 Bad Request\r\n\r\n"));
    let (_, text) = fails(&through()).await;
    assert!(text.contains("does not speak TLS; use http:// in its URL"), "{text}");
}

#[tokio::test]
async fn a_plaintext_server_is_reached_through_a_proxy_if_nothing_is_secret() {
    let target = Server::start(Speech::Plain).await;
    let proxy = Proxy::start(Manner::Connect(None), target.address).await;
    let client = Client::builder()
        .with_endpoint(format!("http://{HOST}:8080"))
        .with_credentials(Credentials::anonymous())
        .with_proxy(format!("http://{}", proxy.address))
        .build()
        .unwrap();
    works(&client).await;
    assert!(proxy.seen().starts_with(&format!("CONNECT {HOST}:8080 HTTP/1.1\r\n")), "{}", proxy.seen());
    let with_token = Client::builder()
        .with_endpoint("http://127.0.0.1:8080")
        .with_credentials(Credentials::from_token(Token::new(TOKEN).unwrap()))
        .with_proxy(format!("http://{}", proxy.address));
    assert_eq!(with_token.build().unwrap_err().setting(), Some(Setting::Credentials));
}

#[tokio::test]
async fn what_a_proxy_refuses_is_explained_and_may_be_mended() {
    let forbidden = "HTTP/1.1 403 Forbidden\r\ncontent-length: 5\r\n\r\nno no";
    let unavailable = "HTTP/1.1 503 Service Unavailable\r\n\r\n";
    let asking = Manner::Connect(Some("Basic never"));
    let cases = [
        (asking.clone(), "", "asks for a user name and password (HTTP 407)", false),
        (asking, "user:planted@", "does not accept the user name and password in its URL", false),
        (Manner::Answer(forbidden), "", "(HTTP 403 Forbidden); allow it there", false),
        (Manner::Answer(unavailable), "", "cannot reach `insights.example.test:443` (HTTP 503", true),
        (Manner::Answer("SSH-2.0-server\r\n"), "", "broke off before it had answered", true),
        (Manner::Close, "", "broke off before it had answered", true),
    ];
    for (manner, user, expected, is_transient) in cases {
        let (authority, server, proxy) = behind(manner).await;
        let client = client(&format!("https://{HOST}"), |builder| {
            builder.with_tls(authority.trust()).with_proxy(format!("http://{user}{}", proxy.address))
        });
        let (error, text) = fails(&client).await;
        assert!(text.contains(expected), "{text}");
        assert_eq!(error.is_transient(), is_transient, "{text}");
        assert!(!text.contains("planted"), "{text}");
        proxy.behave(Manner::Connect(None));
        works(&client).await;
        assert_eq!(server.script.calls(), 1);
    }
}

#[tokio::test]
async fn a_socks_proxy_that_refuses_is_named() {
    let (authority, _server, proxy) = behind(Manner::Socks(Some(("user", "other")))).await;
    for user in ["", "user:planted@"] {
        let client = client(&format!("https://{HOST}"), |builder| {
            builder.with_tls(authority.trust()).with_proxy(format!("socks5://{user}{}", proxy.address))
        });
        let (_, text) = fails(&client).await;
        assert!(text.contains("the SOCKS proxy") && !text.contains("planted"), "{text}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_mute_or_gone_is_told_from_the_server() {
    // Bound and never listening: whoever connects is refused, and nobody else gets the port.
    let gone = TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (authority, _server, mute) = behind(Manner::Mute).await;
    let through = |address: SocketAddr| {
        client(&format!("https://{HOST}"), |builder| {
            builder.with_tls(authority.trust()).with_proxy(format!("http://{address}"))
        })
    };
    let (_, text) = fails(&through(gone.local_addr().unwrap())).await;
    assert!(text.contains("the proxy `127.0.0.1") && text.contains("cannot be reached"), "{text}");

    let client = through(mute.address);
    let call = tokio::spawn(async move { fails(&client).await });
    while !mute.seen().ends_with("\r\n\r\n") {
        tokio::task::yield_now().await;
    }
    // The proxy has been asked. Now the call alone waits for time to pass.
    tokio::time::pause();
    let (_, text) = call.await.unwrap();
    assert!(text.contains("within 10s: still waiting for the answer of the proxy"), "{text}");
}

/// What the child process of the next test does; by itself it does nothing.
#[tokio::test]
async fn child_that_makes_one_call() {
    let Ok(authority) = std::env::var("CCI_TEST_AUTHORITY") else { return };
    let endpoint = std::env::var("CCI_TEST_ENDPOINT").unwrap();
    let tls =
        contact_center_insights::transport::Tls::default().without_system_roots().with_ca_pem(authority);
    let result = client(&endpoint, |builder| builder.with_tls(tls)).get_operation(crate::support::NAME).await;
    // The environment may have the name looked up, which leads nowhere.
    println!("outcome: {}", result.map_or_else(|error| chain(&error), |_| "it worked".to_owned()));
}

/// A process of its own, since the environment belongs to the process.
async fn in_environment(authority: &Authority, endpoint: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "proxies::child_that_makes_one_call", "--nocapture"]);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    command.env("CCI_TEST_AUTHORITY", authority.pem()).env("CCI_TEST_ENDPOINT", endpoint);
    command.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_environment_leads_through_the_proxy_unless_it_makes_an_exception() {
    let (authority, server, proxy) = behind(Manner::Connect(None)).await;
    let endpoint = format!("https://{HOST}");
    let url = format!("http://{}", proxy.address);
    let in_use: [&[(&str, &str)]; 3] = [
        &[("HTTPS_PROXY", &url)],
        &[("https_proxy", &url), ("NO_PROXY", "example.com")],
        &[("ALL_PROXY", &url)],
    ];
    for (number, variables) in in_use.into_iter().enumerate() {
        let outcome = in_environment(&authority, &endpoint, variables).await;
        assert!(outcome.contains("it worked"), "{variables:?} {outcome}");
        assert_eq!(server.script.calls(), number + 1);
    }
    let seen = proxy.seen().len();
    let unused = [("HTTPS_PROXY", url.as_str()), ("NO_PROXY", ".example.test")];
    let outcome = in_environment(&authority, &endpoint, &unused).await;
    assert!(outcome.contains("has no address"), "{outcome}");
    assert_eq!(proxy.seen().len(), seen, "the proxy was not asked");
}
