//! What a backend says when it fails, without what must not be shown: the bodies of answers, which may hold or repeat
//! tokens and keys, and words that look like them.

use std::error::Error;
use std::fmt;

use serde_json::Value;

use crate::error::{BoxError, CredentialsError};

/// No level of a chain says more, but for the end of a command that it tells the reader to run.
const MOST_CHARS: usize = 600;
/// Nobody advises to run a longer command.
const MOST_COMMAND: usize = 200;
/// A word of letters and digits this long, or longer, may be a key.
const SECRET_CHARS: usize = 32;
/// How Google's access tokens, refresh tokens, client secrets and JWTs begin.
const PREFIXES: [&str; 5] = ["ya29.", "1//", "GOCSPX-", "eyJ", "AIza"];
/// Where an error shows the body of an answer, and how that ends.
const BODIES: [(&str, &str); 3] = [("body=<", ">"), (":b\"", "\""), ("] error: ", "")];
/// Codes by which an OAuth server says that the credentials are wrong (RFC 6749, 5.2; RFC 8693, 2.2.2): asking
/// again with the same ones cannot help.
const REFUSALS: [&str; 6] = [
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "invalid_target",
    "unauthorized_client",
    "unsupported_grant_type",
];
/// Words of `google-cloud-auth` about a key that cannot sign, or a program that may not be run.
const WRONG_KEYS: [&str; 4] = ["private key", "PKCS8", "signing scheme", "ALLOW_EXECUTABLES"];

/// What `google-cloud-auth` says of the future, which is ours to say, and the levels that say nothing else.
const OUTLOOKS: [&str; 2] = [" and future attempts will not succeed", " but future attempts may succeed"];
const WRAPPERS: [&str; 3] = [
    "Request to fetch the token failed.",
    "Fetching the token resulted in transient errors.",
    "cannot create ",
];

/// A chain of errors, as text.
#[derive(Debug)]
pub(super) struct RedactedError {
    text: String,
    is_about_the_credentials: bool,
    source: Option<Box<RedactedError>>,
}

impl RedactedError {
    pub(super) fn of(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        for outlook in OUTLOOKS {
            text = text.replace(outlook, "");
        }
        if let Some(source) = error.source()
            && WRAPPERS.iter().any(|words| text.starts_with(words))
        {
            return Self::of(source);
        }
        let (text, code) = redact(&text);
        let source = error.source().map(Self::of);
        // A level that shows its source is not followed by it.
        let source = match source {
            Some(source) if text.contains(&source.text) => source.source.map(|source| *source),
            source => source,
        };
        let is_about_the_credentials = code.is_some_and(|code| REFUSALS.contains(&code.as_str()))
            || WRONG_KEYS.iter().any(|words| text.contains(words))
            || source.as_ref().is_some_and(|source| source.is_about_the_credentials);
        Self { text, is_about_the_credentials, source: source.map(Box::new) }
    }
}

/// The error of a fetch: permanent only if it is the credentials that are wrong.
pub(super) fn failed(name: &'static str, error: &dyn Error) -> BoxError {
    let said = RedactedError::of(error);
    if said.is_about_the_credentials {
        CredentialsError::permanent(name, said.into()).into()
    } else {
        said.into()
    }
}

impl fmt::Display for RedactedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for RedactedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The text without secrets, and the OAuth error code of a body within it.
fn redact(text: &str) -> (String, Option<String>) {
    let (text, code) = without_body(text);
    let text = without_byte_lists(&without_quotations(&text));
    let mut clean = String::new();
    for chunk in text.split_inclusive([' ', '(', ')', '"', '`', '\n']) {
        match chunk.split_once("://") {
            Some((scheme, rest)) => push_url(&mut clean, scheme, rest),
            None => push_words(&mut clean, chunk),
        }
    }
    let clean = clean.trim_end();
    (shortened(clean), code)
}

/// Ends a long text between two words, and never within a command in backquotes: half of one is worse than none.
fn shortened(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(MOST_CHARS) else { return text.to_owned() };
    let (head, tail) = text.split_at(end);
    let command = head.rfind('`').filter(|_| head.matches('`').count() % 2 == 1);
    let end = match (command, tail.find('`')) {
        (Some(_), Some(rest)) if rest <= MOST_COMMAND => end + rest + 1,
        (Some(begin), _) => begin,
        (None, _) => head.rfind(char::is_whitespace).unwrap_or(end),
    };
    format!("{}…", text.get(..end).unwrap_or_default().trim_end())
}

