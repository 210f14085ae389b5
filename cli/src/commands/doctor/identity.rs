//! Who calls: where the credentials are, of what kind, and whether they give a token. Nothing secret is read out of them.

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::report::{Check, Report};
use crate::duration;
use crate::session::{Session, Who};

const FILE_VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
const WELL_KNOWN: &str = "application_default_credentials.json";

pub(super) async fn check(session: &Session, report: &mut Report) {
    report.add(Check::ok("credentials", described(session.who())));
    if *session.who() == Who::Nobody {
        return;
    }
    report.add(match session.try_token().await {
        Ok(()) if *session.who() == Who::ApplicationDefault => {
            Check::ok("token", "fetched just now; such tokens live for an hour, and are renewed".to_owned())
        }
        Ok(()) => {
            Check::ok("token", "it is one, as far as can be seen; the server has the last word".to_owned())
        }
        Err(failure) => Check::failed("token", &failure),
    });
}

fn whole_minutes(left: Duration) -> Duration {
    let minutes = left.as_secs() / 60;
    if minutes == 0 {
        Duration::from_secs(left.as_secs())
    } else {
        Duration::from_secs(minutes.saturating_mul(60))
    }
}

fn described(who: &Who) -> String {
    match who {
        Who::Nobody => "none: an emulator needs none".to_owned(),
        Who::Variable => {
            "the token in CCI_ACCESS_TOKEN; when it ends, nothing tells: they live for an hour".to_owned()
        }
        Who::File(file, source) => {
            let age = age(file).map(|age| format!(", written {} ago", duration::print(whole_minutes(age))));
            format!("the token in {} ({source}){}", file.display(), age.unwrap_or_default())
        }
        Who::ApplicationDefault => match default_file() {
            Some((file, source)) => {
                format!("application default credentials in {} ({source}){}", file.display(), kind(&file))
            }
            None => {
                "application default credentials of the machine: no file of credentials was found".to_owned()
            }
        },
    }
}

fn age(file: &Path) -> Option<Duration> {
    let written = file.metadata().ok().filter(std::fs::Metadata::is_file)?.modified().ok()?;
    SystemTime::now().duration_since(written).ok()
}

/// The file of application default credentials (AIP-4110, AIP-4113).
fn default_file() -> Option<(PathBuf, &'static str)> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(file) = variable(FILE_VARIABLE) {
        return Some((file, FILE_VARIABLE));
    }
    let folder = variable("CLOUDSDK_CONFIG")
        .or_else(|| Some(variable("HOME")?.join(".config").join("gcloud")))
        .or_else(|| Some(variable("APPDATA")?.join("gcloud")))?;
    Some((folder.join(WELL_KNOWN), "gcloud's")).filter(|(file, _)| file.exists())
}

/// The kind, the principal and the quota project, as far as the file says.
fn kind(file: &Path) -> String {
    let Ok(text) = std::fs::read_to_string(file) else { return ": it cannot be read".to_owned() };
    let Ok(document) = serde_json::from_str::<Value>(&text) else { return ": it is not JSON".to_owned() };
    let field = |name: &str| document.get(name).and_then(Value::as_str).filter(|text| text.len() < 300);
    let mut facts: Vec<String> = field("type").into_iter().map(str::to_owned).collect();
    facts.extend(field("client_email").or_else(|| field("account")).map(|who| format!("as {who}")));
    let impersonated = field("service_account_impersonation_url")
        .and_then(|url| url.rsplit('/').next()?.split(':').next().map(|who| format!("as {who}")));
    facts.extend(impersonated);
    facts.extend(field("quota_project_id").map(|project| format!("quota project {project}")));
    facts.extend(field("universe_domain").map(|domain| format!("universe {domain}")));
    if facts.is_empty() { String::new() } else { format!(": {}", facts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_its_kind_and_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key.json");
        for (text, facts) in [
            (
                r#"{"type": "service_account", "client_email": "a@b", "private_key": "planted", "quota_project_id": "q"}"#,
                ": service_account, as a@b, quota project q",
            ),
            (
                r#"{"type": "external_account", "service_account_impersonation_url": "https://iam/v1/projects/-/serviceAccounts/s@p:generateAccessToken"}"#,
                ": external_account, as s@p",
            ),
            (r#"{"refresh_token": "planted", "client_secret": "planted"}"#, ""),
            ("planted", ": it is not JSON"),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(kind(&file), facts);
        }
        assert_eq!(kind(directory.path()), ": it cannot be read");
        let who = Who::File(file, "--access-token-file".to_owned());
        assert!(described(&who).contains("written 0s ago"), "{}", described(&who));
    }

    #[test]
    fn ages_are_rounded() {
        assert_eq!(whole_minutes(Duration::from_millis(59_900)), Duration::from_secs(59));
        assert_eq!(whole_minutes(Duration::from_secs(3_599)), Duration::from_mins(59));
    }
}
