//! Which proxy stands between, by option or by environment.

use std::fmt;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::super::Endpoint;
use super::super::environment::Environment;
use crate::error::{Error, Setting};

const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// What the caller says of proxies.
#[derive(Clone, Default)]
pub(crate) enum ProxyChoice {
    /// What the environment says, for endpoints that are neither plaintext nor this machine.
    #[default]
    Environment,
    /// None at all.
    Direct,
    /// This one, for every endpoint. Its URL may hold a password.
    Url(String),
}

impl fmt::Debug for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "by environment",
            Self::Direct => "none",
            Self::Url(_) => "given",
        })
    }
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// HTTP CONNECT.
    Http,
    /// HTTP CONNECT, over TLS.
    Https,
    Socks5,
}

/// A proxy, and the right to use it. Prints neither user name nor password.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    pub(super) language: Language,
    /// `host:port`.
    pub(super) place: String,
    pub(super) intercept: Intercept,
}

impl ProxyChoice {
    /// The proxy on the way to `endpoint`, if there is one.
    pub(super) fn resolve(
        &self,
        endpoint: &Endpoint,
        environment: &Environment<'_>,
    ) -> Result<Option<Proxy>, Error> {
        let (option, url, exceptions) = match self {
            Self::Direct => return Ok(None),
            Self::Url(url) => (Setting::Proxy, url.clone(), String::new()),
            Self::Environment if endpoint.is_plaintext() || endpoint.is_loopback() => return Ok(None),
            Self::Environment => {
                let Some((variable, url)) = environment.first(&VARIABLES) else { return Ok(None) };
                let exceptions = environment.first(&EXCEPTIONS).map(|(_, list)| list);
                (Setting::Variable(variable), url, exceptions.unwrap_or_default())
            }
        };
        // Before the exceptions: a bad value is bad whether or not it is used this time.
        let proxy = Proxy::parse(option, &url)?;
        let matcher = Matcher::builder().all(url).no(exceptions).build();
        Ok(matcher.intercept(&endpoint.uri()).map(|_| proxy))
    }
}

impl Proxy {
    fn parse(option: Setting, url: &str) -> Result<Self, Error> {
        // The value is not shown: it may hold a password, in whatever place a typing error put it.
        let bad = |reason: &str| Error::config(option, reason);
        let anywhere = Uri::from_static("https://anywhere.invalid/");
        let intercept = Matcher::builder().all(url).build().intercept(&anywhere).ok_or_else(|| {
            bad("it is not of the form http://[user:password@]host[:port]; the scheme can be http, https or \
                 socks5, and special characters in user and password are percent-encoded")
        })?;
        let uri = intercept.uri();
        let (language, port) = match uri.scheme_str() {
            Some("http") => (Language::Http, 80),
            Some("https") if cfg!(feature = "tls") => (Language::Https, 443),
            Some("https") => {
                return Err(bad("a proxy behind https needs the feature `tls`, which this build lacks"));
            }
            Some("socks5" | "socks5h") => (Language::Socks5, 1080),
            _ => return Err(bad("the scheme must be http, https or socks5")),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("the host is missing"))?;
        let place = format!("{host}:{}", uri.port_u16().unwrap_or(port));
        Ok(Self { language, place, intercept })
    }

    /// The name that its certificate is for.
    #[cfg(feature = "tls")]
    pub(super) fn host(&self) -> &str {
        self.intercept.uri().host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// Where the proxy listens, as a plain address.
    pub(super) fn uri(&self) -> Result<Uri, http::Error> {
        Uri::builder().scheme(Scheme::HTTP).authority(self.place.as_str()).path_and_query("/").build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn resolve(
        choice: &ProxyChoice,
        endpoint: &str,
        variables: Variables<'_>,
    ) -> Result<Option<Proxy>, Error> {
        let lookup =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        choice.resolve(&endpoint.parse().unwrap(), &Environment::new(&lookup))
    }

    #[test]
    fn the_environment_names_the_proxy_and_who_does_without() {
        const HOST: &str = "https://contactcenterinsights.googleapis.com";
        let cases: [(Variables, &str, Option<&str>); 13] = [
            (&[], HOST, None),
            (&[("HTTPS_PROXY", "http://p:3128")], HOST, Some("p:3128")),
            (&[("https_proxy", "p:3128")], HOST, Some("p:3128")),
            (&[("HTTPS_PROXY", " "), ("https_proxy", "http://p")], HOST, Some("p:80")),
            (&[("HTTPS_PROXY", "https://p")], HOST, Some("p:443")),
            (&[("ALL_PROXY", "socks5://p"), ("https_proxy", "http://q:1")], HOST, Some("q:1")),
            (&[("ALL_PROXY", "socks5://p")], HOST, Some("p:1080")),
            (&[("HTTP_PROXY", "http://p:3128")], HOST, None),
            (&[("HTTPS_PROXY", "http://p:3128"), ("NO_PROXY", "googleapis.com")], HOST, None),
            (&[("HTTPS_PROXY", "http://p:3128"), ("no_proxy", "*")], HOST, None),
            (&[("HTTPS_PROXY", "http://p:3128"), ("NO_PROXY", "apis.com")], HOST, Some("p:3128")),
            (&[("HTTPS_PROXY", "http://p:3128")], "https://localhost:1", None),
            (&[("ALL_PROXY", "http://p:3128")], "http://emulator.internal:9000", None),
        ];
        for (variables, endpoint, expected) in cases {
            let proxy = resolve(&ProxyChoice::Environment, endpoint, variables).unwrap();
            assert_eq!(proxy.map(|proxy| proxy.place).as_deref(), expected, "{variables:?} {endpoint}");
        }
    }

    #[test]
    fn an_option_wins_over_the_environment_and_its_exceptions() {
        let variables = [("HTTPS_PROXY", "http://p:3128"), ("NO_PROXY", "*")];
        let given = ProxyChoice::Url("http://q:1".to_owned());
        for endpoint in ["https://example.com", "http://127.0.0.1:9"] {
            let proxy = resolve(&given, endpoint, &variables).unwrap();
            assert_eq!(proxy.unwrap().place, "q:1", "{endpoint}");
        }
        assert!(resolve(&ProxyChoice::Direct, "https://example.com", &variables[..1]).unwrap().is_none());
    }

    #[test]
    fn what_is_no_proxy_is_refused_and_not_shown() {
        for url in
            ["ftp://planted@p", "http://planted secret@p", "socks4://planted@p", "http://", "http://planted@"]
        {
            let error =
                resolve(&ProxyChoice::Environment, "https://e.test", &[("ALL_PROXY", url)]).unwrap_err();
            assert_eq!(error.setting(), Some(Setting::Variable("ALL_PROXY")), "{url}: {error:?}");
            assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
        }
        let with_password = ProxyChoice::Url("http://user:planted@p:1".to_owned());
        let proxy = resolve(&with_password, "https://e.test", &[]).unwrap().unwrap();
        let shown = format!("{with_password:?} {proxy:?}");
        assert!(!shown.contains("planted") && !shown.contains("user:"), "{shown}");
    }
}
