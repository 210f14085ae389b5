//! The kinds of credentials, each as a file or the environment gives them, pointed to token servers on loopback.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::grants::{ACCOUNT, CLIENT_ID, CLIENT_SECRET, KEY, REFRESH_TOKEN, SUBJECT_TOKEN};

/// Names the backend that a child process is to use.
pub const BACKEND: &str = "CCI_TEST_BACKEND";

/// A backend with one kind of credentials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Metadata,
    User,
    External,
    Impersonated,
    AuthzMetadata,
    AuthzServiceAccount,
    /// No credentials anywhere: not in [`Kind::ALL`].
    Absent,
    AuthzAbsent,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::Metadata,
        Self::User,
        Self::External,
        Self::Impersonated,
        Self::AuthzMetadata,
        Self::AuthzServiceAccount,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Metadata => "`google-cloud-auth`, metadata server",
            Self::User => "`google-cloud-auth`, authorized user",
            Self::External => "`google-cloud-auth`, external account",
            Self::Impersonated => "`google-cloud-auth`, impersonated service account",
            Self::AuthzMetadata => "`google-authz`, metadata server",
            Self::AuthzServiceAccount => "`google-authz`, service account",
            Self::Absent => "`google-cloud-auth`, no credentials",
            Self::AuthzAbsent => "`google-authz`, no credentials",
        }
    }

    fn backend(self) -> &'static str {
        match self {
            Self::Metadata | Self::User | Self::External | Self::Impersonated | Self::Absent => {
                "google-cloud-auth"
            }
            Self::AuthzMetadata | Self::AuthzServiceAccount | Self::AuthzAbsent => "google-authz",
        }
    }

    /// Whether the backend has a cache, besides ours.
    pub fn keeps_tokens(self) -> bool {
        self.backend() == "google-cloud-auth"
    }

    /// Sets the environment of a child: these credentials and no others. `tls` is the server with TLS, and the
    /// certificate that speaks for it.
    pub fn apply(self, command: &mut Command, server: SocketAddr, tls: (SocketAddr, &Path)) {
        command
            .env(BACKEND, self.backend())
            .env("HOME", "/nonexistent")
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("SSL_CERT_FILE", tls.1)
            .env_remove("SSL_CERT_DIR")
            .env_remove("GOOGLE_APPLICATION_CREDENTIALS")
            .env_remove("GOOGLE_CLOUD_QUOTA_PROJECT")
            .env_remove("GOOGLE_CLOUD_UNIVERSE_DOMAIN")
            .env_remove("GCE_METADATA_HOST")
            .env_remove("CLOUDSDK_CONFIG")
            .env_remove("GCE_METADATA_IP");
        match self.file(server, tls.0) {
            // A look for a metadata server finds a closed port.
            None if matches!(self, Self::Absent | Self::AuthzAbsent) => {
                command.env("GCE_METADATA_IP", "127.0.0.1:1")
            }
            None => command.env("GCE_METADATA_HOST", server.to_string()),
            Some(file) => command.env("GOOGLE_APPLICATION_CREDENTIALS", write(&file)),
        };
    }

    fn file(self, server: SocketAddr, tls: SocketAddr) -> Option<Value> {
        let user = |path: &str| {
            json!({
                "type": "authorized_user",
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "refresh_token": REFRESH_TOKEN,
                "token_uri": format!("http://{server}/{path}"),
            })
        };
        Some(match self {
            Self::Metadata | Self::AuthzMetadata | Self::Absent | Self::AuthzAbsent => return None,
            Self::User => {
                let mut file = user("token");
                file["quota_project_id"] = json!("planted-quota-project");
                file
            }
            Self::External => json!({
                "type": "external_account",
                "audience": "//iam.googleapis.com/projects/1/pool",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": format!("http://{server}/sts"),
                "credential_source": {"file": write_text(SUBJECT_TOKEN)},
            }),
            Self::Impersonated => json!({
                "type": "impersonated_service_account",
                "service_account_impersonation_url":
                    format!("http://{server}/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"),
                "source_credentials": user("source"),
            }),
            Self::AuthzServiceAccount => service_account(&format!("https://localhost:{}/token", tls.port())),
        })
    }
}

/// The file of a service account, as the console gives it out.
pub fn service_account(token_uri: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "key-1",
        "private_key": KEY,
        "client_email": ACCOUNT,
        "client_id": "1",
        "token_uri": token_uri,
    })
}

pub fn write(file: &Value) -> PathBuf {
    write_text(&file.to_string())
}

/// Writes a file of its own for each case.
pub fn write_text(text: &str) -> PathBuf {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    static FILES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("auth-{}-{}", std::process::id(), FILES.fetch_add(1, Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}
