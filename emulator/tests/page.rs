//! The page at `/`: who gets it, what its headers forbid, and that clients of the API get what they got.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use support::World;

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
/// The page, its script and its style.
const FILES: [(&str, &str); 3] = [
    ("/", "text/html; charset=utf-8"),
    ("/_emulator/page.js", "text/javascript; charset=utf-8"),
    ("/_emulator/page.css", "text/css; charset=utf-8"),
];

async fn ask(
    world: &World,
    verb: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, String) {
    let url = format!("{}{path}", world.emulator.endpoint());
    let request = world.http.request(verb.parse().unwrap(), url);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let reply = request.send().await.unwrap();
    let (status, headers) = (reply.status(), reply.headers().clone());
    (status, headers, reply.text().await.unwrap())
}

#[tokio::test]
async fn r59_a_browser_gets_the_page_and_its_files_and_nothing_of_it_is_a_call() {
    let world = World::new("polls:2").await;
    let mut size = 0;
    for (path, kind) in FILES {
        let (status, headers, text) = ask(&world, "GET", path, &[HTML]).await;
        assert_eq!((status.as_u16(), headers["content-type"].to_str().unwrap()), (200, kind), "{path}");
        let (head_status, head, body) = ask(&world, "HEAD", path, &[HTML]).await;
        assert_eq!((head_status, body.as_str()), (status, ""), "{path}");
        assert_eq!((&head["content-length"], &head["etag"]), (&headers["content-length"], &headers["etag"]));
        let tag = headers["etag"].to_str().unwrap();
        let (status, _, body) = ask(&world, "GET", path, &[HTML, ("if-none-match", tag)]).await;
        assert_eq!((status.as_u16(), body.as_str()), (304, ""), "{path}");
        size += text.len();
    }
    assert!((10_000..=200_000).contains(&size), "{size} bytes");
    assert!(world.emulator.journal().entries().is_empty(), "to look at the page is not a call of the API");
}

#[tokio::test]
async fn r59_the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline() {
    let world = World::new("polls:2").await;
    for (path, _) in FILES {
        let (_, headers, _) = ask(&world, "GET", path, &[HTML]).await;
        let policy = headers["content-security-policy"].to_str().unwrap();
        let mut directives = policy.split(';').map(str::trim);
        assert_eq!(directives.next(), Some("default-src 'none'"), "{policy}");
        for directive in directives {
            let (name, sources) = directive.split_once(' ').unwrap();
            let allowed: &[&str] =
                if name == "img-src" { &["'self'", "data:"] } else { &["'self'", "'none'"] };
            assert!(sources.split(' ').all(|source| allowed.contains(&source)), "{directive}");
        }
        for wanted in ["script-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(wanted), "{policy}");
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-cache"),
            ("vary", "accept"),
        ] {
            assert_eq!(headers[name], value, "{path}");
        }
    }
}

#[tokio::test]
async fn r59_clients_of_the_api_get_json_at_the_same_path() {
    let world = World::new("polls:2").await;
    for accept in [&[][..], &[("accept", "*/*")], &[("accept", "application/json")]] {
        let (status, headers, text) = ask(&world, "GET", "/", accept).await;
        assert_eq!(
            (status.as_u16(), &headers["content-type"]),
            (404, &"application/json; charset=UTF-8".parse().unwrap())
        );
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["error"]["details"][0]["reason"], "UNKNOWN_PATH", "{text}");
    }
    assert_eq!(ask(&world, "POST", "/", &[HTML]).await.0, 404);
    assert_eq!(world.emulator.journal().entries().len(), 4, "as before, these are calls");
    for path in ["/_emulator/page.txt", "/_emulator/page.js/", "/_emulator/"] {
        let (status, headers, text) = ask(&world, "GET", path, &[HTML]).await;
        assert_eq!(
            (status.as_u16(), &headers["content-type"]),
            (404, &"application/json; charset=UTF-8".parse().unwrap())
        );
        assert!(text.contains("UNKNOWN_PATH"), "{text}");
    }
}

#[tokio::test]
async fn r59_the_guard_stands_before_the_page() {
    let world = World::new("polls:2").await;
    let link =
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let followed: Vec<_> = link.into_iter().chain([HTML]).collect();
    assert_eq!(ask(&world, "GET", "/", &followed).await.0, 200, "a link may be anywhere");
    for (path, _) in FILES {
        for foreign in [
            &[HTML, ("host", "rebound.example")][..],
            &[HTML, ("origin", "https://example.com")],
            &[HTML, ("sec-fetch-site", "cross-site")],
            &[
                HTML,
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "iframe"),
            ],
        ] {
            let (status, _, text) = ask(&world, "GET", path, foreign).await;
            assert!(status == 403 && text.contains("PERMISSION_DENIED"), "{path} {foreign:?} {text}");
        }
        // By any name that leads here, on whatever port that is mapped to this one.
        let own = [HTML, ("host", "localhost:49153"), ("sec-fetch-site", "same-origin")];
        assert_eq!(ask(&world, "GET", path, &own).await.0, 200, "{path}");
    }
}
