//! The page for people: HTML at `/` for browsers, with one script and one style, all compiled in.
//!
//! It reads and changes the emulator by the admin API alone, as any client could. Its headers let it load nothing from
//! elsewhere, run nothing that stands in the HTML, and be framed by nobody.

use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};

/// What the page may do: show itself, and talk to this emulator.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A file of the page.
#[derive(Debug)]
struct File {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

/// The page links to the others by relative URLs, so that it works below any prefix.
const FILES: [File; 3] = [
    File { path: "/", kind: "text/html; charset=utf-8", text: include_str!("page/page.html") },
    File {
        path: "/_emulator/page.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("page/page.js"),
    },
    File {
        path: "/_emulator/page.css",
        kind: "text/css; charset=utf-8",
        text: include_str!("page/page.css"),
    },
];

/// Answers a browser that asks for the page or for a part of it; `None` for all else.
pub(crate) fn answer<B>(request: &Request<B>) -> Option<Response<Full<Bytes>>> {
    let is_head = request.method() == Method::HEAD;
    if !is_head && request.method() != Method::GET {
        return None;
    }
    let (at, file) = FILES.iter().enumerate().find(|(_, file)| file.path == request.uri().path())?;
    // What clients of the API get at `/` is JSON, as everywhere.
    if file.path == "/" && !names_html(request.headers()) {
        return None;
    }
    let tag = tags().get(at)?;
    let is_known = request.headers().get_all(IF_NONE_MATCH).iter().any(|known| has_tag(known, tag));
    let body = if is_head || is_known { Bytes::new() } else { Bytes::from_static(file.text.as_bytes()) };
    let mut response = Response::new(Full::new(body));
    let headers = response.headers_mut();
    headers.insert(ETAG, tag.clone());
    // To be asked about each time: the next emulator on this port may be a newer one.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(OPENER, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE, HeaderValue::from_static("same-origin"));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.kind));
        headers.insert(CONTENT_LENGTH, file.text.len().into());
    }
    Some(response)
}

/// Whether a client says that it takes HTML, by this name: `*/*`, which programs send, does not count.
fn names_html(headers: &HeaderMap) -> bool {
    let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    ranges.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_html = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
        // A weight of zero is a refusal (RFC 9110, 12.4.2).
        let is_refused = parts.filter_map(|part| part.split_once('=')).any(|(name, weight)| {
            name.trim().eq_ignore_ascii_case("q")
                && weight.trim().parse().is_ok_and(|weight: f32| weight <= 0.0)
        });
        is_html && !is_refused
    })
}

/// Whether a list of tags has this one (RFC 9110, 13.1.2): whether they are weak does not matter here.
fn has_tag(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else { return false };
    known.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// The tags of the files, which follow from what is in them.
fn tags() -> &'static [HeaderValue; 3] {
    static TAGS: OnceLock<[HeaderValue; 3]> = OnceLock::new();
    TAGS.get_or_init(|| {
        FILES.map(|file| {
            let digest = Sha256::digest(file.text.as_bytes());
            let tag = digest.iter().take(8).fold(0_u64, |tag, byte| tag << 8 | u64::from(*byte));
            HeaderValue::from_str(&format!("\"{tag:016x}\"")).unwrap_or(HeaderValue::from_static("\"page\""))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(verb: &str, path: &str, headers: &[(&str, &str)]) -> Option<Response<Full<Bytes>>> {
        let request = Request::builder().method(verb).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        answer(&request.body(()).unwrap())
    }

    #[test]
    fn r59_only_a_client_that_names_html_gets_the_page() {
        for accept in [
            "text/html",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "application/json, TEXT/HTML;level=1;q=0.3",
        ] {
            assert!(ask("GET", "/", &[("accept", accept)]).is_some(), "{accept}");
        }
        for accept in
            ["*/*", "text/*", "application/json", "text/html;q=0", "text/html; q=0.000", "text/htmlx", ""]
        {
            assert!(ask("GET", "/", &[("accept", accept)]).is_none(), "{accept}");
        }
        assert!(ask("GET", "/", &[]).is_none());
        assert!(ask("GET", "/", &[("accept", "*/*"), ("accept", "text/html")]).is_some());
    }

    #[test]
    fn nothing_else_is_answered() {
        let html = [("accept", "text/html")];
        for (verb, path) in [
            ("POST", "/"),
            ("DELETE", "/_emulator/page.js"),
            ("GET", "/index.html"),
            ("GET", "/_emulator/other.js"),
            ("GET", "/_emulator/page.js/"),
            ("GET", "/_emulator/../page.js"),
            ("GET", "/v1/projects/p"),
        ] {
            assert!(ask(verb, path, &html).is_none(), "{verb} {path}");
        }
    }

    #[test]
    fn the_page_has_no_code_and_no_style_of_its_own_and_is_small() {
        let [page, script, style] = FILES.map(|file| file.text);
        assert!(page.len() + script.len() + style.len() <= 200_000);
        let lower = page.to_ascii_lowercase();
        for bad in
            ["<style", "style=", "javascript:", "onclick=", "onload=", "onerror=", "http://", "https://"]
        {
            assert!(!lower.contains(bad), "{bad}");
        }
        assert_eq!(lower.matches("<script").count(), lower.matches("<script type=\"module\" src=").count());
        for link in ["src=\"_emulator/page.js\"", "href=\"_emulator/page.css\""] {
            assert!(page.contains(link), "{link}");
        }
        for way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "DOMParser",
        ] {
            assert!(!script.contains(way), "{way}: what comes from the server is text");
        }
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        for path in ["/_emulator/page.js", "/_emulator/page.css"] {
            let first = ask("GET", path, &[]).unwrap();
            let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
            for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
                let again = ask("GET", path, &[("if-none-match", &known)]).unwrap();
                assert_eq!(again.status(), 304, "{known}");
                assert_eq!(again.headers().get(CONTENT_LENGTH), None);
                assert_eq!(again.headers()[ETAG], first.headers()[ETAG]);
            }
            assert_eq!(ask("GET", path, &[("if-none-match", "\"x\"")]).unwrap().status(), 200);
        }
        let tags: std::collections::BTreeSet<_> = tags().iter().map(|tag| tag.to_str().unwrap()).collect();
        assert_eq!(tags.len(), 3);
    }
}
