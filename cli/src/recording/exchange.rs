//! One request and its answer, as a line of JSON: `{"n", "request": {method, path, query, headers?, body?},
//! "response": {status, body}, "note"?}`.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::failure::Failure;

/// The one header that is kept: it has the name that was asked for.
const ROUTING: &str = "x-goog-request-params";

/// A request and its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Exchange {
    /// Its number in the file, from one.
    pub(crate) n: u64,
    pub(crate) verb: String,
    /// Decoded, without the query.
    pub(crate) path: String,
    /// As [`super::Query`] writes it.
    pub(crate) query: String,
    /// `x-goog-request-params`, if it was sent.
    pub(crate) routing: Option<String>,
    pub(crate) body: Option<Value>,
    pub(crate) status: u16,
    pub(crate) answer: Option<Value>,
    /// What the reader should know.
    pub(crate) note: Option<String>,
}

impl Exchange {
    /// On one line, without its end.
    pub(crate) fn to_line(&self) -> String {
        let mut request = Map::new();
        request.insert("method".into(), self.verb.as_str().into());
        request.insert("path".into(), self.path.as_str().into());
        request.insert("query".into(), self.query.as_str().into());
        if let Some(routing) = &self.routing {
            request.insert("headers".into(), json!({ ROUTING: routing }));
        }
        request.extend(self.body.clone().map(|body| ("body".into(), body)));
        let mut response = Map::new();
        response.insert("status".into(), self.status.into());
        response.extend(self.answer.clone().map(|body| ("body".into(), body)));
        let mut exchange = json!({ "n": self.n, "request": request, "response": response });
        if let (Some(note), Some(fields)) = (&self.note, exchange.as_object_mut()) {
            fields.insert("note".into(), note.as_str().into());
        }
        exchange.to_string()
    }

    /// # Errors
    /// What is missing.
    pub(crate) fn from_line(line: &str) -> Result<Self, String> {
        let exchange: Value = serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
        let text = |place: &str| exchange.pointer(place).and_then(Value::as_str).map(str::to_owned);
        let needed = |place: &str, kind: &str| {
            format!("`{}` is missing, or is not {kind}", place.trim_start_matches('/').replace('/', "."))
        };
        let string = |place: &str| text(place).ok_or_else(|| needed(place, "a string"));
        let status = exchange.pointer("/response/status").and_then(Value::as_u64);
        let status = status.and_then(|status| u16::try_from(status).ok());
        let path = string("/request/path")?;
        if !path.starts_with('/') {
            return Err("`request.path` does not begin with a slash".into());
        }
        Ok(Self {
            n: exchange.get("n").and_then(Value::as_u64).unwrap_or_default(),
            verb: string("/request/method")?,
            path,
            query: text("/request/query").unwrap_or_default(),
            routing: text(&format!("/request/headers/{ROUTING}")),
            body: exchange.pointer("/request/body").cloned(),
            status: status.ok_or_else(|| needed("/response/status", "an HTTP status"))?,
            answer: exchange.pointer("/response/body").cloned(),
            note: text("/note"),
        })
    }
}

/// All exchanges of a file; empty lines count for nothing.
///
/// # Errors
/// The line that is not an exchange.
pub(crate) fn read_file(file: &Path) -> Result<Vec<Exchange>, Failure> {
    let unusable = |why: Box<dyn std::error::Error + Send + Sync>| {
        Failure::because(Exit::Usage, format!("cannot use the recording {}", file.display()), why).with_help(
            r#"a recording has an exchange to a line: {"n": 1, "request": {"method", "path", "query", "body"}, "response": {"status", "body"}}"#,
        )
    };
    let text = fs::read_to_string(file).map_err(|error| unusable(error.into()))?;
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let read = lines.map(|(index, line)| {
        Exchange::from_line(line).map_err(|why| unusable(format!("line {}: {why}", index + 1).into()))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_a_line_and_comes_back() {
        let exchange = Exchange {
            n: 3,
            verb: "PATCH".into(),
            path: "/v1/projects/PROJECT_ID/locations/l/views/ID_1".into(),
            query: "updateMask=value".into(),
            routing: Some("view.name=x".into()),
            body: Some(json!({"value": "a\nb"})),
            status: 200,
            answer: Some(json!({})),
            note: Some("a note".into()),
        };
        let line = exchange.to_line();
        assert!(
            !line.contains('\n') && line.starts_with(r#"{"n":3,"request":{"method":"PATCH","path":"/v1/"#)
        );
        assert_eq!(Exchange::from_line(&line), Ok(exchange));
        let bare = Exchange { verb: "GET".into(), path: "/".into(), status: 204, ..Exchange::default() };
        assert!(!bare.to_line().contains("body") && !bare.to_line().contains("headers"));
        assert_eq!(Exchange::from_line(&bare.to_line()), Ok(bare));
    }

    #[test]
    fn a_line_that_is_not_an_exchange_says_what_is_missing() {
        for (line, why) in [
            ("{", "not JSON"),
            ("{}", "`request.path`"),
            (r#"{"request": {"path": "v1", "method": "GET"}}"#, "slash"),
            (r#"{"request": {"path": "/v1"}, "response": {"status": 200}}"#, "`request.method`"),
            (
                r#"{"request": {"path": "/v1", "method": "GET"}, "response": {"status": "ok"}}"#,
                "`response.status`",
            ),
        ] {
            let error = Exchange::from_line(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
