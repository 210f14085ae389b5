//! TLS that fails: the user is told what to do in terms of `cci`, not of the library.

use crate::support::{PARENT, Run, Server, cci_in, file};

fn list(server: &Server, variables: &[(&str, &str)]) -> Run {
    let endpoint = format!("https://{}", server.address.replace("127.0.0.1", "localhost"));
    let variables = [&[("CCI_ACCESS_TOKEN", "t")], variables].concat();
    cci_in(&variables, &["operations", "list", PARENT, "--endpoint", &endpoint, "--request-timeout", "20s"])
}

fn assert_told(run: &Run, code: i32, words: &[&str]) {
    assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{}", run.stderr);
    assert!(!run.stderr.contains("Tls::") && !run.stderr.contains("feature"), "{}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "no `{word}` in {}", run.stderr);
    }
}

#[test]
fn an_authority_that_is_not_trusted_can_be_named() {
    let (ours, others) = (file(""), file(""));
    let (ours, others) = (ours.to_str().unwrap(), others.to_str().unwrap());
    let server = Server::start(&["--tls", "--ca-out", ours]);
    let _other = Server::start(&["--tls", "--ca-out", others]);
    let run = list(&server, &[("SSL_CERT_FILE", others)]);
    assert_told(
        &run,
        69,
        &["signed by no authority that this client trusts\n", "help: ", "SSL_CERT_FILE=FILE"],
    );
    let run = list(&server, &[("SSL_CERT_FILE", ours)]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "[]\n"), "{}", run.stderr);
}

#[test]
fn a_server_that_speaks_no_tls_is_told_with_the_way_to_it() {
    let ca = file("");
    let _other = Server::start(&["--tls", "--ca-out", ca.to_str().unwrap()]);
    let server = Server::start(&[]);
    let run = list(&server, &[("SSL_CERT_FILE", ca.to_str().unwrap())]);
    let plain = server.endpoint.replace("127.0.0.1", "localhost");
    assert_told(&run, 69, &["help: ", &format!("--endpoint {plain}`")]);
}

#[test]
fn roots_and_certificates_that_are_not_there_are_told_with_their_variables() {
    let server = Server::start(&["--tls"]);
    let run = list(&server, &[("SSL_CERT_FILE", "/nonexistent/roots.pem")]);
    assert_told(&run, 2, &["error: cannot set up TLS\n", "help: ", "SSL_CERT_FILE=FILE"]);
    let run = list(&server, &[("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true"), ("HOME", "/nonexistent")]);
    assert_told(
        &run,
        2,
        &[
            "variable `GOOGLE_API_USE_CLIENT_CERTIFICATE`",
            "GOOGLE_API_CERTIFICATE_CONFIG=FILE",
            "cert_configs",
        ],
    );
}