/// Addresses are shown without what may precede the host, and what may follow the path.
fn push_url(clean: &mut String, scheme: &str, rest: &str) {
    let end = rest.find([' ', ')', '"', '`', '\n', ',', ';']).unwrap_or(rest.len());
    let (url, after) = rest.split_at(end);
    let (url, query) = url.split_once('?').map_or((url, ""), |(url, _)| (url, "?…"));
    let (host, path) = url.split_once('/').map_or((url, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit('@').next().unwrap_or_default();
    clean.push_str(scheme);
    clean.push_str("://");
    clean.push_str(host);
    if let Some(path) = path {
        clean.push('/');
        clean.push_str(path);
    }
    clean.push_str(query);
    clean.push_str(after);
}

fn push_words(clean: &mut String, text: &str) {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "+/=_-.~".contains(c);
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        clean.push_str(if looks_secret(word) { "[redacted]" } else { word });
        let next = after.find(is_of_word).unwrap_or(after.len());
        let (between, after) = after.split_at(next);
        clean.push_str(between);
        rest = after;
    }
}

fn looks_secret(word: &str) -> bool {
    // Paths begin with a slash; the names of service accounts end so.
    let is_address = word.starts_with('/') || word.ends_with("gserviceaccount.com");
    let is_mixed = word.contains(|c: char| c.is_ascii_digit()) && word.contains(char::is_alphabetic);
    PREFIXES.iter().any(|prefix| word.starts_with(prefix))
        || word.len() >= SECRET_CHARS && is_mixed && !is_address
        || word.starts_with("-----")
}

/// Puts what the body says by the rules of OAuth or of Google's APIs in place of the body.
fn without_body(text: &str) -> (String, Option<String>) {
    let found = BODIES.iter().find_map(|(begin, end)| {
        let start = text.find(begin)? + begin.len();
        let end = text.get(start..)?.rfind(end)? + start;
        Some((start, end))
    });
    let Some((before, body, after)) =
        found.and_then(|(start, end)| Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?)))
    else {
        return (text.to_owned(), None);
    };
    let json = serde_json::from_str::<Value>(body)
        .or_else(|_| serde_json::from_str(&body.replace("\\\"", "\"").replace("\\n", " ")));
    let member = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let (code, description) = match &json {
        Ok(body) => match body.get("error") {
            Some(Value::String(code)) => (Some(code.clone()), member(body, "error_description")),
            Some(error) => (member(error, "status"), member(error, "message")),
            None => (None, None),
        },
        Err(_) => (None, None),
    };
    let summary = match (&code, description) {
        (Some(code), Some(description)) => format!("{code}: {description}"),
        (Some(code), None) => code.clone(),
        (None, _) => format!("({} bytes)", body.len()),
    };
    (format!("{before}{summary}{after}"), code)
}

/// What a parser quotes when it finds text where it expects something else.
fn without_quotations(text: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" string \"") {
        clean.push_str(before);
        clean.push_str(" string [redacted]");
        rest = after.rfind('"').and_then(|end| after.get(end + 1..)).unwrap_or_default();
    }
    clean.push_str(rest);
    clean
}

/// Lists of numbers that can be bytes: `Debug` shows keys so, and texts that a parser did not understand.
fn without_byte_lists(text: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        clean.push_str(before);
        let of_list = |c: char| c.is_ascii_digit() || c == ',' || c.is_whitespace();
        let (list, end) = after.split_at(after.find(|c| !of_list(c)).unwrap_or(after.len()));
        let is_bytes =
            list.split(',').all(|item| item.trim().is_empty() || item.trim().parse::<u8>().is_ok());
        if list.contains(',') && is_bytes {
            let count = list.split(',').filter(|item| !item.trim().is_empty()).count();
            clean.push('[');
            clean.push_str(&count.to_string());
            clean.push_str(" bytes, redacted");
            // What breaks off within a list was cut by whoever wrote it.
            clean.push_str(if end.is_empty() { "]" } else { "" });
            rest = end;
        } else {
            clean.push('[');
            rest = after;
        }
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests;
