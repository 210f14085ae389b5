//! Where an emulator listens, to whom, how it is found, and how it is asked whether it serves.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::{Server, cci, cci_in, directory};

/// The head of the answer to a GET with these headers.
fn get(server: &Server, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn names_and_pages_are_served_that_are_allowed() {
    let server = Server::start(&["--allow-host", "*.test", "--allow-origin", "http://localhost:3000"]);
    let status = "/_emulator/v1/status";
    assert!(get(&server, status, "Host: emulator.test\r\n").starts_with("HTTP/1.1 200 "));
    let refused = get(&server, status, "Host: rebound.example\r\n");
    assert!(
        refused.starts_with("HTTP/1.1 403 ") && refused.contains("--allow-host rebound.example"),
        "{refused}"
    );
    let page = get(&server, status, "Host: localhost\r\nOrigin: http://localhost:3000\r\n");
    assert!(page.contains("access-control-allow-origin: http://localhost:3000\r\n"), "{page}");
    let other = get(&server, status, "Host: localhost\r\nOrigin: http://localhost:3001\r\n");
    assert!(other.starts_with("HTTP/1.1 403 ") && other.contains("--allow-origin"), "{other}");

    for (flags, words) in [
        (["--allow-host", "http://x"], "`http://x` is not the name of a host"),
        (["--allow-origin", "*"], "`*` is not an origin"),
        (["--idle-timeout", "soon"], "--idle-timeout"),
        (["--host", "emulator.test"], "neither an IP address nor `localhost`"),
    ] {
        let run = cci(&[&["emulator", "--port", "0"], &flags[..]].concat());
        assert!(run.code == 2 && run.stderr.contains(words), "{}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn nobody_is_told_to_connect_to_all_addresses() {
    for (host, reached) in [("localhost", "127.0.0.1:"), ("0.0.0.0", "127.0.0.1:")] {
        let mut server = Server::with_stderr(&["--host", host, "--idle-timeout", "1h"]);
        assert!(server.address.starts_with(reached), "{}", server.address);
        // Ended well, it has said all that it says.
        crate::support::signal(&server.child, "TERM");
        let mut words = String::new();
        server.child.stderr.take().unwrap().read_to_string(&mut words).unwrap();
        assert!(words.contains(&server.address) && !words.contains("0.0.0.0"), "{words}");
    }
    let run = cci(&["emulator", "env", "--lang", "node", "--address", "0.0.0.0:99"]);
    assert!(run.stdout.contains("'127.0.0.1'") && !run.stdout.contains("0.0.0.0"), "{}", run.stdout);
    let run = cci(&["emulator", "env", "--lang", "go", "--address", "[::]:99"]);
    assert!(run.stdout.contains("\"[::1]:99\""), "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn the_file_with_the_address_is_removed_at_the_end() {
    let file = directory();
    let mut server = Server::start(&["--addr-file", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{}\n", server.address));
    crate::support::signal(&server.child, "TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(!file.exists());

    let mut server = Server::start(&["--addr-file", file.to_str().unwrap()]);
    std::fs::write(&file, "127.0.0.1:1\n").unwrap();
    crate::support::signal(&server.child, "TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "127.0.0.1:1\n", "another emulator's is left alone");
    let run = cci(&["emulator", "exec", "--addr-file", file.to_str().unwrap(), "--", "true"]);
    assert!(run.code == 0 && !file.exists(), "{}", run.stderr);
}

#[test]
fn health_is_an_exit_code() {
    let server = Server::start(&[]);
    let health = ["emulator", "health"];
    let run = cci(&[&health[..], &["--endpoint", &server.endpoint]].concat());
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    let run = cci_in(&[("CONTACTCENTERINSIGHTS_EMULATOR_HOST", &server.address)], &health);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let address = server.address.clone();
    drop(server);
    let run = cci_in(&[("CONTACTCENTERINSIGHTS_EMULATOR_HOST", &address)], &health);
    assert!(run.code == 69 && run.stderr.contains(&address), "{}", run.stderr);
    assert_eq!(cci(&[&health[..], &["--endpoint", "ftp://x"]].concat()).code, 2);

    let secure = Server::start(&["--tls"]);
    let run = cci_in(&[("CONTACTCENTERINSIGHTS_EMULATOR_HOST", &secure.address)], &health);
    assert!(run.code == 69 && run.stderr.contains("400"), "it speaks TLS: {}", run.stderr);
}

#[cfg(unix)]
#[test]
fn the_command_of_exec_gets_no_token_of_the_service() {
    let variables = [("CCI_ACCESS_TOKEN", "ya29.secret"), ("OTHER", "kept")];
    let script = "echo \"$CCI_ACCESS_TOKEN:$OTHER\"; env | grep -c ya29";
    let run = cci_in(&variables, &["emulator", "exec", "--", "/bin/sh", "-c", script]);
    assert_eq!(run.stdout, ":kept\n0\n", "{}", run.stderr);
    let run = cci(&[
        "emulator",
        "exec",
        "--host",
        "0.0.0.0",
        "--",
        "/bin/sh",
        "-c",
        "echo $CONTACTCENTERINSIGHTS_EMULATOR_HOST $NO_PROXY",
    ]);
    assert!(
        run.stdout.starts_with("127.0.0.1:") && run.stdout.contains(" 127.0.0.1,localhost"),
        "{}",
        run.stdout
    );
}

#[test]
fn bodies_are_in_the_journal_if_that_is_asked_for() {
    let server = Server::start(&["--journal-bodies"]);
    server.train();
    let journal = server.http("GET", "/_emulator/v1/journal", "");
    assert_eq!(journal["calls"][0]["request"]["issueModel"]["displayName"], "m", "{journal}");
}
