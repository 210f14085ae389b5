//! The flags that say where calls go, and who makes them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::duration::{self, Limit};

/// How long each call may take where nothing says.
pub(crate) const DEFAULT_REQUEST_TIMEOUT: Limit = Limit::Of(Duration::from_mins(1));

// Where calls go, and who makes them.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Where calls go: `https://HOST[:PORT]`, or `http://HOST:PORT` for an emulator. By default to the emulator at
    /// the `HOST:PORT` in `CONTACTCENTERINSIGHTS_EMULATOR_HOST` if that is set, else to that of the profile, else to the
    /// host of the location in the name, which for `us-central1` and `global` is the global endpoint.
    #[arg(long, value_name = "URI")]
    pub(crate) endpoint: Option<String>,

    /// A file that holds an access token, or a pipe that gives it once. By default the token in `CCI_ACCESS_TOKEN`, else
    /// the file of the profile, else application default credentials; none for an emulator on this machine.
    #[arg(long, value_name = "FILE")]
    pub(crate) access_token_file: Option<PathBuf>,

    /// How long each call may take, retries included; `none` for no limit. By default as the profile says, else 60s.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_limit)]
    pub(crate) request_timeout: Option<Limit>,

    /// The profile of the configuration that defaults are taken from; by default `CCI_PROFILE`, else the active one. See
    /// `cci config`.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

impl Connection {
    /// As if no flag was given.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// The flags that were given, for a command that is suggested.
    pub(crate) fn flags(&self) -> Vec<String> {
        let file = self.access_token_file.as_ref().map(|file| file.display().to_string());
        let flags = [
            ("--endpoint", self.endpoint.clone()),
            ("--access-token-file", file),
            ("--request-timeout", self.request_timeout.map(Limit::print)),
            ("--profile", self.profile.clone()),
        ];
        let given = flags.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?]));
        given.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_commands_have_the_flags_that_were_given() {
        let mut connection = Connection {
            endpoint: Some("http://h:1".into()),
            access_token_file: Some("t".into()),
            request_timeout: Some(Limit::Of(Duration::from_secs(5))),
            profile: Some("work".into()),
        };
        let flags = ["--endpoint", "http://h:1", "--access-token-file", "t"];
        let more = ["--request-timeout", "5s", "--profile", "work"];
        assert_eq!(connection.flags(), [flags, more].concat());
        (connection.request_timeout, connection.profile) = (None, None);
        assert_eq!(connection.flags(), flags);
    }
}
