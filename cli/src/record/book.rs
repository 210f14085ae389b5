//! The file that exchanges are written to, each as it has ended.

use std::fs::File;
use std::io::{self, Write as _};

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::neutral::{Neutral, strings};
use super::secrets::{Secrets, is_secret};
use crate::recording::{Contract, Exchange, Method, Query};

/// What is written of `x-goog-request-params` as it is; all else in it is encoded.
const ROUTED: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Parameters of every method that say how to answer; of the others, nothing is written.
const SYSTEM: [&str; 2] = ["alt", "prettyPrint"];
const OTHER_SYSTEM: [&str; 10] = [
    "access_token",
    "callback",
    "key",
    "oauth_token",
    "quotaUser",
    "uploadType",
    "upload_protocol",
    "userProject",
    "userIp",
    ".xgafv",
];

/// A request and its answer, as they were on the wire.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) verb: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) status: u16,
    pub(super) answer_headers: HeaderMap,
    pub(super) answer: Bytes,
}

/// Where exchanges go.
#[derive(Debug)]
pub(super) struct Book {
    file: File,
    count: u64,
    neutral: Neutral,
    secrets: Secrets,
}

impl Book {
    pub(super) fn new(file: File, contract: Contract, keeps_text: bool) -> Self {
        Self { file, count: 0, neutral: Neutral::new(contract, keeps_text), secrets: Secrets::default() }
    }

    /// How many exchanges were written.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Writes an exchange, at once.
    pub(super) fn write(&mut self, seen: &Seen) -> io::Result<()> {
        let exchange = self.exchange(seen);
        let line = self.secrets.cleaned(&exchange.to_line());
        self.file.write_all(format!("{line}\n").as_bytes())?;
        self.file.flush()?;
        self.count = exchange.n;
        Ok(())
    }

    /// What may be written of it.
    fn exchange(&mut self, seen: &Seen) -> Exchange {
        let query = Query::of_request(&seen.query);
        self.secrets.learn(&seen.headers, &query);
        self.secrets.learn(&seen.answer_headers, &Query::default());
        let path = percent_decode_str(&seen.path).decode_utf8_lossy().into_owned();
        let method = self.neutral.contract.method(&seen.verb, &path).cloned();
        let mut notes = Vec::new();
        let body = json(&seen.body, &seen.headers, "request", &mut notes);
        let answer = json(&seen.answer, &seen.answer_headers, "answer", &mut notes);

        self.neutral.begin();
        let (name, verb) = place(&path);
        let routing =
            seen.headers.get("x-goog-request-params").map(|value| String::from_utf8_lossy(value.as_bytes()));
        let routed = Query::of_request(&routing.unwrap_or_default());
        let mut found = vec![name.as_str()];
        found.extend(routed.0.iter().chain(&query.0).map(|(_, value)| value.as_str()));
        if let Some(body) = &body {
            strings(body, &mut found);
        }
        self.neutral.names.ids_are_made(false);
        self.neutral.names.learn(&name, found);
        let mut found = Vec::new();
        if let Some(answer) = &answer {
            strings(answer, &mut found);
        }
        self.neutral.names.ids_are_made(true);
        self.neutral.names.learn(&name, found);
        self.neutral.names.ids_are_made(false);

        let kind = method.as_ref();
        let mut exchange = Exchange {
            n: self.count + 1,
            verb: seen.verb.clone(),
            path: self.path(&path, &name, verb),
            query: self.query(kind, &query).to_recording(),
            body: body.map(|body| self.neutral.body(kind.and_then(|method| method.body.as_ref()), body)),
            routing: (!routed.0.is_empty()).then(|| self.routing(&routed)),
            status: seen.status,
            answer: None,
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        };
        self.neutral.names.ids_are_made(true);
        exchange.answer = answer.map(|answer| match seen.status {
            400.. => self.neutral.error(answer),
            _ => self.neutral.body(kind.map(|method| &method.output), answer),
        });
        exchange
    }

