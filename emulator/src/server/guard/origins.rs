//! Pages that may call the emulator although it has not served them: those of its own name, and those that its owner
//! names. To the latter, browsers show replies only with the headers of CORS (the Fetch standard).

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::hosts::Authority;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
/// Of what was asked beforehand, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
/// Asked by a page of the network about this machine.
const REQUEST_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Where a page is from: scheme, host and port (RFC 6454).
#[derive(Clone, Debug)]
struct Origin {
    scheme: String,
    authority: Authority,
}

impl Origin {
    /// `None` for anything else, such as `null`.
    fn read(text: &[u8]) -> Option<Self> {
        let (scheme, authority) = std::str::from_utf8(text).ok()?.split_once("://")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let is_scheme = !scheme.is_empty() && scheme.bytes().all(is_plain);
        let authority = Authority::read(authority.as_bytes()).filter(|_| is_scheme)?;
        Some(Self { scheme: scheme.to_ascii_lowercase(), authority })
    }

    /// The port that is meant where none is named.
    fn port(&self) -> Option<u16> {
        match self.scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.authority.is_same(&other.authority, self.port())
    }
}

/// Whether a page is of the name by which the emulator was asked.
pub(super) fn is_of(origin: &HeaderValue, own: &Authority) -> bool {
    let origin = Origin::read(origin.as_bytes());
    origin.is_some_and(|origin| origin.authority.is_same(own, origin.port()))
}

/// Pages of elsewhere that are allowed.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins(Vec<Origin>);

impl Origins {
    pub(super) fn new(allowed: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            Origin::read(text.as_bytes()).ok_or_else(|| {
                format!("`{text}` is not an origin: SCHEME://HOST[:PORT], such as `http://localhost:3000`")
            })
        };
        allowed.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// What a page of this origin needs to see, if it is allowed.
    pub(super) fn allowed(&self, origin: &HeaderValue) -> Option<Cors> {
        let page = Origin::read(origin.as_bytes())?;
        self.0.iter().any(|allowed| allowed.is(&page)).then(|| Cors(Some(origin.clone())))
    }
}

/// The headers by which a browser lets an allowed page see a reply; by default there are none.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Cors(Option<HeaderValue>);

impl Cors {
    pub(super) fn is_allowed(&self) -> bool {
        self.0.is_some()
    }

    /// The answer to a browser that asks beforehand what a page may send.
    pub(in super::super) fn preflight<B, R: Default>(&self, request: &Request<B>) -> Option<Response<R>> {
        let headers = request.headers();
        let is_asked =
            request.method() == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !self.is_allowed() || !is_asked {
            return None;
        }
        let mut reply = Response::new(R::default());
        *reply.status_mut() = StatusCode::NO_CONTENT;
        let shown = reply.headers_mut();
        shown.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        shown.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        if let Some(wanted) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            shown.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        if headers.contains_key(REQUEST_PRIVATE) {
            shown.insert(ALLOW_PRIVATE, HeaderValue::from_static("true"));
        }
        self.show(shown);
        Some(reply)
    }

    /// Adds to the headers of a reply.
    pub(in super::super) fn show(&self, headers: &mut HeaderMap) {
        if let Some(origin) = &self.0 {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_of_the_name_that_was_asked_whatever_stands_for_the_port() {
        let is_of = |origin: &str, own: &str| {
            super::is_of(&origin.parse().unwrap(), &Authority::read(own.as_bytes()).unwrap())
        };
        for (origin, own) in [
            ("http://127.0.0.1:9420", "127.0.0.1:9420"),
            ("http://localhost", "localhost:80"),
            ("http://LOCALHOST:80", "localhost"),
            ("https://localhost", "localhost"),
            ("https://[::1]:9420", "[0:0::1]:9420"),
        ] {
            assert!(is_of(origin, own), "{origin} {own}");
        }
        for (origin, own) in [
            ("null", "localhost"),
            ("", "localhost"),
            ("http://localhost:3000", "localhost:9420"),
            ("http://localhost", "localhost:9420"),
            ("http://localhost:9420", "127.0.0.1:9420"),
            ("http://localhost:9420/", "localhost:9420"),
            ("http://localhost:9420.evil.com", "localhost:9420"),
            ("http://user@localhost:9420", "localhost:9420"),
            ("localhost:9420", "localhost:9420"),
            ("://localhost:9420", "localhost:9420"),
        ] {
            assert!(!is_of(origin, own), "{origin} {own}");
        }
    }

    #[test]
    fn what_is_no_origin_cannot_be_allowed() {
        for bad in
            ["", "*", "null", "localhost:3000", "http://", "http://localhost:3000/app", "http://*.test"]
        {
            let error = Origins::new(&[bad.to_owned()]).unwrap_err();
            assert!(error.contains(&format!("`{bad}`")), "{error}");
        }
        let origins =
            Origins::new(&["http://localhost:3000".into(), "chrome-extension://abc".into()]).unwrap();
        for (page, is_allowed) in [
            ("http://localhost:3000", true),
            ("chrome-extension://abc", true),
            ("https://localhost:3000", false),
            ("http://localhost:3001", false),
            ("http://localhost", false),
            ("null", false),
        ] {
            assert_eq!(origins.allowed(&page.parse().unwrap()).is_some(), is_allowed, "{page}");
        }
    }
}
