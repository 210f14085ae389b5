//! Names by which the emulator may be asked: those that nobody elsewhere can make lead to this machine, and those that
//! its owner names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Served, and all that end in them after a dot: names of this machine (RFC 6761), and of the service, by which clients
/// under a changed resolver ask.
const SUFFIXES: [&str; 2] = ["localhost", "googleapis.com"];
/// The machine that a container runs on.
const CONTAINERS_HOST: &str = "host.docker.internal";

/// Which names are served, whatever the port: one that is mapped or forwarded works.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    /// In lower case; one that starts with a dot stands for all that end in it.
    allowed: Vec<String>,
}

impl Hosts {
    /// Serves these beside what is always served: `HOST`, or `*.HOST`.
    pub(super) fn new(allowed: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            let (dot, name) = text.strip_prefix("*.").map_or(("", text.as_str()), |name| (".", name));
            let whole = Authority::read(name.as_bytes()).filter(|authority| authority.port.is_none());
            let problem = || {
                format!(
                    "`{text}` is not the name of a host, such as `emulator.test` or `*.test`, without scheme and port"
                )
            };
            let whole = whole.ok_or_else(problem)?;
            Ok(format!("{dot}{}", whole.name().ok_or_else(problem)?))
        };
        Ok(Self { allowed: allowed.iter().map(read).collect::<Result<_, String>>()? })
    }

    pub(super) fn serve(&self, authority: &Authority) -> bool {
        let Host::Name(name) = &authority.host else { return true };
        let is_below = |suffix: &str| name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'));
        !name.contains('.')
            || name == CONTAINERS_HOST
            || SUFFIXES.iter().any(|suffix| name == suffix || is_below(suffix))
            || self
                .allowed
                .iter()
                .any(|allowed| allowed.strip_prefix('.').map_or_else(|| name == allowed, is_below))
    }
}

/// Whom a request is for: `HOST` or `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// In lower case, without the dot of the root.
    Name(String),
}

impl Authority {
    /// `None` for anything else.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            // What follows names an interface of this machine (RFC 6874).
            let address = address.split_once('%').map_or(address, |(address, _)| address);
            let port = if rest.is_empty() { "" } else { rest.strip_prefix(':')? };
            (Host::Address(address.parse::<Ipv6Addr>().ok()?.into()), port)
        } else {
            let (host, port) = text.split_once(':').unwrap_or((text, ""));
            (Host::read(host)?, port)
        };
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = if port.is_empty() { None } else { Some(port.parse().ok().filter(|_| is_number)?) };
        Some(Self { host, port })
    }

    /// The name; `None` for an address.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.host {
            Host::Address(_) => None,
            Host::Name(name) => Some(name),
        }
    }

    /// Whether both lead to one server, where `port` is meant by what names none.
    pub(super) fn is_same(&self, other: &Self, port: Option<u16>) -> bool {
        self.host == other.host && self.port.or(port) == other.port.or(port)
    }
}

impl Host {
    fn read(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_plain);
        name.split('.').all(is_label).then_some(Self::Name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serves(allowed: &[&str], authority: &str) -> bool {
        let allowed: Vec<_> = allowed.iter().map(|&name| name.to_owned()).collect();
        let hosts = Hosts::new(&allowed).unwrap();
        Authority::read(authority.as_bytes()).is_some_and(|authority| hosts.serve(&authority))
    }

    #[test]
    fn names_that_nobody_else_can_own_are_served_at_every_port() {
        for name in [
            "127.0.0.1",
            "10.1.2.3",
            "[::1]",
            "[fe80::1%25eth0]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "LocalHost.",
            "a.localhost",
            "a.b.localhost",
            "emulator",
            "my_emulator-1",
            "host.docker.internal",
            "googleapis.com",
            "contactcenterinsights.googleapis.com",
            "us-central1-contactcenterinsights.googleapis.com",
            "us-central1-contactcenterinsights.googleapis.com.",
        ] {
            for authority in [name.to_owned(), format!("{name}:9420"), format!("{name}:1")] {
                assert!(serves(&[], &authority), "{authority}");
            }
        }
    }

    #[test]
    fn names_that_somebody_can_make_lead_here_are_not() {
        for name in [
            "rebound.example",
            "evil.com",
            "localhost.evil.com",
            "evil-localhost.com",
            "127.0.0.1.nip.io",
            "127.0.0.1.evil.com",
            "notgoogleapis.com",
            "googleapis.com.evil.com",
            "xhost.docker.internal",
            "internal.example",
            "machine.local",
            "evil.com.",
            "127.1",
            "0x7f.0.0.1",
        ] {
            for authority in [name.to_owned(), format!("{name}:9420")] {
                assert!(!serves(&[], &authority), "{authority}");
            }
        }
    }

    #[test]
    fn what_is_no_authority_is_not_served() {
        for authority in [
            "",
            ":9420",
            ".",
            "..",
            "a..b",
            "user@localhost",
            "localhost:9420:1",
            "localhost:x",
            "localhost:+1",
            "localhost:65536",
            "[::1",
            "[::1]9420",
            "[127.0.0.1]",
            "[localhost]",
            "::1",
            "local host",
            "local/host",
            "localhost#",
            "%6cocalhost",
            "löcalhost",
            "127.0.0.1,localhost",
        ] {
            assert!(!serves(&[], authority), "{authority}");
        }
        assert!(Authority::read(&[b'a', 0xff]).is_none());
    }

    #[test]
    fn names_can_be_allowed_alone_or_by_what_they_end_in() {
        let allowed = ["emulator.test", "*.svc.cluster.local"];
        for name in ["emulator.test:80", "EMULATOR.test.", "insights.default.svc.cluster.local:9420"] {
            assert!(serves(&allowed, name), "{name}");
        }
        for name in ["a.emulator.test", "svc.cluster.local", "xsvc.cluster.local", "evil.com"] {
            assert!(!serves(&allowed, name), "{name}");
        }
        for bad in ["", "*", "*.", "http://emulator.test", "emulator.test:80", "10.0.0.1", "[::1]", "a*.test"]
        {
            let error = Hosts::new(&[bad.to_owned()]).unwrap_err();
            assert!(error.contains(&format!("`{bad}`")), "{error}");
        }
    }
}
