//! Who may use the admin API: whoever can reach the port, but no page in a browser that is not the emulator's own.
//!
//! A page anywhere can make the browser of a developer send requests to this machine. Browsers say so, in headers that
//! no page can change.

use std::net::SocketAddr;

use contact_center_insights::{Code, Status};
use http::{HeaderMap, Uri};

use crate::errors;

/// Knows the emulator's own address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard(SocketAddr);

impl Guard {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    /// `PERMISSION_DENIED` for what a page elsewhere has sent.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Status> {
        let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        if let Some(origin) = text("origin") {
            let uri = origin.parse::<Uri>();
            let is_own = uri.is_ok_and(|uri| {
                uri.scheme().is_some() && uri.authority().is_some_and(|found| self.is_own(found.as_str()))
            });
            if !is_own {
                return Err(refused("Origin", &origin));
            }
        }
        let Some(site) = text("sec-fetch-site") else { return Ok(()) };
        if !["same-origin", "none"].contains(&&*site) {
            return Err(refused("Sec-Fetch-Site", &site));
        }
        // Another name that somebody made resolve to this address (DNS rebinding).
        match text("host") {
            Some(host) if !self.is_own(&host) => Err(refused("Host", &host)),
            _ => Ok(()),
        }
    }

    fn is_own(&self, authority: &str) -> bool {
        let port = self.0.port();
        let own = ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}"));
        own.iter().any(|own| own == authority) || self.0.to_string() == authority
    }
}

fn refused(header: &str, value: &str) -> Status {
    let message = format!(
        "the admin API refuses pages of other sites: the request has `{header}: {value}`; use curl or a program"
    );
    errors::with_reason(
        Code::PermissionDenied,
        "FOREIGN_ORIGIN",
        message,
        &[("header", header), ("value", value)],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_elsewhere_are_refused() {
        let guard = Guard::new("127.0.0.1:9420".parse().unwrap());
        let check = |pairs: &[(&'static str, &'static str)]| {
            let headers =
                pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            guard.check(&headers).map_err(|status| status.code())
        };
        for good in [
            &[][..],
            &[("host", "emulator:80")],
            &[("origin", "http://127.0.0.1:9420")],
            &[
                ("origin", "https://localhost:9420"),
                ("sec-fetch-site", "same-origin"),
                ("host", "localhost:9420"),
            ],
            &[("sec-fetch-site", "none"), ("host", "127.0.0.1:9420")],
        ] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
        for bad in [
            &[("origin", "https://example.com")][..],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "http://127.0.0.1:3000")],
            &[("origin", "http://127.0.0.1:9420.example.com")],
            &[("sec-fetch-site", "cross-site"), ("host", "127.0.0.1:9420")],
            &[("sec-fetch-site", "same-origin"), ("host", "rebound.example:9420")],
        ] {
            assert_eq!(check(bad), Err(Code::PermissionDenied), "{bad:?}");
        }
    }
}
