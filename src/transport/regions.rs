//! A pool for each location: a request goes to the host of the location that its name has in it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, Request};

use super::Endpoint;
use super::connect::{ConnectSettings, Connector};
use super::environment::Environment;
use super::pool::{Pool, PoolSettings};
use crate::error::{BoxError, ConnectFailure, Error};
use crate::names::location_in_routing;

/// What says which name a call is about (AIP-4222).
const ROUTING: HeaderName = HeaderName::from_static("x-goog-request-params");
/// Hosts that are kept connected to, besides the global one: there are fewer locations. Names come from users, and any
/// number of them may be wrong.
const MOST_HOSTS: usize = 64;

/// The pools of all hosts. Clones share them.
#[derive(Clone)]
pub(super) struct Regions(Arc<Shared>);

struct Shared {
    domain: String,
    connect: ConnectSettings,
    settings: PoolSettings,
    /// For names of its own locations, and for calls that name none.
    global: Pool,
    /// How many pools are kept besides.
    most: usize,
    pools: Mutex<HashMap<String, Pool>>,
}

impl Regions {
    pub(super) fn new(
        domain: String,
        connect: ConnectSettings,
        settings: PoolSettings,
        environment: &Environment<'_>,
    ) -> Result<Self, Error> {
        let global = open(&Endpoint::of_universe(&domain)?, &connect, &settings, environment)?;
        let pools = Mutex::default();
        Ok(Self(Arc::new(Shared { domain, connect, settings, global, most: MOST_HOSTS, pools })))
    }

    /// The pool of the host that a request goes to.
    ///
    /// # Errors
    /// If what stands in the place of a location is not one: it is checked before it becomes a host.
    pub(super) fn pool<B>(&self, request: &Request<B>) -> Result<Pool, BoxError> {
        let routing = request.headers().get(ROUTING).and_then(|value| value.to_str().ok());
        match routing.and_then(location_in_routing) {
            Some(location) => self.of(location),
            None => Ok(self.0.global.clone()),
        }
    }

    fn of(&self, location: &str) -> Result<Pool, BoxError> {
        let endpoint = Endpoint::of_location(location, &self.0.domain).map_err(|error| unusable(&error))?;
        if endpoint.host() == self.0.global_host() {
            return Ok(self.0.global.clone());
        }
        let mut pools = self.0.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(location) {
            return Ok(pool.clone());
        }
        let pool = open(&endpoint, &self.0.connect, &self.0.settings, &Environment::process())
            .map_err(|error| unusable(&error))?;
        if pools.len() >= self.0.most
            && let Some(other) = pools.keys().next().cloned()
        {
            // Its calls that are under way end as they would have.
            pools.remove(&other);
        }
        pools.insert(location.to_owned(), pool.clone());
        Ok(pool)
    }
}

impl Shared {
    fn global_host(&self) -> &str {
        self.global.host()
    }
}

fn open(
    endpoint: &Endpoint,
    connect: &ConnectSettings,
    settings: &PoolSettings,
    environment: &Environment<'_>,
) -> Result<Pool, Error> {
    let connector = Connector::new(endpoint, connect, environment)?;
    Ok(Pool::new(connector, endpoint.origin(), settings.clone()))
}

/// Nothing was sent, and nothing will be until the name is another.
fn unusable(error: &Error) -> BoxError {
    let reason = match error {
        Error::Config(config) => config.reason().to_string(),
        other => other.to_string(),
    };
    ConnectFailure::permanent(format!("no host can be picked for the name: {reason}")).into()
}

impl fmt::Debug for Regions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Regions").field("domain", &self.0.domain).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn regions() -> Regions {
        let environment = |_: &str| None;
        let (connect, settings) = (ConnectSettings::default(), PoolSettings::default());
        Regions::new("example.cloud".into(), connect, settings, &Environment::new(&environment)).unwrap()
    }

    fn host(regions: &Regions, routing: &str) -> Result<String, BoxError> {
        let mut request = Request::new(());
        request.headers_mut().insert(ROUTING, HeaderValue::from_str(routing).unwrap());
        Ok(regions.pool(&request)?.host().to_owned())
    }

    #[test]
    fn the_host_is_that_of_the_location_in_the_name() {
        let regions = regions();
        let global = "contactcenterinsights.example.cloud";
        for (location, expected) in [
            ("us-central1", global.to_owned()),
            ("global", global.to_owned()),
            ("eu", format!("eu-{global}")),
            ("europe-west1", format!("europe-west1-{global}")),
        ] {
            let routing = format!("name=projects%2Fp%2Flocations%2F{location}%2Foperations%2F1");
            assert_eq!(host(&regions, &routing).unwrap(), expected);
        }
        for routing in ["name=operations%2F1", "name=projects%2Fp", ""] {
            assert_eq!(host(&regions, routing).unwrap(), global, "{routing}");
        }
        assert_eq!(regions.pool(&Request::new(())).unwrap().host(), global);
    }

    #[test]
    fn what_is_not_a_location_never_becomes_a_host() {
        let regions = regions();
        for bad in ["evil.example", "Europe", "-", "eu%40evil", "%2F", "evil%3A443"] {
            let routing = format!("name=projects%2Fp%2Flocations%2F{bad}%2Foperations%2F1");
            let error = host(&regions, &routing).unwrap_err().to_string();
            assert!(error.contains("is not a location, such as"), "{bad}: {error}");
        }
        assert!(regions.0.pools.lock().unwrap().is_empty());
    }

    #[test]
    fn the_number_of_hosts_is_bounded() {
        let mut regions = regions();
        Arc::get_mut(&mut regions.0).unwrap().most = 2;
        for number in 0..4 {
            host(&regions, &format!("name=projects%2Fp%2Flocations%2Fl{number}%2Foperations%2F1")).unwrap();
        }
        assert_eq!(regions.0.pools.lock().unwrap().len(), 2);
    }
}