    fn path(&mut self, path: &str, name: &str, verb: &str) -> String {
        let version = path.strip_suffix(verb).and_then(|path| path.strip_suffix(name)).unwrap_or_default();
        if let Some(name) = self.neutral.names.name(name) {
            return format!("{version}{name}{verb}");
        }
        // Of no resource: only what looks like a word of the API is kept.
        let parts = path.split('/').map(|part| {
            let is_word = part.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b':');
            if is_word || is_version(part) { part.to_owned() } else { self.neutral.names.id(part) }
        });
        parts.collect::<Vec<_>>().join("/")
    }

    fn query(&mut self, method: Option<&Method>, query: &Query) -> Query {
        let pairs = query.0.iter().filter_map(|(key, value)| {
            let bare = key.trim_start_matches('$');
            if is_secret(key) || OTHER_SYSTEM.contains(&bare) {
                return None;
            }
            let neutral = match bare {
                "fields" => self.neutral.mask(value),
                _ if SYSTEM.contains(&bare) => value.clone(),
                _ => self.parameter(method, key, value),
            };
            Some((key.clone(), neutral))
        });
        Query(pairs.collect())
    }

    /// The value of a field of the request.
    fn parameter(&mut self, method: Option<&Method>, key: &str, value: &str) -> String {
        use prost_reflect::Kind;

        let mut steps = key.split('.');
        let named = |of: &prost_reflect::MessageDescriptor, step: &str| {
            of.get_field_by_json_name(step).or_else(|| of.get_field_by_name(step))
        };
        let first = method.zip(steps.next()).and_then(|(method, step)| named(&method.input, step));
        let field = steps.try_fold(first, |field, step| {
            let kind = field.as_ref().map(prost_reflect::FieldDescriptor::kind);
            Some(kind.as_ref().and_then(Kind::as_message).and_then(|of| named(of, step)))
        });
        match field.flatten().map(|field| (field.kind(), field)) {
            Some((Kind::String, field)) => self.neutral.string(&field, value.to_owned()),
            Some((Kind::Message(of), _)) if of.full_name() == "google.protobuf.FieldMask" => {
                self.neutral.mask(value)
            }
            Some((Kind::Enum(_), _)) if self.neutral.contract.knows(value) => value.to_owned(),
            Some(_) if value.parse::<f64>().is_ok() || value == "true" || value == "false" => {
                value.to_owned()
            }
            _ => self.neutral.free(value.to_owned()),
        }
    }

    fn routing(&mut self, routed: &Query) -> String {
        let encode = |text: &str| utf8_percent_encode(text, ROUTED).to_string();
        let pairs = routed.0.iter().map(|(key, value)| {
            let neutral = self.neutral.names.name(value).unwrap_or_else(|| self.neutral.free(value.clone()));
            format!("{key}={}", encode(&neutral))
        });
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// The resource name in a path, and the custom verb after it, with its colon.
fn place(path: &str) -> (String, &str) {
    let start = path.find("projects/").unwrap_or(path.len());
    let name = path.get(start..).unwrap_or_default();
    let last = name.rfind('/').unwrap_or_default();
    match name.rfind(':').filter(|colon| *colon > last && last > "projects".len()) {
        Some(colon) => {
            (name.get(..colon).unwrap_or_default().to_owned(), name.get(colon..).unwrap_or_default())
        }
        None => (name.to_owned(), ""),
    }
}

/// `v1`, `v1alpha1` and the like.
fn is_version(part: &str) -> bool {
    let is_plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain
        && part.len() <= 10
        && part.starts_with('v')
        && part.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
}

/// A body that is JSON; of one that is not, only its length is told.
fn json(body: &Bytes, headers: &HeaderMap, whose: &str, notes: &mut Vec<String>) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    let is_encoded = headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    match serde_json::from_slice(body) {
        Ok(value) if !is_encoded => Some(value),
        _ => {
            notes.push(format!("the body of the {whose} is not JSON, and is left out: {} bytes", body.len()));
            None
        }
    }
}
