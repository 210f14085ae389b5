//! From an error of the library to an exit code and to what the user can do next: pure functions.

mod beside;

use std::error::Error as StdError;

use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights::error::Setting;
use contact_center_insights::proto::rpc::BadRequest;
use contact_center_insights::{Code, Error, Status};
use contact_center_insights_emulator::DEFAULT_PORT;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::name::parent;
use crate::shell::command;

/// Whether a client certificate is shown (Google's clients).
const USE_CLIENT_CERTIFICATE: &str = "GOOGLE_API_USE_CLIENT_CERTIFICATE";

/// What was asked, and where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The name that was asked for; empty if none was.
    pub(crate) name: String,
    /// The endpoint, as a URI.
    pub(crate) endpoint: String,
    /// The connection flags that were given.
    pub(crate) flags: Vec<String>,
}

impl Origin {
    fn command(&self, arguments: &[&str]) -> String {
        command(arguments.iter().copied().chain(self.flags.iter().map(String::as_str)))
    }

    /// What to do about a name that is not there: to list what stands beside it.
    fn look_beside(&self) -> String {
        let list = match beside::list(&self.name) {
            Some(words) => self.command(&words.iter().map(String::as_str).collect::<Vec<_>>()),
            None => self.list(&parent(&self.name)),
        };
        format!("check the name, project and location too; to see what there is at {}: {list}", self.endpoint)
    }

    /// Lists what is there, for one who asked for what is not.
    fn list(&self, parent: &str) -> String {
        self.command(&["operations", "list", parent, "-o", "name"])
    }
}

/// The failure that `error` is to the user.
pub(crate) fn on_error(error: Error, origin: &Origin) -> Failure {
    let (exit, help, status) = (exit(&error), help(&error, origin), error.status().cloned());
    let failure = match error {
        Error::Config(config) => {
            Failure::because(exit, refused(config.setting(), origin), config.into_reason())
        }
        error => Failure::new(exit, error),
    };
    let failure = status.into_iter().fold(failure, Failure::with_status);
    help.into_iter().fold(failure, Failure::with_help)
}

pub(crate) fn exit(error: &Error) -> Exit {
    match error {
        Error::Name(_) | Error::Config(..) => Exit::Usage,
        Error::Operation { .. } => Exit::OperationFailed,
        Error::Cancelled { .. } => Exit::OperationCancelled,
        _ if error.is_credentials() => Exit::Credentials,
        _ if error.is_not_found() => Exit::NotFound,
        _ if error.is_unreachable() => Exit::Unreachable,
        _ => Exit::Api,
    }
}

/// What the library calls an option, `cci` has by another name.
fn refused(setting: Setting, origin: &Origin) -> String {
    match setting {
        Setting::Endpoint if origin.flags.iter().any(|flag| flag == "--endpoint") => {
            "cannot use `--endpoint`".into()
        }
        Setting::Endpoint => format!("cannot use the environment variable `{EMULATOR_HOST}`"),
        Setting::Location => "cannot pick a host by the location in the name".into(),
        Setting::Credentials => "cannot send a token to the endpoint".into(),
        Setting::Tls => "cannot set up TLS".into(),
        other => format!("cannot use the environment variable `{}`", other.name()),
    }
}

/// What to do about an option or a variable that cannot be used.
fn on_setting(setting: Setting) -> Option<String> {
    Some(match setting {
        Setting::Endpoint => {
            "an endpoint is https://HOST[:PORT], or http://HOST:PORT for an emulator; \
             CONTACTCENTERINSIGHTS_EMULATOR_HOST holds HOST:PORT"
                .to_owned()
        }
        Setting::Credentials => {
            "for an emulator on another machine, set CONTACTCENTERINSIGHTS_EMULATOR_HOST=HOST:PORT in place of \
             --endpoint, and leave the token out: none is needed then"
                .to_owned()
        }
        Setting::Location => "check the name; to ask one host whatever the name says: --endpoint https://HOST".to_owned(),
        Setting::Tls => "install the system's root certificates (often a package `ca-certificates`), \
             or name a PEM file with those to trust: export SSL_CERT_FILE=FILE"
            .to_owned(),
        Setting::Variable(USE_CLIENT_CERTIFICATE) => {
            format!("{CLIENT_CERTIFICATE}\nto show none: export {USE_CLIENT_CERTIFICATE}=false")
        }
        _ => return None,
    })
}

