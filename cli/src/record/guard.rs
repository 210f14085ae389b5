//! Who may be passed on: programs of this machine, but no page in a browser.
//!
//! A page anywhere can make the browser of a developer send requests to this machine, and another name can be made to
//! resolve to it (DNS rebinding). Browsers say where a page is from, in headers that no page can change.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, Uri};

/// Knows the address that is listened at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard(pub(super) SocketAddr);

impl Guard {
    /// # Errors
    /// The header that a page of another site has.
    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
        let text = |name: &str| {
            headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let refused = |header: &str, value: &str| {
            Err(format!(
                "pages of other sites are not passed on: the request has `{header}: {value}`; use a program"
            ))
        };
        if let Some(origin) = text("origin") {
            let from = origin.parse::<Uri>().ok();
            let authority = from.as_ref().filter(|from| from.scheme().is_some()).and_then(Uri::authority);
            if !authority.is_some_and(|authority| self.is_own(authority.as_str())) {
                return refused("Origin", &origin);
            }
        }
        if let Some(site) = text("sec-fetch-site").filter(|site| site != "same-origin" && site != "none") {
            return refused("Sec-Fetch-Site", &site);
        }
        // HTTP/2 has it in the URI.
        let host = text("host").or_else(|| uri.authority().map(ToString::to_string));
        match host {
            Some(host) if !is_here(&host) => refused("Host", &host),
            _ => Ok(()),
        }
    }

    fn is_own(&self, authority: &str) -> bool {
        let port = self.0.port();
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| format!("{host}:{port}") == authority)
    }
}

/// Whether a host with its port is this machine, by a name that nobody else can give away. Ports may be mapped.
fn is_here(host: &str) -> bool {
    let Ok(uri) = host.parse::<http::uri::Authority>() else { return false };
    let name = uri.host().trim_matches(['[', ']']).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_of_this_machine_are_passed_on() {
        let guard = Guard("127.0.0.1:9420".parse().unwrap());
        let check = |pairs: &[(&'static str, &'static str)]| {
            let headers =
                pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            guard.check(&Uri::from_static("/v1"), &headers)
        };
        for good in [
            &[][..],
            &[("host", "127.0.0.1:9420")],
            &[
                ("host", "localhost:80"),
                ("origin", "http://localhost:9420"),
                ("sec-fetch-site", "same-origin"),
            ],
            &[("host", "[::1]:9420"), ("sec-fetch-site", "none")],
        ] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
        for (bad, header) in [
            (&[("origin", "https://example.com")][..], "Origin"),
            (&[("origin", "null")], "Origin"),
            (&[("origin", "http://127.0.0.1:3000")], "Origin"),
            (&[("origin", "http://127.0.0.1:9420.example.com")], "Origin"),
            (&[("sec-fetch-site", "cross-site"), ("host", "127.0.0.1:9420")], "Sec-Fetch-Site"),
            (&[("host", "rebound.example:9420")], "Host"),
            (&[("host", "127.0.0.1.example:9420")], "Host"),
            (&[("host", "")], "Host"),
        ] {
            assert!(check(bad).unwrap_err().contains(&format!("`{header}: ")), "{bad:?}");
        }
        let rebound = guard.check(&Uri::from_static("http://rebound.example/v1"), &HeaderMap::new());
        assert!(rebound.unwrap_err().contains("rebound.example"));
    }
}
