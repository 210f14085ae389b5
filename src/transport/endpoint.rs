//! Where calls go: a scheme, a host, a port, and nothing else.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use crate::error::{BoxError, Error, Setting};

/// Google's own universe: where its services are, unless someone runs them for others under a domain of their own.
pub(crate) const DEFAULT_UNIVERSE: &str = "googleapis.com";
const SERVICE: &str = "contactcenterinsights";

/// The locations that Google's documentation lists, when this was written (November 2026). [`Endpoint::regional`] takes
/// others too: the list grows.
pub const LOCATIONS: &[&str] = &[
    "us-central1",
    "us-east1",
    "us-west1",
    "northamerica-northeast1",
    "us",
    "eu",
    "europe-west1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "asia-northeast1",
    "asia-northeast3",
    "asia-south1",
    "asia-southeast1",
    "asia-southeast2",
    "australia-southeast1",
];

/// The server that calls go to.
///
/// Parses from `https://host[:port]`, `http://host[:port]`, or `host[:port]`, which means https.
///
/// ```
/// use contact_center_insights::Endpoint;
///
/// let endpoint: Endpoint = "europe-west1-contactcenterinsights.googleapis.com".parse()?;
/// assert_eq!(endpoint.to_string(), "https://europe-west1-contactcenterinsights.googleapis.com");
/// assert!("ftp://example.com".parse::<Endpoint>().is_err());
/// # Ok::<(), contact_center_insights::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
}

impl Endpoint {
    /// The global endpoint of the API, `https://contactcenterinsights.googleapis.com`.
    #[must_use]
    pub fn global() -> Self {
        Self {
            scheme: Scheme::HTTPS,
            authority: Authority::from_static("contactcenterinsights.googleapis.com"),
        }
    }

    /// The endpoint of a location, `https://{location}-contactcenterinsights.googleapis.com`; for `us-central1` it is the
    /// global one. [`LOCATIONS`] are those known.
    ///
    /// A regional endpoint serves the resources of its location only: the names in calls must have the same location
    /// in them, and it is not put there for you.
    ///
    /// ```
    /// use contact_center_insights::Endpoint;
    ///
    /// let endpoint = Endpoint::regional("europe-west1")?;
    /// assert_eq!(endpoint.host(), "europe-west1-contactcenterinsights.googleapis.com");
    /// assert_eq!(Endpoint::regional("us-central1")?, Endpoint::global());
    /// # Ok::<(), contact_center_insights::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] if it has other characters than a location can have.
    pub fn regional(location: &str) -> Result<Self, Error> {
        Self::of_location(location, DEFAULT_UNIVERSE)
    }

    /// The endpoint for connections on which the client shows a certificate,
    /// `https://contactcenterinsights.mtls.googleapis.com`.
    #[must_use]
    pub fn mtls() -> Self {
        Self {
            scheme: Scheme::HTTPS,
            authority: Authority::from_static("contactcenterinsights.mtls.googleapis.com"),
        }
    }

    pub(crate) fn of_universe(domain: &str) -> Result<Self, Error> {
        format!("https://{SERVICE}.{domain}").parse()
    }

    pub(crate) fn of_location(location: &str, domain: &str) -> Result<Self, Error> {
        let location = location.trim();
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_location = location.starts_with(|first: char| first.is_ascii_lowercase())
            && !location.ends_with('-')
            && location.bytes().all(is_plain);
        match location {
            "us-central1" | "global" => Self::of_universe(domain),
            _ if is_location => format!("https://{location}-{SERVICE}.{domain}").parse(),
            _ => {
                let reason = format!("`{}` is not a location, such as europe-west1", location.escape_debug());
                Err(Error::config(Setting::Location, reason))
            }
        }
    }