fn help(error: &Error, origin: &Origin) -> Option<String> {
    Some(match error {
        Error::Name(_) => format!("to see the names there are: {}", origin.list(&parent(&origin.name))),
        Error::Config(config) => return on_setting(config.setting()),
        Error::Operation { name, .. } | Error::Cancelled { name, .. } => {
            format!("to see all of the operation: {}", origin.command(&["operations", "get", name]))
        }
        _ if error.is_credentials() => on_credentials(error),
        // Else what lasts says itself what to do: a certificate that has expired, a proxy that refuses.
        _ if error.is_unreachable() && !error.is_transient() => return on_tls(error),
        _ if error.is_unreachable() => on_unreachable(origin),
        _ => on_code(error.code()?, error, origin),
    })
}

fn on_credentials(error: &Error) -> String {
    let why = if error.code() == Some(Code::Unauthenticated) {
        "the token may have expired: access tokens live for an hour\n"
    } else {
        ""
    };
    format!(
        "{why}log in with `gcloud auth application-default login`, or pass a token:\n\
         export CCI_ACCESS_TOKEN=\"$(gcloud auth print-access-token)\", or --access-token-file FILE\n\
         for an emulator, `--endpoint http://127.0.0.1:{DEFAULT_PORT}` needs no token"
    )
}

/// How a client certificate is named.
const CLIENT_CERTIFICATE: &str = "to show a client certificate: export GOOGLE_API_USE_CLIENT_CERTIFICATE=true, and \
     GOOGLE_API_CERTIFICATE_CONFIG=FILE with JSON such as\n\
     {\"cert_configs\": {\"workload\": {\"cert_path\": \"cert.pem\", \"key_path\": \"key.pem\"}}}";

/// What can be changed here about a handshake that failed for good.
pub(crate) fn on_tls(error: &(dyn StdError + 'static)) -> Option<String> {
    use rustls::{CertificateError, Error as Tls};

    match find_tls(error)? {
        Tls::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            let help = "if its authority should be trusted: export SSL_CERT_FILE=FILE, a PEM file with the \
                        authority's certificate, which then counts in place of the system's\n\
                        an emulator writes that of its own: --tls --ca-out FILE";
            Some(help.to_owned())
        }
        Tls::AlertReceived(_) => Some(CLIENT_CERTIFICATE.to_owned()),
        _ => None,
    }
}

/// The error of TLS in a chain of sources.
fn find_tls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn on_unreachable(Origin { endpoint, .. }: &Origin) -> String {
    let secure = ["https://127.0.0.1:", "https://localhost:", "https://[::1]:"];
    if secure.iter().any(|prefix| endpoint.starts_with(prefix)) {
        let plain = endpoint.replacen("https", "http", 1);
        return format!(
            "nothing answers at {endpoint} by TLS; an emulator without --tls is reached by `--endpoint {plain}`"
        );
    }
    let local = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    match local.iter().find_map(|prefix| endpoint.strip_prefix(prefix)) {
        Some(port) => {
            let start = command(["emulator", "--port", port]);
            format!("nothing answers at {endpoint}; is the emulator running? To start it: {start}")
        }
        None => format!(
            "nothing answers at {endpoint}; check the host's name and the network\n\
             an emulator is reached by http://, as in `--endpoint http://127.0.0.1:{DEFAULT_PORT}`"
        ),
    }
}

fn on_code(code: Code, error: &Error, origin: &Origin) -> String {
    match code {
        Code::NotFound => origin.look_beside(),
        Code::PermissionDenied => "the caller needs a role that allows this in the project, such as \
             roles/contactcenterinsights.viewer to read and roles/contactcenterinsights.editor to change"
            .to_owned(),
        Code::InvalidArgument if is_about_the_filter(error) => {
            format!("for the fields that a filter can name: {}", command(["operations", "list", "--help"]))
        }
        Code::InvalidArgument => {
            "the server refuses the request as it is; `--help` shows the forms".to_owned()
        }
        Code::DeadlineExceeded => {
            format!("{} was too slow; give it longer with --request-timeout", origin.endpoint)
        }
        Code::Unimplemented => format!("{} does not serve this; is it the right endpoint?", origin.endpoint),
        _ if error.is_transient() => "this may pass: try again later".to_owned(),
        _ => "what the server names above must change first; the same request would fail again".to_owned(),
    }
}

fn is_about_the_filter(error: &Error) -> bool {
    let details = error.status().and_then(Status::detail::<BadRequest>);
    details
        .is_some_and(|request| request.field_violations.iter().any(|violation| violation.field == "filter"))
}

#[cfg(test)]
mod tests {
    use contact_center_insights::auth::Token;
    use contact_center_insights::names::OperationName;
    use contact_center_insights::proto::{longrunning, rpc};
    use contact_center_insights::{Credentials, Endpoint, Operation, Payload, Transport};

