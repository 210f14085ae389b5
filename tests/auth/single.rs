//! Single promises, each with a client in a process of its own: who is asked, what is sent, and where it goes.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::SeqCst;

use serde_json::json;

use crate::kinds::{self, Kind};
use crate::script::Answer;
use crate::server::TokenServer;
use crate::{certificate, child, grants, safety};

/// What one client printed, and the server that it asked.
struct Run {
    output: String,
    server: TokenServer,
}

impl Run {
    async fn of(
        role: &str,
        kind: Kind,
        answers: impl IntoIterator<Item = Answer>,
        more: &[(&str, &str)],
    ) -> Self {
        let (tls, authority) = certificate();
        let server = TokenServer::start(answers).await;
        let address = server.also_with_tls(tls).await;
        let output = child::run(role, kind, &server, (address, &authority), more).await;
        let output = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Self { output, server }
    }

    fn line(&self, word: &str) -> &str {
        let lines = child::lines(&self.output, word);
        assert_eq!(lines.len(), 1, "{word}: {}", self.output);
        lines[0]
    }

    fn requests(&self) -> usize {
        self.server.desk.requests.load(SeqCst)
    }
}

fn file(path: &Path) -> (&'static str, &str) {
    ("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap())
}

/// `google-cloud-auth` asks no server for a service account's token: it signs one itself, which the API takes.
#[tokio::test]
async fn a_service_account_signs_its_own_token() {
    let key = kinds::write(&kinds::service_account("https://127.0.0.1:1/token"));
    let run = Run::of("one-call", Kind::User, [Answer::Good], &[file(&key)]).await;
    let jwt = run.line("@authorization").strip_prefix("Bearer ").expect("a bearer token");
    grants::verified_claims(jwt).unwrap();
    assert_eq!(run.requests(), 0);
}

#[tokio::test]
async fn a_malformed_key_ends_calls_at_once() {
    let mut key = kinds::service_account("https://localhost:1/token");
    key["private_key"] = json!("-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n");
    let key = kinds::write(&key);
    for kind in [Kind::User, Kind::AuthzServiceAccount] {
        let run = Run::of("one-call", kind, [Answer::Good], &[file(&key)]).await;
        assert!(run.line("@error").contains("private key"), "{}", run.output);
        assert!(!run.output.contains("planted"), "{}", run.output);
    }
}

#[tokio::test]
async fn a_credentials_file_that_is_missing_or_wrong_is_named_as_the_cause() {
    let odd = kinds::write(&json!({"type": "planted-type", "secret": "planted-secret"}));
    let text = kinds::write_text("\"planted-secret\"");
    let missing = PathBuf::from("/nonexistent/key.json");
    for kind in [Kind::User, Kind::AuthzServiceAccount] {
        for path in [&odd, &text, &missing] {
            let run = Run::of("one-call", kind, [Answer::Good], &[file(path)]).await;
            assert!(!run.output.contains("planted-secret"), "{}", run.output);
            assert!(run.line("@error").contains("file") || path == &odd, "{}", run.output);
        }
    }
}

/// What people do to a key on its way, by both backends: named, with what to do, and not shown.
#[tokio::test]
async fn the_usual_mistakes_with_a_key_are_named() {
    let good = kinds::service_account("https://localhost:1/token");
    let mut escaped = good.clone();
    escaped["private_key"] = json!(grants::KEY.replace('\n', "\\n"));
    let mut workforce =
        json!({"type": "external_account_authorized_user", "token_url": "http://127.0.0.1:1/"});
    for (field, secret) in [
        ("client_id", grants::CLIENT_ID),
        ("client_secret", grants::CLIENT_SECRET),
        ("refresh_token", grants::REFRESH_TOKEN),
    ] {
        workforce[field] = json!(secret);
    }
    let path = |path: PathBuf| path.to_str().unwrap().to_owned();
    let cases = [
        (path(kinds::write(&escaped)), "escaped twice; write `\\n` where the file has `\\\\n`"),
        (path(kinds::write_text(&format!("\u{feff}{good}"))), "begins with a byte order mark (BOM)"),
        (
            good.to_string(),
            "GOOGLE_APPLICATION_CREDENTIALS holds the credentials themselves; write them to a file",
        ),
        (path(kinds::write(&workforce)), "`external_account_authorized_user`, which is not supported"),
    ];
    let key = grants::KEY.lines().nth(1).unwrap();
    for kind in [Kind::User, Kind::AuthzServiceAccount] {
        for (value, words) in &cases {
            let more = [("GOOGLE_APPLICATION_CREDENTIALS", value.as_str())];
            let run = Run::of("one-call", kind, [Answer::Good], &more).await;
            assert!(run.line("@error").contains(words), "{kind:?}: {}", run.output);
            for secret in [&key[..16], "planted-client-secret", "planted-refresh-token", "45, 45, 45"] {
                assert!(!run.output.contains(secret), "{kind:?}: {}", run.output);
            }
            assert_eq!(run.requests(), 0);
        }
    }
}

/// gcloud's own file, where `CLOUDSDK_CONFIG` puts it; also for the backends, which look below `HOME` only.
#[tokio::test]
async fn gclouds_file_is_found_where_gcloud_is_told_to_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    let key = kinds::service_account("https://localhost:1/token");
    std::fs::write(folder.path().join("application_default_credentials.json"), key.to_string()).unwrap();
    let folder = folder.path().to_str().unwrap();
    let run = Run::of("one-call", Kind::Absent, [Answer::Good], &[("CLOUDSDK_CONFIG", folder)]).await;
    let jwt = run.line("@authorization").strip_prefix("Bearer ").expect("a bearer token");
    grants::verified_claims(jwt).unwrap();
    let more = [("CLOUDSDK_CONFIG", folder), ("CCI_TEST_IMPATIENT", "1")];
    let run = Run::of("one-call", Kind::AuthzAbsent, [Answer::Good], &more).await;
    assert!(!run.line("@error").contains("no credentials were found"), "{}", run.output);
}

