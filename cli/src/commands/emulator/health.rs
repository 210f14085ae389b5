//! `cci emulator health`: whether an emulator serves.

use std::env;
use std::time::Duration;

use bytes::Bytes;
use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights::{Endpoint, Error};
use contact_center_insights_emulator::DEFAULT_PORT;
use http::{Request, StatusCode};
use http_body_util::Full;

use crate::args::Health;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::shell::command;
use crate::web::{BoxError, Web};

const PATH: &str = "/healthz";

pub(super) async fn run(args: Health) -> Result<(), Failure> {
    let host = env::var(EMULATOR_HOST).ok().filter(|host| !host.is_empty());
    let endpoint = endpoint(args.endpoint.as_deref(), host.as_deref()).map_err(|error| {
        Failure::because(Exit::Usage, "cannot ask there", error)
            .with_help("an endpoint is http://HOST:PORT, or https://HOST:PORT for an emulator with --tls")
    })?;
    let web = Web::new(endpoint)?;
    let unwell = |cause: BoxError| {
        let help = format!("is it running? To start one: {}", command(["emulator"]));
        Failure::because(Exit::Unreachable, format!("no emulator serves at {}", web.endpoint()), cause)
            .with_help(help)
    };
    match ask(&web, args.timeout).await {
        Ok(StatusCode::OK) => Ok(()),
        Ok(status) => Err(unwell(format!("{PATH} is answered with {status}").into())),
        Err(error) => Err(unwell(error)),
    }
}

async fn ask(web: &Web, limit: Duration) -> Result<StatusCode, BoxError> {
    let request = Request::get(web.uri(PATH)?).body(Full::<Bytes>::default())?;
    let reply = tokio::time::timeout(limit, web.send(request)).await;
    reply.map_err(|_| format!("there is no answer after {limit:?}"))?.map(|reply| reply.status())
}

/// Where it was said to be, or else where clients look for an emulator.
fn endpoint(given: Option<&str>, host: Option<&str>) -> Result<Endpoint, Error> {
    match (given, host) {
        (Some(given), _) => given.parse(),
        (None, Some(host)) => Endpoint::emulator(host),
        (None, None) => Endpoint::emulator(&format!("127.0.0.1:{DEFAULT_PORT}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulator_is_asked_where_clients_look_for_it() {
        let endpoint = |given, host| endpoint(given, host).unwrap().to_string();
        assert_eq!(endpoint(None, None), "http://127.0.0.1:9420");
        assert_eq!(endpoint(None, Some("emulator:1")), "http://emulator:1");
        assert_eq!(endpoint(Some("https://emulator:1"), Some("other:1")), "https://emulator:1");
    }
}
