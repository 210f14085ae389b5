//! `cci doctor`: tries one thing after another that a call needs, and says of each that it is fine, or what to do.

mod identity;
mod network;
mod report;

use std::env;
use std::process::ExitCode;

use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights::proto::longrunning::ListOperationsRequest;

use self::report::{Check, Report};
use crate::args::Doctor;
use crate::config::{self, File};
use crate::failure::Failure;
use crate::output::Format;
use crate::scope::Scope;
use crate::session::Session;
use crate::terminal::print;

/// What commands go by, as the README lists it; what holds a secret is not shown.
const VARIABLES: [(&str, bool); 27] = [
    ("CCI_ACCESS_TOKEN", true),
    (config::FILE, false),
    (config::PROFILE, false),
    (crate::scope::PROJECT, false),
    (crate::scope::LOCATION, false),
    (EMULATOR_HOST, false),
    ("GOOGLE_CLOUD_PROJECT", false),
    ("CLOUDSDK_CORE_PROJECT", false),
    ("CLOUDSDK_ACTIVE_CONFIG_NAME", false),
    ("CLOUDSDK_CONFIG", false),
    ("XDG_CONFIG_HOME", false),
    ("GOOGLE_APPLICATION_CREDENTIALS", false),
    ("GCE_METADATA_HOST", false),
    ("GOOGLE_CLOUD_QUOTA_PROJECT", false),
    ("GOOGLE_CLOUD_UNIVERSE_DOMAIN", false),
    ("GOOGLE_API_USE_CLIENT_CERTIFICATE", false),
    ("GOOGLE_API_CERTIFICATE_CONFIG", false),
    ("GOOGLE_API_USE_MTLS_ENDPOINT", false),
    ("SSL_CERT_FILE", false),
    ("SSL_CERT_DIR", false),
    ("HTTPS_PROXY", false),
    ("https_proxy", false),
    ("ALL_PROXY", false),
    ("all_proxy", false),
    ("NO_PROXY", false),
    ("no_proxy", false),
    ("RUST_LOG", false),
];

pub(super) async fn run(args: Doctor, output: Format) -> Result<ExitCode, Failure> {
    let scope = args.scope.scope();
    let mut report = Report::default();
    report.add(Check::ok("variables", variables()));
    report.add(configuration());
    let parent = named(&scope, &mut report);
    match Session::open(args.connection, parent.as_deref().unwrap_or_default()) {
        Ok(session) => session_checks(&session, parent.as_deref(), &mut report).await,
        Err(failure) => report.add(Check::failed("client", &failure)),
    }
    print(&report.print(output)?)?;
    Ok(report.exit().into())
}

async fn session_checks(session: &Session, parent: Option<&str>, report: &mut Report) {
    report.add(Check::ok("endpoint", format!("{} ({})", session.endpoint(), session.why())));
    identity::check(session, report).await;
    network::check(session.endpoint(), report).await;
    if report.has_failed() {
        return report.add(Check::skipped("call", "not tried: see above"));
    }
    report.add(call(session, parent).await);
}

/// One cheap read.
async fn call(session: &Session, parent: Option<&str>) -> Check {
    let Some(parent) = parent else {
        return Check::skipped("call", "not tried: it needs a project and a location");
    };
    let request = ListOperationsRequest { name: parent.to_owned(), page_size: 1, ..Default::default() };
    match session.client().list_operations(request).await {
        Ok(_) => Check::ok("call", format!("ListOperations of {parent} is answered")),
        Err(error) => Check::failed("call", &session.failure(parent)(error)),
    }
}

/// The project and the location, and what says so.
fn named(scope: &Scope, report: &mut Report) -> Option<String> {
    for (name, found) in [("project", scope.project()), ("location", scope.location())] {
        report.add(match found {
            Ok(Some(found)) => Check::ok(name, format!("{} ({})", found.value, found.source)),
            Ok(None) => Check::skipped(name, "not set: commands need full names, or a flag")
                .with_help(format!("cci config set {name} …")),
            // The configuration says it already.
            Err(_) => Check::skipped(name, "not known: see above"),
        });
    }
    let parent = scope.parent();
    if let Err(failure) = &parent
        && scope.project().is_ok_and(|found| found.is_some())
        && scope.location().is_ok_and(|found| found.is_some())
    {
        report.add(Check::failed("names", failure));
    }
    parent.ok()
}

fn variables() -> String {
    let set = VARIABLES.iter().filter_map(|(name, is_secret)| {
        let value = env::var_os(name).filter(|value| !value.is_empty())?;
        let value = if *is_secret { "(set)".to_owned() } else { without_password(&value.to_string_lossy()) };
        Some(format!("{name}={value}"))
    });
    let set: Vec<_> = set.collect();
    if set.is_empty() { "none is set".to_owned() } else { set.join(" ") }
}

/// A URL without who calls and by what password.
fn without_password(value: &str) -> String {
    let (scheme, rest) = value.split_once("://").map_or(("", value), |(scheme, rest)| (scheme, rest));
    match rest.rsplit_once('@') {
        Some((_, host)) if scheme.is_empty() => format!("(redacted)@{host}"),
        Some((_, host)) => format!("{scheme}://(redacted)@{host}"),
        None => value.to_owned(),
    }
}

fn configuration() -> Check {
    let Some(path) = config::path() else {
        return Check::ok("configuration", "none: neither HOME nor CCI_CONFIG is set".to_owned());
    };
    if !path.exists() {
        return Check::ok("configuration", format!("{}, which is not there", path.display()));
    }
    let read = File::read(Some(path)).and_then(|file| {
        let profile = file.active(config::chosen())?;
        Ok(format!("the profile {profile} of {}", file.shown()))
    });
    match read {
        Ok(text) => Check::ok("configuration", text),
        Err(failure) => Check::failed("configuration", &failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_password("http://u:planted@h:1"), "http://(redacted)@h:1");
        assert_eq!(without_password("u:planted@h:1"), "(redacted)@h:1");
        assert_eq!(without_password("http://u:pl@nted@h:1"), "http://(redacted)@h:1");
        assert_eq!(without_password("/a/b"), "/a/b");
    }
}
