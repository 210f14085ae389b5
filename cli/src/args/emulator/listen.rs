//! Where an emulator listens, to whom, and how it is found.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use contact_center_insights_emulator::DEFAULT_PORT;

use crate::duration;

// The port of an emulator.
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// The address to listen at, or `localhost`. There are no passwords: anyone who can reach it can read and change
    /// everything. The default is for this machine alone.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: Host,

    #[arg(long, help = format!("The port to listen at; 0 takes a free one. {DEFAULT_PORT} by default, for `exec` 0"))]
    pub(crate) port: Option<u16>,

    /// Write HOST:PORT to this file, at once and whole, when calls are answered; it is removed at the end.
    #[arg(long, value_name = "FILE")]
    pub(crate) addr_file: Option<PathBuf>,

    /// Speak TLS, with a certificate for localhost, 127.0.0.1, `::1`, host.docker.internal, the API's hosts of all
    /// locations, and those of --allow-host.
    #[arg(long)]
    pub(crate) tls: bool,

    /// Write the certificate of the authority that clients must trust to this file, as PEM; a new one at each start.
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) ca_out: Option<PathBuf>,

    /// Serve requests for this host too, such as `emulator.test`, or for all below one, `*.test`. Always served are
    /// addresses, localhost, names without a dot, host.docker.internal, and googleapis.com with all below it; any other is
    /// refused, since a web page could have made its name lead here. Can be given many times.
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_host: Vec<String>,

    /// Answer web pages of this origin, such as `http://localhost:3000`, with the headers of CORS: they can then read and
    /// change everything. By default pages of other sites are refused. Can be given many times.
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,

    /// Close connections on which there has been no call for so long. By default they are kept, if the other side answers
    /// pings.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) idle_timeout: Option<Duration>,
}

/// An address to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host(pub(crate) IpAddr);

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("localhost") {
            return Ok(Self(Ipv4Addr::LOCALHOST.into()));
        }
        text.parse().map(Self).map_err(|_| "is neither an IP address nor `localhost`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_or_this_machine() {
        for (text, address) in
            [("localhost", "127.0.0.1"), ("LOCALHOST", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::1", "::1")]
        {
            assert_eq!(text.parse(), Ok(Host(address.parse().unwrap())));
        }
        assert!("emulator.test".parse::<Host>().unwrap_err().contains("`localhost`"));
    }
}
