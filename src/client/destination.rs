//! Where calls go: what the caller says, else the environment, else Google's usual host.

use crate::error::{Error, Setting};
use crate::transport::{Endpoint, Environment, TransportBuilder};

/// The variable that points a client to an emulator: `host:port`.
pub const EMULATOR_HOST: &str = "CONTACTCENTERINSIGHTS_EMULATOR_HOST";

/// What the caller says of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Destination {
    pub(super) endpoint: Option<String>,
    pub(super) location: Option<String>,
    /// Each call goes to the host of the location in its name, unless something else is said.
    pub(super) is_regional: bool,
}

impl Destination {
    pub(super) fn is_default(&self) -> bool {
        !self.has_place() && !self.is_regional
    }

    /// Whether it is one place, whatever the environment says.
    pub(super) fn has_place(&self) -> bool {
        self.endpoint.is_some() || self.location.is_some()
    }

    /// The endpoint, and whether it is the emulator that the environment names. The first of these decides: the
    /// endpoint or the location that was set; the emulator; the locations of names, if they were asked for; the host for
    /// client certificates, if there is one to show; the global host.
    pub(super) fn resolve(
        &self,
        options: &mut TransportBuilder,
        environment: &Environment<'_>,
    ) -> Result<(Endpoint, bool), Error> {
        match (&self.endpoint, &self.location) {
            (Some(_), Some(_)) => {
                let reason = "an endpoint is set too, and only one of them can say where calls go";
                Err(Error::config(Setting::Location, reason))
            }
            (Some(endpoint), None) => Ok((endpoint.parse()?, false)),
            (None, Some(location)) => {
                let domain = options.universe_domain(environment)?;
                let endpoint = Endpoint::of_location(location, &domain)?;
                refuse_mtls_host(environment)?;
                Ok((endpoint, false))
            }
            (None, None) => match environment.get(EMULATOR_HOST) {
                Some(host) => Ok((Endpoint::emulator(&host)?, true)),
                None if self.is_regional => {
                    let endpoint = Endpoint::of_universe(&options.universe_domain(environment)?)?;
                    refuse_mtls_host(environment)?;
                    *options = options.clone().by_location();
                    Ok((endpoint, false))
                }
                None => Ok((of_google(options, environment)?, false)),
            },
        }
    }
}

#[cfg(feature = "tls")]
fn of_google(options: &mut TransportBuilder, environment: &Environment<'_>) -> Result<Endpoint, Error> {
    use crate::transport::{DEFAULT_UNIVERSE, USE_MTLS_ENDPOINT, wants_mtls_endpoint};

    let domain = options.universe_domain(environment)?;
    let has_identity = options.find_identity(environment)?;
    if !wants_mtls_endpoint(has_identity, environment)? {
        return Endpoint::of_universe(&domain);
    }
    if domain == DEFAULT_UNIVERSE {
        return Ok(Endpoint::mtls());
    }
    let reason = format!(
        "the universe domain `{domain}` has no host for client certificates; set the variable to never, or an endpoint"
    );
    Err(Error::config(Setting::Variable(USE_MTLS_ENDPOINT), reason))
}

#[cfg(not(feature = "tls"))]
fn of_google(options: &mut TransportBuilder, environment: &Environment<'_>) -> Result<Endpoint, Error> {
    Endpoint::of_universe(&options.universe_domain(environment)?)
}

/// `always` cannot be obeyed where no such host is known.
#[cfg(feature = "tls")]
fn refuse_mtls_host(environment: &Environment<'_>) -> Result<(), Error> {
    use crate::transport::{USE_MTLS_ENDPOINT, wants_mtls_endpoint};

    if wants_mtls_endpoint(false, environment)? {
        let reason = "no host for client certificates is known for a location; set an endpoint instead";
        return Err(Error::config(Setting::Variable(USE_MTLS_ENDPOINT), reason));
    }
    Ok(())
}

