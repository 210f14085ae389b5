//! What clients present for a token, checked as a token server does: signatures, audiences, secrets.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::Value;

pub const SCOPE: &str = contact_center_insights::auth::SCOPE;
/// Shaped like the real ones.
pub const GOOD_TOKEN: &str = "ya29.c.planted-access-token-0123456789";
pub const SOURCE_TOKEN: &str = "ya29.c.planted-source-token-0123456789";
pub const CLIENT_ID: &str = "planted-client.apps.googleusercontent.com";
pub const CLIENT_SECRET: &str = "GOCSPX-planted-client-secret";
pub const REFRESH_TOKEN: &str = "1//planted-refresh-token";
pub const SUBJECT_TOKEN: &str = "eyJplanted-subject-token";
pub const ACCOUNT: &str = "sa@p.iam.gserviceaccount.com";
/// Made for these tests; it opens nothing.
pub const KEY: &str = include_str!("key.pem");

/// How a client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Grant {
    Refresh,
    SignedJwt,
    Exchange,
}

/// The grant that a request to a token endpoint makes, or what is wrong with it.
pub fn check(headers: &HeaderMap, body: &str) -> Result<Grant, String> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fields = match kind {
        "application/json" => json_fields(body)?,
        "application/x-www-form-urlencoded" => form_fields(body),
        other => return Err(format!("content type {other}")),
    };
    let field = |name: &str| {
        let found = fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| format!("no {name}"))
    };
    let expect = |name: &str, expected: &str| match field(name)? {
        value if value == expected => Ok(()),
        value => Err(format!("{name} is {value}")),
    };
    match field("grant_type")? {
        "refresh_token" => {
            expect("client_id", CLIENT_ID)?;
            expect("client_secret", CLIENT_SECRET)?;
            expect("refresh_token", REFRESH_TOKEN)?;
            Ok(Grant::Refresh)
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            let claims = verified_claims(field("assertion")?)?;
            if !claims["aud"].as_str().is_some_and(|aud| aud.ends_with("/token")) {
                return Err(format!("aud is {}", claims["aud"]));
            }
            Ok(Grant::SignedJwt)
        }
        "urn:ietf:params:oauth:grant-type:token-exchange" => {
            expect("subject_token", SUBJECT_TOKEN)?;
            expect("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")?;
            expect("requested_token_type", "urn:ietf:params:oauth:token-type:access_token")?;
            expect("audience", "//iam.googleapis.com/projects/1/pool")?;
            expect("scope", SCOPE)?;
            Ok(Grant::Exchange)
        }
        other => Err(format!("grant_type {other}")),
    }
}

/// The claims of a JWT of our service account, which is good now: signature, issuer, scope, times.
pub fn verified_claims(jwt: &str) -> Result<Value, String> {
    let (signed, signature) = jwt.rsplit_once('.').ok_or("no JWT")?;
    let (head, claims) = signed.split_once('.').ok_or("no JWT")?;
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|error| error.to_string());
    let json = |part: &str| serde_json::from_slice::<Value>(&bytes(part)?).map_err(|error| error.to_string());
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key());
    public.verify(signed.as_bytes(), &bytes(signature)?).map_err(|_| "the signature is wrong")?;
    let (head, claims) = (json(head)?, json(claims)?);
    let now = unix_now();
    let time = |name: &str| claims[name].as_u64().ok_or_else(|| format!("no {name}"));
    let is_right = head["alg"] == "RS256"
        && head["kid"] == "key-1"
        && claims["iss"] == ACCOUNT
        && claims["scope"] == SCOPE
        && time("iat")? <= now
        && (now + 1..=now + 3700).contains(&time("exp")?);
    if is_right { Ok(claims) } else { Err(format!("{head} {claims}")) }
}

fn public_key() -> Vec<u8> {
    let base64: String = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
    pair.public_key().as_ref().to_vec()
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn json_fields(body: &str) -> Result<Vec<(String, String)>, String> {
    let body: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let object = body.as_object().ok_or("no object")?;
    Ok(object.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect())
}

fn form_fields(body: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    body.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decode(k), decode(v))).collect()
}

/// The time in so many seconds, as `2026-11-24T12:00:00Z`. The last second of the year 9999 is the last that RFC 3339 knows.
pub fn rfc3339_in(seconds: i128) -> String {
    let seconds =
        i64::try_from(i128::from(unix_now()) + seconds).map_or(253_402_300_799, |at| at.min(253_402_300_799));
    let time = prost_types::Timestamp { seconds, nanos: 0 };
    time.to_string()
}
