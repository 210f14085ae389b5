//! Which headers may hold a secret, told by the words in their names: those of tomorrow's proxies too.

/// Within a name, wherever they stand: `x-serverless-authorization`, `x-amzn-oidc-accesstoken`, `jsessionid`.
const PARTS: [&str; 21] = [
    "apikey",
    "assertion",
    "authenti",
    "authoriz",
    "bearer",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "oauth",
    "oidc",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "saml",
    "secret",
    "session",
    "signature",
    "token",
    "xsrf",
];
/// As a word of a name: others begin or end with the same letters, such as `:authority` and `x-monkey`.
const WORDS: [&str; 10] = ["auth", "creds", "dpop", "key", "keys", "nonce", "otp", "pwd", "sid", "sig"];
/// Names with this word only tell one request from another.
const IDENTITY: &str = "idempotency";

/// Whether the value of a header of this name may be a secret, so that the journal leaves it out: a token, a key, a
/// cookie, a password or a signature. It goes by the words in the name, whatever the case.
///
/// What the API itself needs is not among them: `x-goog-request-params`, `x-goog-api-client`, `x-goog-user-project`,
/// `grpc-timeout` and the like.
///
/// ```
/// use contact_center_insights_emulator::is_secret_header;
///
/// assert!(is_secret_header("Authorization") && is_secret_header("x-api-key"));
/// assert!(!is_secret_header("x-goog-request-params"));
/// ```
#[must_use]
pub fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let has_word = |wanted: &[&str]| {
        name.split(|byte: char| !byte.is_ascii_alphanumeric()).any(|word| wanted.contains(&word))
    };
    !has_word(&[IDENTITY]) && (PARTS.iter().any(|part| name.contains(part)) || has_word(&WORDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_tokens_keys_and_cookies_are_secret() {
        for name in [
            "authorization",
            "Authorization",
            "proxy-authorization",
            "cookie",
            "set-cookie",
            "cookie2",
            "authentication",
            "authentication-info",
            "x-auth",
            "x-auth-token",
            "x-access-token",
            "x-forwarded-access-token",
            "x-forwarded-authorization",
            "x-serverless-authorization",
            "private-token",
            "x-api-key",
            "api-key",
            "apikey",
            "ocp-apim-subscription-key",
            "x-functions-key",
            "x-goog-api-key",
            "x-goog-iam-authorization-token",
            "x-goog-iap-jwt-assertion",
            "x-goog-authenticated-user-jwt",
            "x-goog-encryption-key",
            "x-amz-security-token",
            "x-amz-signature",
            "x-amzn-oidc-data",
            "x-amzn-oidc-accesstoken",
            "cf-access-jwt-assertion",
            "cf-access-client-secret",
            "x-csrf-token",
            "x-xsrf",
            "x-vault-token",
            "x-session-id",
            "jsessionid",
            "x-client-password",
            "x-credentials",
            "x_api_key",
            "dpop",
            "grpc-metadata-authorization",
        ] {
            assert!(is_secret_header(name), "{name}");
        }
    }

    #[test]
    fn what_the_api_needs_is_not() {
        for name in [
            ":authority",
            ":path",
            "accept",
            "accept-encoding",
            "baggage",
            "connection",
            "content-length",
            "content-type",
            "date",
            "forwarded",
            "grpc-accept-encoding",
            "grpc-encoding",
            "grpc-message",
            "grpc-message-type",
            "grpc-previous-rpc-attempts",
            "grpc-retry-pushback-ms",
            "grpc-status",
            "grpc-status-details-bin",
            "grpc-tags-bin",
            "grpc-timeout",
            "grpc-trace-bin",
            "host",
            "idempotency-key",
            "keep-alive",
            "origin",
            "referer",
            "sec-fetch-site",
            "te",
            "traceparent",
            "tracestate",
            "user-agent",
            "via",
            "x-client-data",
            "x-cloud-trace-context",
            "x-forwarded-for",
            "x-goog-api-client",
            "x-goog-api-version",
            "x-goog-ext-353267353-bin",
            "x-goog-fieldmask",
            "x-goog-gcs-idempotency-token",
            "x-goog-iam-authority-selector",
            "x-goog-quota-user",
            "x-goog-request-params",
            "x-goog-request-reason",
            "x-goog-user-project",
            "x-http-method-override",
            "x-monkey",
            "x-request-id",
            "x-server-timeout",
        ] {
            assert!(!is_secret_header(name), "{name}");
        }
    }
}
