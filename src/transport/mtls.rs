//! The client certificate that the environment names, by the rules of Google's clients (AIP-4114).
//!
//! Two questions, each with a variable: is a certificate shown, and do calls go to the host that asks for one. The
//! certificate itself is named by the `workload` section of a file that `gcloud` writes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::environment::Environment;
use crate::error::{BoxError, Error, Setting};

const USE_CLIENT_CERTIFICATE: &str = "GOOGLE_API_USE_CLIENT_CERTIFICATE";
const USE_VARIABLES: [&str; 2] = [USE_CLIENT_CERTIFICATE, "CLOUDSDK_CONTEXT_AWARE_USE_CLIENT_CERTIFICATE"];
const CERTIFICATE_CONFIG: &str = "GOOGLE_API_CERTIFICATE_CONFIG";
const CONFIG_VARIABLES: [&str; 2] =
    [CERTIFICATE_CONFIG, "CLOUDSDK_CONTEXT_AWARE_CERTIFICATE_CONFIG_FILE_PATH"];
/// Whether calls go to the host for client certificates: `auto`, `never`, `always`.
pub(crate) const USE_MTLS_ENDPOINT: &str = "GOOGLE_API_USE_MTLS_ENDPOINT";

/// The files of a certificate chain and its key.
pub(super) type Files = (PathBuf, PathBuf);

/// Whether calls go to the host for client certificates, where nobody has said to which host they go.
pub(crate) fn wants_mtls_endpoint(has_identity: bool, environment: &Environment<'_>) -> Result<bool, Error> {
    let Some(value) = environment.get(USE_MTLS_ENDPOINT) else { return Ok(has_identity) };
    match value.to_ascii_lowercase().as_str() {
        "auto" => Ok(has_identity),
        "never" => Ok(false),
        "always" => Ok(true),
        _ => {
            let reason = format!("`{}` is not one of auto, never, always", value.escape_debug());
            Err(Error::config(Setting::Variable(USE_MTLS_ENDPOINT), reason))
        }
    }
}

/// The client certificate that the environment names.
///
/// `true` or `false` decide. Without either, there is one if the configuration file names one; then a file that nobody
/// pointed to, and that cannot be read, is passed over.
pub(super) fn identity(environment: &Environment<'_>) -> Result<Option<Files>, Error> {
    let wanted = match environment.first(&USE_VARIABLES) {
        None => None,
        Some((_, value)) if value.eq_ignore_ascii_case("true") => Some(true),
        Some((_, value)) if value.eq_ignore_ascii_case("false") => Some(false),
        Some((variable, value)) => {
            let reason = format!("`{}` is neither true nor false", value.escape_debug());
            return Err(Error::config(Setting::Variable(variable), reason));
        }
    };
    if wanted == Some(false) {
        return Ok(None);
    }
    let (variable, path) = match environment.first(&CONFIG_VARIABLES) {
        Some((variable, path)) => (Some(variable), Some(PathBuf::from(path))),
        None => (None, well_known(environment)),
    };
    let Some(path) = path.filter(|path| variable.is_some() || path.exists()) else {
        return match wanted {
            Some(_) => Err(without_certificate("there is no file at gcloud's usual place")),
            None => Ok(None),
        };
    };
    let named = match read_config(&path) {
        Ok(named) => named,
        Err(_) if variable.is_none() && wanted.is_none() => return Ok(None),
        Err(source) => {
            return Err(Error::config(Setting::Variable(variable.unwrap_or(CERTIFICATE_CONFIG)), source));
        }
    };
    match (named, wanted) {
        (Some((chain, key)), _) => {
            // They are read again when they are used; who named them should know now.
            let readable = read(&chain).and_then(|_| read(&key));
            readable.map(|_| Some((chain, key))).map_err(|source| {
                Error::config(Setting::Variable(variable.unwrap_or(CERTIFICATE_CONFIG)), source)
            })
        }
        (None, Some(_)) => {
            Err(without_certificate(&format!("`{}` has no `cert_configs.workload`", path.display())))
        }
        (None, None) => Ok(None),
    }
}

fn without_certificate(why: &str) -> Error {
    let reason = format!(
        "it is true, but {why}, and other sources of a certificate are not supported; name a configuration file by \
         {CERTIFICATE_CONFIG}, or give the certificate by `Tls::with_identity_pem`"
    );
    Error::config(Setting::Variable(USE_CLIENT_CERTIFICATE), reason)
}

/// Where `gcloud` keeps the file.
fn well_known(environment: &Environment<'_>) -> Option<PathBuf> {
    let folder = match environment.get("CLOUDSDK_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None if cfg!(windows) => Path::new(&environment.get("APPDATA")?).join("gcloud"),
        None => Path::new(&environment.get("HOME")?).join(".config").join("gcloud"),
    };
    Some(folder.join("certificate_config.json"))
}

/// The paths of certificate and key in the file's `workload` section, if it has one: gcloud keeps other kinds of
/// certificates in it too.
fn read_config(path: &Path) -> Result<Option<Files>, BoxError> {
    let text = read(path)?;
    let shown = path.display();
    let config: Value =
        serde_json::from_slice(&text).map_err(|error| format!("`{shown}` is not JSON: {error}"))?;
    let Some(workload) = config.get("cert_configs").and_then(|configs| configs.get("workload")) else {
        return Ok(None);
    };
    let field = |name: &str| {
        let value = workload.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        value
            .map(PathBuf::from)
            .ok_or_else(|| format!("`cert_configs.workload.{name}` is missing in `{shown}`"))
    };
    Ok(Some((field("cert_path")?, field("key_path")?)))
}

