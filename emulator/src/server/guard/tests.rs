//! Requests as clients and browsers send them, and what the guard makes of each.

use http::Response;

use super::*;

fn guard(hosts: &[&str], origins: &[&str]) -> Guard {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    Guard::new(&owned(hosts), &owned(origins)).unwrap()
}

fn request(verb: &str, path: &str, pairs: &[(&str, &str)]) -> Request<()> {
    let builder = Request::builder().method(verb).uri(path);
    pairs.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(()).unwrap()
}

fn reason(result: Result<Cors, Status>) -> Option<String> {
    use contact_center_insights::proto::rpc::ErrorInfo;

    let status = result.err()?;
    assert_eq!(status.code(), Code::PermissionDenied);
    status.detail::<ErrorInfo>().map(|info| info.reason)
}

#[test]
fn programs_and_own_pages_are_answered() {
    let guard = guard(&[], &[]);
    for pairs in [
        &[("host", "127.0.0.1:9420")][..],
        &[("host", "emulator:80")],
        &[("host", "localhost:9420"), ("origin", "http://localhost:9420")],
        &[
            ("host", "localhost:9420"),
            ("origin", "https://localhost:9420"),
            ("sec-fetch-site", "same-origin"),
        ],
        &[("host", "127.0.0.1:9420"), ("sec-fetch-site", "none")],
    ] {
        assert_eq!(reason(guard.check(&request("POST", "/v1/x", pairs), false)), None, "{pairs:?}");
    }
}

#[test]
fn pages_elsewhere_are_refused() {
    let guard = guard(&[], &["http://localhost:3000"]);
    let host = ("host", "127.0.0.1:9420");
    for pairs in [
        &[host, ("origin", "https://example.com")][..],
        &[host, ("origin", "null")],
        &[host, ("origin", "")],
        &[host, ("origin", "http://127.0.0.1:3000")],
        &[host, ("origin", "http://127.0.0.1:9420"), ("origin", "https://example.com")],
        &[host, ("origin", "http://127.0.0.1:9420.example.com")],
        &[host, ("sec-fetch-site", "cross-site")],
        &[host, ("sec-fetch-site", "same-site")],
        &[host, ("sec-fetch-site", "anything")],
        &[host, ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
        &[host, ("origin", "http://127.0.0.1:9420"), ("sec-fetch-site", "cross-site")],
    ] {
        let found = reason(guard.check(&request("POST", "/v1/x", pairs), true));
        assert_eq!(found.as_deref(), Some("FOREIGN_ORIGIN"), "{pairs:?}");
    }
}

#[test]
fn every_name_of_a_request_is_looked_at() {
    let guard = guard(&["allowed.example"], &[]);
    for (uri, pairs, is_served) in [
        ("http://localhost:1/", &[][..], true),
        ("http://rebound.example/", &[], false),
        ("http://localhost/", &[("host", "rebound.example")], false),
        ("http://rebound.example/", &[("host", "localhost")], false),
        ("/", &[("host", "localhost"), ("host", "rebound.example")], false),
        ("/", &[("host", "rebound.example:9420"), ("sec-fetch-site", "same-origin")], false),
        ("/", &[("host", "allowed.example")], true),
        ("/", &[("host", "")], false),
        ("/", &[], false),
    ] {
        let found = reason(guard.check(&request("GET", uri, pairs), true));
        assert_eq!(found.as_deref(), (!is_served).then_some("FOREIGN_HOST"), "{uri} {pairs:?}");
    }
}

#[test]
fn only_http_1_0_on_this_machine_needs_no_name() {
    let guard = guard(&[], &[]);
    let mut old = request("GET", "/", &[]);
    *old.version_mut() = Version::HTTP_10;
    assert_eq!(reason(guard.check(&old, true)), None);
    assert_eq!(reason(guard.check(&old, false)).as_deref(), Some("FOREIGN_HOST"));
    old.headers_mut().insert(HOST, HeaderValue::from_static("rebound.example"));
    assert_eq!(reason(guard.check(&old, true)).as_deref(), Some("FOREIGN_HOST"));
}

#[test]
fn a_link_to_the_first_page_may_be_anywhere() {
    let guard = guard(&[], &[]);
    let link = [
        ("host", "localhost:9420"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    assert_eq!(reason(guard.check(&request("GET", "/", &link), true)), None);
    for (verb, path) in [("POST", "/"), ("GET", "/_emulator/v1/snapshot"), ("GET", "/v1/x")] {
        assert!(reason(guard.check(&request(verb, path, &link), true)).is_some(), "{verb} {path}");
    }
    let framed = [link[0], link[1], link[2], ("sec-fetch-dest", "iframe")];
    assert!(reason(guard.check(&request("GET", "/", &framed), true)).is_some());
    assert!(reason(guard.check(&request("GET", "/", &link[..2]), true)).is_some());
}

#[test]
fn an_allowed_page_may_ask_and_sees_the_reply() {
    let guard = guard(&[], &["http://localhost:3000"]);
    let page = [
        ("host", "127.0.0.1:9420"),
        ("origin", "http://localhost:3000"),
        ("sec-fetch-site", "cross-site"),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "content-type,x-goog-request-params"),
        ("access-control-request-private-network", "true"),
    ];
    let ask = request("OPTIONS", "/v1/x", &page);
    let cors = guard.check(&ask, true).unwrap();
    let reply: Response<()> = cors.preflight(&ask).unwrap();
    assert_eq!(reply.status(), 204);
    for (name, value) in [
        ("access-control-allow-origin", "http://localhost:3000"),
        ("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE"),
        ("access-control-allow-headers", "content-type,x-goog-request-params"),
        ("access-control-allow-private-network", "true"),
        ("vary", "origin"),
    ] {
        assert_eq!(reply.headers()[name], value);
    }
    let call = request("PATCH", "/v1/x", &page[..3]);
    let cors = guard.check(&call, true).unwrap();
    assert!(cors.preflight::<_, ()>(&call).is_none());
    let mut headers = HeaderMap::new();
    cors.show(&mut headers);
    assert_eq!(headers["access-control-allow-origin"], "http://localhost:3000");
    let none = guard.check(&request("GET", "/", &page[..1]), true).unwrap();
    let mut headers = HeaderMap::new();
    none.show(&mut headers);
    assert!(headers.is_empty(), "CORS is off unless a page is allowed");
}

#[test]
fn a_refusal_says_what_to_do_and_quotes_nothing_that_a_shell_would_run() {
    let guard = guard(&[], &[]);
    let words = |host: &str| {
        guard.check(&request("GET", "/", &[("host", host)]), true).unwrap_err().message().to_owned()
    };
    assert!(words("Rebound.example:9420").ends_with("--allow-host rebound.example"));
    assert!(words("$(reboot).example").ends_with("--allow-host NAME"));
    assert!(words(&"a.".repeat(5000)).chars().count() < 800);
}
