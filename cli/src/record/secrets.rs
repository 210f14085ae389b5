//! What never gets into a recording, whatever else does: tokens, keys and cookies.

use std::collections::BTreeSet;

use contact_center_insights_emulator::is_secret_header;
use http::HeaderMap;

use crate::recording::Query;

/// Parameters that hold secrets; which headers do is told by their names.
const PARAMETERS: [&str; 5] = ["access_token", "apiKey", "key", "oauth_token", "bearer_token"];
/// How tokens and keys of Google's begin, and tokens of others that carry claims.
const BEGINNINGS: [&str; 3] = ["ya29.", "AIza", "eyJ"];
/// What is shorter could be any word.
const SHORTEST: usize = 6;

const GONE: &str = "SECRET";

/// All that were seen. They print as their number.
#[derive(Default)]
pub(super) struct Secrets(BTreeSet<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// Whether a parameter of a query holds a secret.
pub(super) fn is_secret(parameter: &str) -> bool {
    PARAMETERS.contains(&parameter.trim_start_matches('$'))
}

impl Secrets {
    /// Takes note of those of a request, or of its answer.
    pub(super) fn learn(&mut self, headers: &HeaderMap, query: &Query) {
        let values = headers.iter().filter(|(name, _)| is_secret_header(name.as_str()));
        let mut found = Vec::new();
        for (name, value) in values {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let pair = |pair: &str| Some(pair.split_once('=')?.1.trim().to_owned());
            match name.as_str() {
                // Values alone: names of cookies are words.
                "cookie" => found.extend(value.split(';').filter_map(pair)),
                // What follows says where it is for.
                "set-cookie" => found.extend(value.split(';').take(1).filter_map(pair)),
                // The scheme is a word too.
                _ => found.extend(value.split_once(' ').map(|(_, token)| token.trim().to_owned())),
            }
            found.push(value);
        }
        let parameters = query.0.iter().filter(|(key, _)| is_secret(key));
        found.extend(parameters.map(|(_, value)| value.clone()));
        self.0.extend(found.into_iter().filter(|secret| secret.len() >= SHORTEST));
    }

    /// A line of JSON without any of them.
    pub(super) fn cleaned(&self, line: &str) -> String {
        // The longest first, since one may hold another.
        let mut all: Vec<&String> = self.0.iter().collect();
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let cleaned = all.into_iter().fold(line.to_owned(), |line, secret| {
            // As it stands in JSON.
            let written = serde_json::Value::from(secret.as_str()).to_string();
            line.replace(written.trim_matches('"'), GONE)
        });
        without_tokens(&cleaned)
    }
}

/// Takes out whatever looks like a token or a key.
fn without_tokens(line: &str) -> String {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    let mut cleaned = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|character| is_part(character) != is_part(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let is_token = run.len() >= 20 && BEGINNINGS.iter().any(|beginning| run.starts_with(beginning));
        cleaned.push_str(if is_token { GONE } else { run });
        rest = after;
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_gone_and_do_not_print() {
        let mut secrets = Secrets::default();
        let pairs = [
            ("authorization", "Bearer planted\"token"),
            ("cookie", "SID=planted-cookie; a=b"),
            ("x-goog-api-key", "planted-key"),
            ("x-serverless-authorization", "Bearer planted-serverless"),
            ("x-auth-token", "planted-auth"),
            ("set-cookie", "SID=planted-set; Path=/kept-path"),
            ("x-goog-request-params", "name=kept-name"),
        ];
        let headers =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        secrets.learn(&headers, &Query::of_request("access_token=planted-query&filter=kept"));
        let line = serde_json::json!({
            "a": "Bearer planted\"token", "b": "planted\"token and planted-cookie", "planted-key": "planted-query",
            "h": ["planted-serverless", "planted-auth", "planted-set"], "i": "name=kept-name, /kept-path",
            "g": "Bearer", "c": "ya29.a0AfH6SMBx-1234567890", "d": "AIzaSyA1234567890123456789", "e": "kept", "f": "ya29",
        });
        let cleaned = secrets.cleaned(&line.to_string());
        for gone in ["planted", "ya29.", "AIza"] {
            assert!(!cleaned.contains(gone), "{cleaned}");
        }
        assert!(cleaned.contains(r#""e":"kept","f":"ya29""#), "{cleaned}");
        assert!(cleaned.contains(r#""g":"Bearer""#), "{cleaned}");
        assert!(cleaned.contains("name=kept-name, /kept-path"), "{cleaned}");
        serde_json::from_str::<serde_json::Value>(&cleaned).unwrap();
        assert!(!format!("{secrets:?}").contains("planted"));
        assert!(is_secret("key") && is_secret("$key") && is_secret("apiKey") && !is_secret("filter"));
    }
}