    use super::*;

    fn origin() -> Origin {
        let flags = ["--endpoint", "http://127.0.0.1:9420"].map(str::to_owned).to_vec();
        Origin { name: "projects/p/locations/l/1".into(), endpoint: "http://127.0.0.1:9420".into(), flags }
    }

    #[test]
    fn every_kind_of_error_has_its_exit_code_and_help() {
        let name = "projects/p/locations/l/operations/1";
        let ended = |code: Code| {
            let error = rpc::Status { code: code as i32, ..Default::default() };
            let result = Some(longrunning::operation::Result::Error(error));
            let raw = longrunning::Operation { name: name.into(), done: true, result, ..Default::default() };
            Operation::<Payload>::from(raw).result().unwrap().unwrap_err()
        };
        let bad_endpoint = || "ftp://x".parse::<Endpoint>().unwrap_err();
        let token = Credentials::from_token(Token::new("t").unwrap());
        let token_over_plaintext = Transport::new("http://example.com".parse().unwrap(), token);
        let cases = [
            (
                Error::Name("projects/p/locations/l/1".parse::<OperationName>().unwrap_err()),
                Exit::Usage,
                "operations list projects/p/locations/l -o name --endpoint http://127.0.0.1:9420",
            ),
            (bad_endpoint(), Exit::Usage, "https://HOST[:PORT]"),
            (bad_endpoint(), Exit::Usage, "error: cannot use `--endpoint`"),
            (token_over_plaintext.unwrap_err(), Exit::Usage, "CONTACTCENTERINSIGHTS_EMULATOR_HOST="),
            (
                ended(Code::Aborted),
                Exit::OperationFailed,
                "operations get projects/p/locations/l/operations/1 --endpoint http://127.0.0.1:9420",
            ),
            (ended(Code::Cancelled), Exit::OperationCancelled, "operations get"),
        ];
        for (error, code, words) in cases {
            let failure = on_error(error, &origin());
            assert_eq!(failure.exit(), code);
            assert!(failure.to_string().contains(words), "{failure}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_as_cci_has_it() {
        let cases = [
            (Setting::Tls, "cannot set up TLS", Some("export SSL_CERT_FILE=FILE")),
            (Setting::Variable("HTTPS_PROXY"), "environment variable `HTTPS_PROXY`", None),
            (Setting::Location, "by the location in the name", Some("--endpoint https://HOST")),
            (
                Setting::Variable(USE_CLIENT_CERTIFICATE),
                USE_CLIENT_CERTIFICATE,
                Some("GOOGLE_API_CERTIFICATE_CONFIG=FILE"),
            ),
        ];
        for (setting, words, help) in cases {
            assert!(refused(setting, &origin()).contains(words), "{setting}");
            let given = on_setting(setting).unwrap_or_default();
            assert!(help.map_or(given.is_empty(), |help| given.contains(help)), "{setting}: {given}");
        }
        let elsewhere = refused(Setting::Endpoint, &Origin::default());
        assert!(elsewhere.contains(EMULATOR_HOST), "{elsewhere}");
    }

    #[test]
    fn an_emulator_is_suggested_where_one_could_be() {
        let help = on_unreachable(&origin());
        assert!(help.ends_with(" emulator --port 9420"), "{help}");
        let secure = Origin { endpoint: "https://localhost:99".into(), ..Origin::default() };
        assert!(on_unreachable(&secure).ends_with("`--endpoint http://localhost:99`"));
        let remote = Origin { endpoint: "https://x.invalid".into(), ..Origin::default() };
        assert!(on_unreachable(&remote).contains("https://x.invalid; check the host's name"));
    }

    #[test]
    fn a_handshake_that_fails_for_good_is_answered_by_variables() {
        use rustls::{AlertDescription, CertificateError, Error as Tls};

        let cases = [
            (Tls::InvalidCertificate(CertificateError::UnknownIssuer), Some("export SSL_CERT_FILE=FILE")),
            (Tls::InvalidCertificate(CertificateError::BadSignature), Some("--tls --ca-out FILE")),
            (
                Tls::AlertReceived(AlertDescription::CertificateRequired),
                Some("GOOGLE_API_CERTIFICATE_CONFIG"),
            ),
            (Tls::InvalidCertificate(CertificateError::Expired), None),
        ];
        for (error, words) in cases {
            let help = on_tls(&error);
            assert_eq!(help.is_some(), words.is_some(), "{error}");
            assert!(words.is_none_or(|words| help.unwrap().contains(words)), "{error}");
        }
    }
}
