//! Where the database is, and who asks: from a URL and the variables of libpq.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::error::StoreError;

/// How long one host has to answer.
const CONNECT: Duration = Duration::from_secs(5);
/// A link that is cut without a word is noticed after about this.
const SILENCE: Duration = Duration::from_secs(15);

pub(super) struct Address {
    pub(super) config: Config,
    /// A file of certificates in place of the operating system's.
    pub(super) roots: Option<String>,
}

impl Address {
    pub(super) fn parse(url: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, StoreError> {
        // Errors of the parser name options, never values; the URL is in none, for it may hold a password.
        let refuse = |reason: String| StoreError::Config(reason);
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(refuse("its URL must begin with postgres://".into()));
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots) = (variable("PGSSLMODE"), variable("PGSSLROOTCERT"));
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = || percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "sslmode" => mode = Some(decoded()),
                "sslrootcert" => roots = Some(decoded()),
                _ => kept.push(pair),
            }
        }
        let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
        let mut config = Config::from_str(&url).map_err(|error| refuse(crate::error_text::chain(&error)))?;
        complete(&mut config, variable)?;
        let is_near = config.get_hosts().iter().all(is_near);
        let usual = if is_near { "prefer" } else { "require" };
        config.ssl_mode(match mode.as_deref().unwrap_or(usual) {
            "disable" => SslMode::Disable,
            "allow" | "prefer" => SslMode::Prefer,
            "require" | "verify-ca" | "verify-full" => SslMode::Require,
            _ => return Err(refuse("sslmode must be disable, prefer, require or verify-full".into())),
        });
        Ok(Self { config, roots: roots.filter(|path| !path.is_empty() && path != "system") })
    }
}

/// Adds what the URL lacks.
fn complete(config: &mut Config, variable: &dyn Fn(&str) -> Option<String>) -> Result<(), StoreError> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        for host in variable("PGHOST").unwrap_or_else(|| "localhost".into()).split(',') {
            config.host(host);
        }
    }
    if config.get_ports().is_empty()
        && let Some(ports) = variable("PGPORT")
    {
        for port in ports.split(',') {
            let bad = |_| StoreError::Config("PGPORT must be a number".into());
            config.port(port.trim().parse().map_err(bad)?);
        }
    }
    let user =
        config.get_user().map(str::to_owned).or_else(|| variable("PGUSER")).or_else(|| variable("USER"));
    if let Some(user) = user {
        config.user(user);
    }
    if config.get_password().is_none()
        && let Some(password) = variable("PGPASSWORD")
    {
        config.password(password);
    }
    if config.get_dbname().is_none()
        && let Some(name) = variable("PGDATABASE")
    {
        config.dbname(name);
    }
    if config.get_application_name().is_none() {
        config.application_name(variable("PGAPPNAME").unwrap_or_else(|| "cci-worker".into()));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    config.keepalives_idle(SILENCE / 3).keepalives_interval(SILENCE / 3).keepalives_retries(2);
    config.tcp_user_timeout(SILENCE);
    Ok(())
}

/// Whether a host is on this machine.
fn is_near(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Hosts and database: no password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                #[cfg(unix)]
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, variables: &[(&str, &str)]) -> Result<Address, StoreError> {
        let find =
            |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
        Address::parse(url, &find)
    }

    #[test]
    fn what_the_url_lacks_comes_from_variables() {
        let variables = [
            ("PGHOST", "a,b"),
            ("PGPORT", "6432"),
            ("PGPASSWORD", "hush"),
            ("PGDATABASE", "d"),
            ("PGUSER", "u"),
        ];
        let address = parse("postgres://", &variables).unwrap();
        assert_eq!(address.to_string(), "a,b/d");
        assert_eq!(address.config.get_ports(), [6432]);
        assert_eq!(
            (address.config.get_user(), address.config.get_password()),
            (Some("u"), Some(&b"hush"[..]))
        );
        assert_eq!(address.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        let address = parse("postgres://me:mine@h:1/e", &variables).unwrap();
        assert_eq!(address.config.get_password(), Some(&b"mine"[..]));
        assert_eq!(address.config.get_ports(), [1]);
    }

    #[test]
    fn other_machines_are_reached_by_tls_unless_somebody_says_otherwise() {
        let mode = |url, variables| parse(url, variables).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://db/x", &[]), SslMode::Require);
        assert_eq!(mode("postgres://127.0.0.1/x", &[]), SslMode::Prefer);
        assert_eq!(mode("postgres://localhost,db/x", &[]), SslMode::Require);
        assert_eq!(mode("postgres://db/x?sslmode=disable", &[]), SslMode::Disable);
        assert_eq!(mode("postgres://db/x", &[("PGSSLMODE", "prefer")]), SslMode::Prefer);
        assert_eq!(
            mode("postgres://localhost/x?sslmode=verify-full&application_name=a", &[]),
            SslMode::Require
        );
        let address = parse("postgres://db/x?sslrootcert=%2Fetc%2Fca.pem", &[]).unwrap();
        assert_eq!(address.roots.as_deref(), Some("/etc/ca.pem"));
    }

    #[test]
    fn no_error_and_no_text_has_the_password() {
        for url in
            ["postgres://u:hushhush@h:no/x", "postgres://u:hushhush@h/x?sslmode=odd", "mysql://u:hushhush@h"]
        {
            let error = parse(url, &[]).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
        let address = parse("postgres://u:hushhush@h/x", &[]).unwrap();
        assert!(!format!("{address} {:?}", address.config).contains("hush"));
    }
}