    /// What `CONTACTCENTERINSIGHTS_EMULATOR_HOST` holds: `host:port`, unencrypted. A port alone is one of this machine,
    /// at `127.0.0.1`.
    ///
    /// # Errors
    /// [`Error::Config`] if it is not a host and a port.
    pub fn emulator(host: &str) -> Result<Self, Error> {
        let host = host.trim();
        let port = host.strip_prefix(':').unwrap_or(host);
        // As a host, it would be an address: 9420 is 0.0.36.204.
        if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
            let origin = format!("http://127.0.0.1:{port}");
            let reason = || format!("`{host}` is neither a host with a port nor a port, from 1 to 65535");
            let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
            return if is_port { origin.parse() } else { Err(Error::config(Setting::Endpoint, reason())) };
        }
        if host.contains("://") { host.parse() } else { format!("http://{host}").parse() }
    }

    /// The host, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// As a URI, for those that think in URIs.
    pub(super) fn uri(&self) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        // All parts are there, so that nothing is left to refuse.
        Uri::from_parts(parts).unwrap_or_default()
    }

    /// Host and port, for a connection and for errors about it.
    pub(super) fn place(&self) -> String {
        let port = self.authority.port_u16().unwrap_or(if self.is_plaintext() { 80 } else { 443 });
        format!("{}:{port}", self.authority.host())
    }

    /// What goes before the path of each request.
    pub(super) fn origin(&self) -> (Scheme, Authority) {
        (self.scheme.clone(), self.authority.clone())
    }

    /// Whether calls travel unencrypted.
    #[must_use]
    pub fn is_plaintext(&self) -> bool {
        self.scheme == Scheme::HTTP
    }

    /// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `::1`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    fn parse(text: &str) -> Result<Self, BoxError> {
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let uri = Uri::try_from(with_scheme)?.into_parts();
        let scheme = uri.scheme.filter(|s| *s == Scheme::HTTP || *s == Scheme::HTTPS);
        // `x:y` parses as an authority; a port that is not a number shows as none.
        let has_odd_port = |a: &Authority| a.port_u16().is_none() && !a.as_str().ends_with(a.host());
        let authority =
            uri.authority.filter(|a| !a.host().is_empty() && !a.as_str().contains('@') && !has_odd_port(a));
        if uri.path_and_query.is_some_and(|path| path != "/") {
            return Err("an endpoint has no path".into());
        }
        match (scheme, authority) {
            (Some(scheme), Some(authority)) => Ok(Self { scheme, authority }),
            (None, _) => Err("the scheme must be http or https".into()),
            (_, None) => {
                Err("the host is missing, or it is not followed by a port, or a user name precedes it".into())
            }
        }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text.trim()).map_err(|source| {
            Error::config(
                Setting::Endpoint,
                format!("`{text}` is not of the form https://host[:port]: {source}"),
            )
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_parse_and_print() {
        let cases = [
            ("example.com", "https://example.com"),
            ("https://example.com:8443/", "https://example.com:8443"),
            (" http://[::1]:50051 ", "http://[::1]:50051"),
        ];
        for (text, printed) in cases {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), printed);
        }
        assert_eq!(Endpoint::emulator("localhost:9").unwrap().to_string(), "http://localhost:9");
        assert_eq!(Endpoint::emulator("https://e.test").unwrap().to_string(), "https://e.test");
        for port in ["9420", ":9420", " 9420\n"] {
            assert_eq!(Endpoint::emulator(port).unwrap().to_string(), "http://127.0.0.1:9420");
        }
        for bad in ["0", "65536", "99999999999999999999", ":0", ":"] {
            assert_eq!(Endpoint::emulator(bad).unwrap_err().setting(), Some(Setting::Endpoint), "{bad}");
        }
    }

    #[test]
    fn hosts_follow_the_location_and_the_universe() {
        for &location in LOCATIONS {
            let host = Endpoint::regional(location).unwrap().host().to_owned();
            let expected = if location == "us-central1" { String::new() } else { format!("{location}-") };
            assert_eq!(host, format!("{expected}contactcenterinsights.googleapis.com"));
        }
        let elsewhere = Endpoint::of_location("eu", "example.cloud").unwrap();
        assert_eq!(elsewhere.to_string(), "https://eu-contactcenterinsights.example.cloud");
        assert_eq!(Endpoint::of_universe(DEFAULT_UNIVERSE).unwrap(), Endpoint::global());
        for bad in ["", "Europe", "eu.evil.com/", "eu west", "-eu", "projects/p/locations/eu", "1"] {
            let error = Endpoint::regional(bad).unwrap_err();
            let reason = format!("`{bad}` is not a location, such as europe-west1");
            assert_eq!(error.to_string(), format!("cannot use client option `location`: {reason}"));
            assert_eq!(error.setting(), Some(Setting::Location), "{bad}: {error:?}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for bad in ["", "ftp://x", "https://x/v1", "https://u:p@x", "https://", "a b", "x:port"] {
            assert_eq!(bad.parse::<Endpoint>().unwrap_err().setting(), Some(Setting::Endpoint), "{bad}");
        }
    }
}
