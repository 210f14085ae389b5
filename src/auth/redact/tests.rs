//! What is shown of errors, and what is not.

use super::*;

fn said(text: &'static str) -> RedactedError {
    RedactedError::of(&*Box::<dyn Error + Send + Sync>::from(text))
}

#[test]
fn bodies_are_summed_up() {
    let cases = [
        (
            r#"failed to refresh, body=<{"error":"invalid_grant","error_description":"Token has been expired or revoked."}> and future attempts will not succeed"#,
            "failed to refresh, body=<invalid_grant: Token has been expired or revoked.>",
            true,
        ),
        (
            r#"x, body=<{"error":{"code":403,"message":"no permission","status":"PERMISSION_DENIED"}}>"#,
            "x, body=<PERMISSION_DENIED: no permission>",
            false,
        ),
        (
            r#"a [400] error: {"error":"invalid_grant","error_description":"gone"}"#,
            "a [400] error: invalid_grant: gone",
            true,
        ),
        ("a [404] error: hunter2", "a [404] error: (7 bytes)", false),
        (r#"failed :b"{\"error\":\"unavailable\"}""#, r#"failed :b"unavailable""#, false),
        ("x, body=<<html>hunter2</html>>", "x, body=<(20 bytes)>", false),
    ];
    for (text, shown, is_about_the_credentials) in cases {
        let said = said(text);
        assert_eq!(said.to_string(), shown);
        assert_eq!(said.is_about_the_credentials, is_about_the_credentials, "{text}");
    }
}

#[test]
fn what_looks_like_a_secret_is_not_shown_and_addresses_are() {
    for secret in [
        "token ya29.c.b0AX",
        "refresh 1//0gAbc",
        "client GOCSPX-x1",
        "jwt eyJhbGciOi.x.y",
        "key 0123456789abcdef0123456789abcdef01234567",
        r#"invalid type: string "hunter2", expected u64"#,
    ] {
        let shown = said(secret).to_string();
        assert!(shown.contains("[redacted]"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("0AX"), "{shown}");
    }
    let shown = said("for url (http://user:hunter2@127.0.0.1:3000/token?key=hunter2): refused").to_string();
    assert_eq!(shown, "for url (http://127.0.0.1:3000/token?…): refused");
    for harmless in [
        "HTTP status client error (404 Not Found) for url (http://127.0.0.1:3000/computeMetadata/v1/token)",
        "for url (https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/sa@p-123456789.iam.gserviceaccount.com:generateAccessToken)",
        "could not open /run/secrets/service-account-key-2026-11-24/key.json",
    ] {
        assert_eq!(said(harmless).to_string(), harmless);
    }
}

#[test]
fn lists_of_bytes_are_not_shown_however_long() {
    for (text, shown) in [
        ("bad PEM: Start { line: [45, 45, 66] }", "bad PEM: Start { line: [3 bytes, redacted] }"),
        ("key [1,2,3], then [\n    255,\n    0,\n]", "key [3 bytes, redacted], then [2 bytes, redacted]"),
        ("cut off [104, 117, 110", "cut off [3 bytes, redacted]"),
        ("[400] of [1, 2, 300] at [::1]:80 []", "[400] of [1, 2, 300] at [::1]:80 []"),
    ] {
        assert_eq!(said(text).to_string(), shown);
    }
}

#[test]
fn nothing_is_longer_than_a_few_lines() {
    let long = "word ".repeat(1000);
    let shown = said(Box::leak(long.into_boxed_str())).to_string();
    assert!(shown.chars().count() <= MOST_CHARS + 1 && shown.ends_with("word…"), "{shown}");
}

#[test]
fn a_command_to_run_is_kept_whole_wherever_the_text_ends() {
    const COMMAND: &str = "`gcloud auth application-default login`";
    for before in (0..MOST_CHARS + 50).step_by(7) {
        let text = format!("{}{COMMAND} {}", "é ".repeat(before / 2), "and more ".repeat(100));
        let shown = said(Box::leak(text.into_boxed_str())).to_string();
        assert!(
            shown.contains(COMMAND) == (before < MOST_CHARS) && shown.ends_with('…'),
            "{before}: {shown}"
        );
        assert_eq!(shown.matches('`').count() % 2, 0, "{before}: {shown}");
    }
    let endless = format!("{}`{}", "word ".repeat(100), "x".repeat(1000));
    assert_eq!(
        said(Box::leak(endless.into_boxed_str())).to_string(),
        format!("{}…", "word ".repeat(100).trim_end())
    );
}

/// The longest that `google-cloud-auth` 1.18.0 has to say.
#[test]
fn the_advice_of_the_credentials_crate_is_kept_whole() {
    let advice = "Could not fetch an auth token to authenticate with Google Cloud. The most common reason for this \
                  problem is that you are not running in a Google Cloud Environment and you have not configured \
                  local credentials for development and testing. To setup local credentials, run `gcloud auth \
                  application-default login`. More information on how to authenticate client libraries can be \
                  found at https://cloud.google.com/docs/authentication/client-libraries";
    assert_eq!(said(advice).to_string(), advice);
}

#[derive(Debug, thiserror::Error)]
#[error("cannot connect: {0}")]
struct Outer(#[source] std::io::Error);

#[test]
fn a_level_that_repeats_its_source_stands_for_both() {
    let said = RedactedError::of(&Outer(std::io::Error::other("refused")));
    assert_eq!(said.to_string(), "cannot connect: refused");
    assert!(said.source().is_none());
}