#[tokio::test]
async fn the_quota_project_of_the_credentials_is_sent_once() {
    let run = Run::of("one-call", Kind::User, [Answer::Good], &[]).await;
    assert_eq!(run.line("@project"), "planted-quota-project");
    assert_eq!(run.line("@authorization"), format!("Bearer {}", grants::GOOD_TOKEN));
    let run = Run::of("one-call", Kind::User, [Answer::Good], &[("GOOGLE_CLOUD_QUOTA_PROJECT", "q")]).await;
    assert_eq!(run.line("@project"), "q", "the variable wins over the file");
}

#[tokio::test]
async fn credentials_of_another_universe_are_not_sent() {
    for kind in [Kind::User, Kind::Metadata] {
        let run =
            Run::of("one-call", kind, [Answer::Good], &[("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.cloud")])
                .await;
        let error = run.line("@error");
        assert!(error.contains("`googleapis.com`") && error.contains("`example.cloud`"), "{error}");
        assert!(!run.output.contains("@authorization"), "{}", run.output);
        let run =
            Run::of("one-call", kind, [Answer::Good], &[("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "googleapis.com")])
                .await;
        assert!(run.output.contains("@ok"), "{}", run.output);
    }
}

/// With the patience of 30 s that clients have by default: a caller who has no credentials is told so without it, in
/// words, with the whole command that helps.
#[tokio::test]
async fn where_there_are_no_credentials_a_call_says_so_at_once() {
    for kind in [Kind::Absent, Kind::AuthzAbsent] {
        let run = Run::of("one-call", kind, [Answer::Good], &[]).await;
        let error = run.line("@error");
        for part in [
            "no credentials were found: GOOGLE_APPLICATION_CREDENTIALS is not set",
            "/nonexistent/.config/gcloud/application_default_credentials.json does not exist",
            "no metadata server of Google Cloud answers at 127.0.0.1;",
            "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the path of a \
             credentials file",
        ] {
            assert!(error.contains(part), "{kind:?}: {part} is not in {error}");
        }
        assert_eq!(run.requests(), 0);
    }
}

/// `GCE_METADATA_IP` only says where to look whether there is a metadata server, which `GCE_METADATA_HOST` answers.
#[tokio::test]
async fn the_metadata_host_alone_says_where_the_metadata_server_is() {
    for kind in [Kind::Metadata, Kind::AuthzMetadata] {
        let run = Run::of("one-call", kind, [Answer::Good], &[("GCE_METADATA_IP", "127.0.0.1:1")]).await;
        assert!(run.output.contains("@ok"), "{}", run.output);
        assert_eq!(run.requests(), 1);
    }
}

/// Google's crate has the refused token in a cache of its own, and would give it again.
#[tokio::test]
async fn a_refused_token_is_fetched_anew_from_the_server() {
    for kind in Kind::ALL {
        let run = Run::of("one-call", kind, [Answer::Good], &[("CCI_TEST_REFUSE", "1")]).await;
        assert!(run.output.contains("@ok"), "{kind:?}: {}", run.output);
        assert_eq!(run.requests(), 2, "{kind:?}");
    }
}

/// What the first runtime has made for the credentials outlives it.
#[tokio::test]
async fn credentials_outlive_the_runtime_in_which_they_were_first_used() {
    for kind in Kind::ALL {
        let run = Run::of("two-runtimes", kind, [Answer::Good], &[]).await;
        assert_eq!((run.line("@first"), run.line("@second")), ("true", "true"), "{kind:?}: {}", run.output);
        let fetches = if kind.keeps_tokens() { 1 } else { 2 };
        assert_eq!(run.requests(), fetches, "{kind:?}");
    }
}

/// First a slow answer, then four failures, then health: `google-authz` by itself loses wake-ups and panics.
#[tokio::test]
async fn a_hundred_clones_outlast_a_bad_start() {
    for kind in [Kind::AuthzMetadata, Kind::Metadata] {
        let bad = Answer::Status(503);
        let answers = [Answer::SlowFailure, bad, bad, bad, bad, Answer::Good];
        let run = Run::of("crowd", kind, answers, &[]).await;
        assert_eq!(run.line("@served"), "100", "{kind:?}: {}", run.output);
        assert_eq!((run.requests(), run.server.desk.most_in_flight.load(SeqCst)), (6, 1), "{kind:?}");
    }
}

/// What a token server's redirect does with the secrets of a request, backend by backend: `google-cloud-auth` goes
/// where it is sent and takes the body along, which we cannot hinder; `google-authz` does not go.
#[tokio::test]
async fn redirects_of_token_servers() {
    for (kind, follows) in [(Kind::User, true), (Kind::External, true), (Kind::AuthzServiceAccount, false)] {
        let other = TokenServer::start([Answer::Good]).await;
        let more = [("CCI_TEST_IMPATIENT", "1")];
        let run = Run::of("one-call", kind, [Answer::Redirect(other.address)], &more).await;
        assert!(run.output.contains("@error"), "{}", run.output);
        assert_eq!(safety::secrets_sent(&other), follows, "{kind:?}");
    }
}
