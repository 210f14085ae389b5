//! Who is answered: programs, and pages of the emulator's own; not what a page of another site makes a browser send.
//!
//! A page anywhere can make the browser of a developer send requests to this machine. Browsers say where a request comes
//! from, in headers that no page can change, but not always: to plain HTTP under a name that was made to lead here (DNS
//! rebinding), a page is of the same origin and nothing else is said. So the name itself is checked, on every request.

mod hosts;
mod origins;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use contact_center_insights::{Code, Status};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};

use self::hosts::{Authority, Hosts};
pub(super) use self::origins::Cors;
use self::origins::Origins;
use crate::errors;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// Of what a message quotes from a request, in characters.
const MAX_QUOTED: usize = 200;

/// Knows the names and the pages that are served.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    hosts: Hosts,
    origins: Origins,
    /// Whether a refusal is in the log already: a page that goes on trying need not fill it.
    told: Arc<AtomicBool>,
}

/// A name or a page that was to be served, and that cannot be one.
#[derive(Debug)]
pub(crate) enum Unusable {
    Host(String),
    Origin(String),
}

impl Guard {
    /// Serves these names beside those that are always served, and these pages.
    pub(crate) fn new(hosts: &[String], origins: &[String]) -> Result<Self, Unusable> {
        let hosts = Hosts::new(hosts).map_err(Unusable::Host)?;
        let origins = Origins::new(origins).map_err(Unusable::Origin)?;
        Ok(Self { hosts, origins, told: Arc::default() })
    }

    /// `PERMISSION_DENIED` for what may have been sent by a page of another site; otherwise which headers a page needs
    /// to see in the reply. `is_local`: the other side is on this machine.
    pub(super) fn check<B>(&self, request: &Request<B>, is_local: bool) -> Result<Cors, Status> {
        self.checked(request, is_local).map_err(|refusal| {
            let status = refusal.status();
            if !self.told.swap(true, Ordering::Relaxed) {
                tracing::warn!("refused, as all of its kind will be: {}", status.message());
            }
            status
        })
    }

    fn checked<B>(&self, request: &Request<B>, is_local: bool) -> Result<Cors, Refusal> {
        let own = self.named(request, is_local)?;
        let headers = request.headers();
        let mut cors = Cors::default();
        for value in headers.get_all(ORIGIN) {
            match self.origins.allowed(value) {
                Some(allowed) => cors = allowed,
                None if own.as_ref().is_some_and(|own| origins::is_of(value, own)) => {}
                None => return Err(Refusal::page("Origin", value)),
            }
        }
        let is_own = |value: &&HeaderValue| ["same-origin", "none"].iter().any(|own| value == own);
        let foreign = headers.get_all(SITE).into_iter().find(|value| !is_own(value));
        match foreign {
            Some(value) if !cors.is_allowed() && !is_visit(request) => {
                Err(Refusal::page("Sec-Fetch-Site", value))
            }
            _ => Ok(cors),
        }
    }

    /// The name by which the emulator was asked, if it is served; `None` if none was said where none need be.
    fn named<B>(&self, request: &Request<B>, is_local: bool) -> Result<Option<Authority>, Refusal> {
        let in_uri = request.uri().authority().map(|authority| (":authority", authority.as_str().as_bytes()));
        let in_headers = request.headers().get_all(HOST).into_iter().map(|value| ("Host", value.as_bytes()));
        let mut own = None;
        for (header, value) in in_uri.into_iter().chain(in_headers).filter(|(_, value)| !value.is_empty()) {
            let authority = Authority::read(value).filter(|authority| self.hosts.serve(authority));
            let Some(authority) = authority else { return Err(Refusal::name(header, value)) };
            own.get_or_insert(authority);
        }
        if own.is_none() && !(is_local && request.version() < Version::HTTP_11) {
            return Err(Refusal { header: "Host", value: String::new(), kind: Kind::NoName });
        }
        Ok(own)
    }
}

/// Whether somebody follows a link to the page that the emulator has at `/`, not within a frame of another page.
fn is_visit<B>(request: &Request<B>) -> bool {
    let says = |name: HeaderName, wanted: &str| all_are(request.headers(), &name, wanted);
    request.method() == Method::GET
        && request.uri().path() == "/"
        && says(MODE, "navigate")
        && says(DESTINATION, "document")
        && !request.headers().contains_key(ORIGIN)
}

fn all_are(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let mut values = headers.get_all(name).into_iter().peekable();
    values.peek().is_some() && values.all(|value| value == wanted)
}

/// What was refused, and why.
#[derive(Debug)]
struct Refusal {
    header: &'static str,
    value: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Name,
    NoName,
    Page,
}

impl Refusal {
    fn name(header: &'static str, value: &[u8]) -> Self {
        Self { header, value: quoted(value), kind: Kind::Name }
    }

    fn page(header: &'static str, value: &HeaderValue) -> Self {
        Self { header, value: quoted(value.as_bytes()), kind: Kind::Page }
    }

    fn status(&self) -> Status {
        let reason = if matches!(self.kind, Kind::Page) { "FOREIGN_ORIGIN" } else { "FOREIGN_HOST" };
        let parts = [("header", self.header), ("value", self.value.as_str())];
        errors::with_reason(Code::PermissionDenied, reason, self.to_string(), &parts)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { header, value, kind } = self;
        match kind {
            Kind::Name => {
                // What is copied into a shell is plain, whatever was sent.
                let name = Authority::read(value.as_bytes());
                let name = name.as_ref().and_then(Authority::name).unwrap_or("NAME");
                write!(
                    f,
                    "the emulator does not serve the name in `{header}: {value}`: a page of another site may have made \
                     it lead here. Use an IP address, localhost, or a name without dots; to serve this one, start the \
                     emulator with --allow-host {name}"
                )
            }
            Kind::NoName => f.write_str(
                "the request has no `Host`: send one, such as `Host: localhost`; only HTTP/1.0 on this machine needs none",
            ),
            Kind::Page => write!(
                f,
                "the emulator refuses what pages of other sites send: the request has `{header}: {value}`. Use a program \
                 such as curl; for a page under test, start the emulator with --allow-origin ORIGIN"
            ),
        }
    }
}

fn quoted(value: &[u8]) -> String {
    String::from_utf8_lossy(value).chars().filter(|c| !c.is_control()).take(MAX_QUOTED).collect()
}

#[cfg(test)]
mod tests;