fn read(path: &Path) -> Result<Vec<u8>, BoxError> {
    fs::read(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const USE: &str = USE_CLIENT_CERTIFICATE;
    const CONFIG: &str = CERTIFICATE_CONFIG;
    type Variables<'a> = &'a [(&'a str, &'a str)];

    /// A folder of its own, which goes away with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("cci-mtls-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, text: &str) -> String {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        }

        /// A configuration that names a certificate and a key, both there.
        fn config(&self, name: &str) -> String {
            let workload = serde_json::json!({
                "cert_path": self.write("chain.pem", "chain"),
                "key_path": self.write("key.pem", "key"),
            });
            let config = serde_json::json!({ "version": 1, "cert_configs": { "workload": workload } });
            self.write(name, &config.to_string())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn identity_by(variables: Variables<'_>) -> Result<Option<Files>, Error> {
        let variables: HashMap<&str, &str> = variables.iter().copied().collect();
        identity(&Environment::new(&|name| variables.get(name).map(|value| (*value).to_owned())))
    }

    #[test]
    fn the_variables_decide_whether_a_certificate_is_shown() {
        let folder = Folder::new("decide");
        let named = folder.config("named.json");
        let home = folder.0.to_str().unwrap();
        let found = Some((folder.0.join("chain.pem"), folder.0.join("key.pem")));
        let [_, old_use] = USE_VARIABLES;
        let [_, old_config] = CONFIG_VARIABLES;
        let cases: [(Variables, bool); 9] = [
            (&[], false),
            (&[(CONFIG, &named)], true),
            (&[(old_config, &named)], true),
            (&[(CONFIG, &named), (USE, "TRUE")], true),
            (&[(CONFIG, &named), (USE, "false")], false),
            (&[(CONFIG, &named), (old_use, "false")], false),
            (&[(CONFIG, &named), (old_use, "false"), (USE, "true")], true),
            // Nothing at the usual place, and nobody asks.
            (&[("CLOUDSDK_CONFIG", home)], false),
            (&[(CONFIG, ""), ("CLOUDSDK_CONFIG", home)], false),
        ];
        for (variables, is_shown) in cases {
            let expected = found.clone().filter(|_| is_shown);
            assert_eq!(identity_by(variables).unwrap(), expected, "{variables:?}");
        }
        folder.config("certificate_config.json");
        assert_eq!(identity_by(&[("CLOUDSDK_CONFIG", home)]).unwrap(), found);
    }

    #[test]
    fn what_is_wrong_names_the_variable() {
        let folder = Folder::new("wrong");
        let home = folder.0.to_str().unwrap();
        let no_json = folder.write("no.json", "{");
        let other = folder.write("other.json", r#"{"cert_configs": {"macos_keychain": {}}}"#);
        let half = folder.write("half.json", r#"{"cert_configs": {"workload": {"cert_path": "/x"}}}"#);
        let gone = folder.write(
            "gone.json",
            r#"{"cert_configs": {"workload": {"cert_path": "/no/x", "key_path": "/no/y"}}}"#,
        );
        let cases: [(Variables, &str, &str); 8] = [
            (&[(USE, "yes")], USE, "`yes` is neither true nor false"),
            (&[("CLOUDSDK_CONTEXT_AWARE_USE_CLIENT_CERTIFICATE", "1")], USE_VARIABLES[1], "neither true"),
            (&[(USE, "true"), ("CLOUDSDK_CONFIG", home)], USE, "there is no file at gcloud's usual place"),
            (&[(CONFIG, "/no/such/file")], CONFIG, "`/no/such/file` cannot be read"),
            (&[(CONFIG, &no_json)], CONFIG, "is not JSON"),
            (&[(CONFIG, &half)], CONFIG, "`cert_configs.workload.key_path` is missing"),
            (&[(CONFIG, &gone)], CONFIG, "`/no/x` cannot be read"),
            (&[(USE, "true"), (CONFIG, &other)], USE, "has no `cert_configs.workload`"),
        ];
        for (variables, option, expected) in cases {
            let error = identity_by(variables).unwrap_err();
            assert_eq!(error.setting(), Some(Setting::Variable(option)), "{variables:?}: {error:?}");
            assert!(error.to_string().contains(expected), "{variables:?}: {error:?}");
        }
        assert_eq!(identity_by(&[(CONFIG, &other)]).unwrap(), None);
        folder.write("certificate_config.json", "{");
        assert_eq!(identity_by(&[("CLOUDSDK_CONFIG", home)]).unwrap(), None, "nobody asked for it");
    }

    #[test]
    fn the_host_for_certificates_is_chosen_by_its_variable() {
        let chosen = |value: Option<&str>, has_identity| {
            let lookup = |name: &str| value.filter(|_| name == USE_MTLS_ENDPOINT).map(str::to_owned);
            wants_mtls_endpoint(has_identity, &Environment::new(&lookup))
        };
        for (value, without, with) in [
            (None, false, true),
            (Some("auto"), false, true),
            (Some("Never"), false, false),
            (Some("always"), true, true),
        ] {
            assert_eq!(
                (chosen(value, false).unwrap(), chosen(value, true).unwrap()),
                (without, with),
                "{value:?}"
            );
        }
        let error = chosen(Some("yes"), true).unwrap_err();
        assert!(
            error.to_string().starts_with("cannot use environment variable `GOOGLE_API_USE_MTLS_ENDPOINT`: "),
            "{error}"
        );
    }
}