#[cfg(not(feature = "tls"))]
#[allow(clippy::unnecessary_wraps, reason = "with the feature it can fail")]
fn refuse_mtls_host(_: &Environment<'_>) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn resolve(
        endpoint: Option<&str>,
        location: Option<&str>,
        variables: Variables<'_>,
    ) -> Result<(String, bool), Error> {
        let destination = Destination {
            endpoint: endpoint.map(str::to_owned),
            location: location.map(str::to_owned),
            is_regional: false,
        };
        let lookup =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let (endpoint, is_emulator) =
            destination.resolve(&mut TransportBuilder::default(), &Environment::new(&lookup))?;
        Ok((endpoint.host().to_owned(), is_emulator))
    }

    const EMULATOR: (&str, &str) = (EMULATOR_HOST, "localhost:9000");
    const ALWAYS: (&str, &str) = ("GOOGLE_API_USE_MTLS_ENDPOINT", "always");
    const UNIVERSE: (&str, &str) = ("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.cloud");

    #[test]
    fn the_first_that_says_something_decides() {
        let cases: [(Option<&str>, Option<&str>, Variables, &str); 8] = [
            (None, None, &[], "contactcenterinsights.googleapis.com"),
            (None, None, &[UNIVERSE], "contactcenterinsights.example.cloud"),
            (None, None, &[EMULATOR, UNIVERSE], "localhost"),
            (None, Some("eu"), &[EMULATOR], "eu-contactcenterinsights.googleapis.com"),
            (None, Some("eu"), &[UNIVERSE], "eu-contactcenterinsights.example.cloud"),
            (None, Some("us-central1"), &[], "contactcenterinsights.googleapis.com"),
            (Some("e.test"), None, &[EMULATOR, UNIVERSE, ALWAYS], "e.test"),
            (None, None, &[EMULATOR, ALWAYS], "localhost"),
        ];
        for (endpoint, location, variables, host) in cases {
            let (resolved, is_emulator) = resolve(endpoint, location, variables).unwrap();
            assert_eq!((resolved.as_str(), is_emulator), (host, host == "localhost"), "{variables:?}");
        }
    }

    #[test]
    fn locations_of_names_decide_only_where_nothing_else_does() {
        let cases: [(Option<&str>, Option<&str>, Variables, bool); 5] = [
            (None, None, &[], true),
            (None, None, &[UNIVERSE], true),
            (None, None, &[EMULATOR], false),
            (None, Some("eu"), &[], false),
            (Some("http://127.0.0.1:1"), None, &[], false),
        ];
        for (endpoint, location, variables, expected) in cases {
            let destination = Destination {
                endpoint: endpoint.map(str::to_owned),
                location: location.map(str::to_owned),
                is_regional: true,
            };
            let lookup = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            let mut options = TransportBuilder::default().with_credentials(crate::Credentials::anonymous());
            let (endpoint, _) = destination.resolve(&mut options, &Environment::new(&lookup)).unwrap();
            let transport = options.to(endpoint).build_in(&Environment::new(&lookup)).unwrap();
            assert_eq!(transport.is_regional(), expected, "{variables:?}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_named() {
        let cases: [(Option<&str>, Option<&str>, Variables, Setting); 3] = [
            (Some("e.test"), Some("eu"), &[], Setting::Location),
            (None, Some("Europe"), &[], Setting::Location),
            (None, None, &[("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "http://x")], Setting::Variable(UNIVERSE.0)),
        ];
        for (endpoint, location, variables, option) in cases {
            let error = resolve(endpoint, location, variables).unwrap_err();
            assert_eq!(error.setting(), Some(option), "{error:?}");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn the_host_for_client_certificates_is_googles_own_and_global() {
        let (host, _) = resolve(None, None, &[ALWAYS]).unwrap();
        assert_eq!(host, "contactcenterinsights.mtls.googleapis.com");
        for (location, variables) in [(Some("eu"), &[ALWAYS][..]), (None, &[ALWAYS, UNIVERSE])] {
            let error = resolve(None, location, variables).unwrap_err();
            assert_eq!(error.setting(), Some(Setting::Variable(ALWAYS.0)), "{error:?}");
        }
    }
}
