//! What goes wrong with TLS is said, and once it is mended the next call of the same client works.

use std::fs;
use std::sync::Arc;

use contact_center_insights::transport::Tls;
use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};

use crate::certificates::{Authority, Leaf, NOW, Years, server};
use crate::server::{Manner, Server};
use crate::support::NAME;
use crate::{client, fails, works};

const BOTH: &[&rustls::SupportedProtocolVersion] = &[&TLS13, &TLS12];

fn plainly(leaf: &Leaf) -> Arc<ServerConfig> {
    server(leaf, None, &["h2"], BOTH)
}

/// The server is wrong, the client says so at once, the server is put right, and the client goes on.
async fn mended(broken: Manner, good: Manner, scheme: &str, tls: Tls, expected: &str) {
    let server = Server::start(broken).await;
    let client =
        client(&format!("{scheme}://localhost:{}", server.address.port()), |builder| builder.with_tls(tls));
    let (error, text) = fails(&client).await;
    assert!(text.contains(expected), "{text}");
    assert!(!error.is_transient(), "to try again at once would only delay the message: {text}");
    assert_eq!(server.script.calls(), 0, "{expected}");
    server.speak(good);
    works(&client).await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_is_named() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let cases = [
        (theirs.sign("localhost", NOW), "is signed by no authority that this client trusts"),
        (ours.sign("other.test", NOW), "is for another host"),
        (ours.sign("localhost", Years(2000, 2020)), "has expired"),
        (ours.sign("localhost", Years(3000, 4000)), "is not valid yet"),
    ];
    for (leaf, expected) in cases {
        let good = Manner::Tls(plainly(&ours.sign("localhost", NOW)));
        mended(Manner::Tls(plainly(&leaf)), good, "https", ours.trust(), expected).await;
    }
}

#[tokio::test]
async fn a_missing_client_certificate_is_asked_for() {
    let authority = Authority::new();
    let leaf = authority.sign("localhost", NOW);
    // TLS 1.3 tells the client only after it has finished; 1.2 in the handshake.
    for version in BOTH {
        let demanding = server(&leaf, Some(authority.demand()), &["h2"], &[*version]);
        let expected = "wants a client certificate, and this client has none";
        mended(Manner::Tls(demanding), Manner::Tls(plainly(&leaf)), "https", authority.trust(), expected)
            .await;
    }
}

#[tokio::test]
async fn a_client_certificate_is_accepted_or_its_refusal_told() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let leaf = authority.sign("localhost", NOW);
    for version in BOTH {
        let demanding = || Manner::Tls(server(&leaf, Some(authority.demand()), &["h2"], &[*version]));

        let (chain, key) = authority.sign("client", NOW).pem();
        let accepting = Server::start(demanding()).await;
        let endpoint = format!("https://localhost:{}", accepting.address.port());
        let known =
            client(&endpoint, |builder| builder.with_tls(authority.trust().with_identity_pem(chain, key)));
        works(&known).await;
        assert_eq!(accepting.certificates(), 1);

        let (chain, key) = stranger.sign("client", NOW).pem();
        let tls = authority.trust().with_identity_pem(chain, key);
        let expected = "does not accept the certificate of this client";
        mended(demanding(), Manner::Tls(plainly(&leaf)), "https", tls, expected).await;
    }
}

#[tokio::test]
async fn a_client_certificate_in_files_is_renewed_with_them() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let leaf = authority.sign("localhost", NOW);
    let server = Server::start(Manner::Tls(server(&leaf, Some(authority.demand()), &["h2"], BOTH))).await;
    let folder = tempfile::tempdir().unwrap();
    let (chain_file, key_file) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let write = |leaf: Leaf| {
        let (chain, key) = leaf.pem();
        fs::write(&chain_file, chain).unwrap();
        fs::write(&key_file, key).unwrap();
    };

    write(stranger.sign("client", NOW));
    let client = client(&format!("https://localhost:{}", server.address.port()), |builder| {
        builder.with_tls(authority.trust().with_identity_files(&chain_file, &key_file))
    });
    let (_, text) = fails(&client).await;
    assert!(text.contains("does not accept the certificate of this client"), "{text}");
    write(authority.sign("client", NOW));
    works(&client).await;

    // What cannot be used changes nothing.
    fs::write(&key_file, "in the middle of being written").unwrap();
    server.hang_up();
    while server.certificates() < 2 {
        // The connection may end under a call.
        let _ = client.get_operation(NAME).await;
    }
    works(&client).await;
}

#[tokio::test]
async fn a_server_without_http2_is_told_from_one_that_fails() {
    let authority = Authority::new();
    let leaf = authority.sign("localhost", NOW);
    for alpn in [&[][..], &["http/1.1"]] {
        let old = Manner::Tls(server(&leaf, None, alpn, BOTH));
        let expected = "does not offer HTTP/2 (ALPN `h2`)";
        mended(old, Manner::Tls(plainly(&leaf)), "https", authority.trust(), expected).await;
    }
}

#[tokio::test]
async fn the_wrong_scheme_is_found_out_in_both_directions() {
    let authority = Authority::new();
    let secure = || Manner::Tls(plainly(&authority.sign("localhost", NOW)));
    let expected = "use http:// in the endpoint";
    mended(Manner::Plain, secure(), "https", authority.trust(), expected).await;
    let expected = "answered by TLS; use https:// in the endpoint";
    mended(secure(), Manner::Plain, "http", Tls::default(), expected).await;
}
