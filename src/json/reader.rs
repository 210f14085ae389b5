//! Reading with options.

use std::fmt;

use prost::{Message, Name};
use serde_json::Value;

use super::error::JsonError;
use super::node::Node;
use super::parse::{Options, Parse, Skip};
use super::path::Path;
use super::rest_only::is_rest_only;
use super::table::Tables;

/// Reads messages from JSON: by default strictly, so that an unknown field is an error.
///
/// ```
/// use contact_center_insights::json::Reader;
/// use contact_center_insights::proto::insights::Analysis;
///
/// let text = r#"{"name": "projects/p/locations/l/conversations/c/analyses/a", "satisfiesPzs": true}"#;
/// let error = Reader::new().message::<Analysis>(text).unwrap_err();
/// assert!(error.to_string().starts_with("satisfiesPzs: "));
///
/// let read = Reader::new().ignore_unknown(true).message::<Analysis>(text)?;
/// assert!(read.value.name.ends_with("analyses/a"));
/// assert_eq!(read.skipped[0].path, "satisfiesPzs");
/// # Ok::<(), contact_center_insights::json::JsonError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Reader {
    options: Options,
}

/// JSON that is read: text, or a [`Value`]. Text is better: a `Value` has lost which keys were there twice, and its
/// numbers may have lost digits.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Source<'a> {
    /// A document as text.
    Text(&'a str),
    /// A document that was read already.
    Value(&'a Value),
}

/// What was read, and what was left out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Read<T> {
    /// The message.
    pub value: T,
    /// Unknown fields and names of enum values; none unless they are ignored.
    pub skipped: Vec<Skipped>,
}

/// A field or the name of an enum's value that nothing here knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// The way to it: `transcript.transcriptSegments[3].parts`.
    pub path: String,
    /// Full name of the message that lacks the field, or of the enum that lacks the value.
    pub of: String,
    /// The name of the field or value.
    pub name: String,
    /// Whether it is a field that the REST API has, and gRPC lacks.
    pub is_rest_only: bool,
    is_value: bool,
}

impl Reader {
    /// A strict reader.
    pub fn new() -> Self {
        Self::default()
    }

    /// Skips unknown fields and unknown names of enum values, and reports them. What the live REST API prints can be
    /// read so: it has fields that gRPC lacks.
    pub fn ignore_unknown(mut self, ignore_unknown: bool) -> Self {
        self.options.ignores_unknown = ignore_unknown;
        self
    }

    /// Takes paths of field masks in `snake_case` too, as the REST API does.
    pub fn snake_case_masks(mut self, snake_case_masks: bool) -> Self {
        self.options.takes_snake_masks = snake_case_masks;
        self
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`JsonError`] names the place of what is not JSON, or the path of what cannot be read.
    pub fn message<'a, T: Message + Name + Default>(
        &self,
        source: impl Into<Source<'a>>,
    ) -> Result<Read<T>, JsonError> {
        let name = T::full_name();
        let Read { value, skipped } = self.bytes(&name, source)?;
        let value = T::decode(value.as_slice())
            .map_err(|error| JsonError::Decode { name, problem: error.to_string() })?;
        Ok(Read { value, skipped })
    }

    /// Reads a message of the named type, and serializes it: fields by number, maps by key, as the generated types do.
    ///
    /// # Errors
    /// Those of [`Reader::message`], and [`JsonError::UnknownType`].
    pub fn bytes<'a>(&self, name: &str, source: impl Into<Source<'a>>) -> Result<Read<Vec<u8>>, JsonError> {
        let tables = Tables::get();
        let form = tables.form(name).ok_or_else(|| JsonError::UnknownType(name.to_owned()))?;
        // Names and punctuation make up half of a text, and more.
        let (node, expected) = match source.into() {
            Source::Text(text) => (super::text::read(text)?, text.len() / 2),
            Source::Value(value) => {
                (Node::of(value, 0).ok_or_else(|| JsonError::TooDeep { path: String::new() })?, 0)
            }
        };
        let mut parse = Parse::new(tables, self.options);
        let mut value = Vec::with_capacity(expected);
        parse.message(form, &node, &mut value, 1, &Path::Root)?;
        Ok(Read { value, skipped: parse.skipped.into_iter().map(Skipped::from).collect() })
    }
}

impl<'a> From<&'a str> for Source<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Source<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Value> for Source<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Value(value)
    }
}

impl From<Skip> for Skipped {
    fn from(skip: Skip) -> Self {
        let Skip { path, of, name, is_value } = skip;
        let is_rest_only = !is_value && is_rest_only(&of, &name);
        Self { path, of, name, is_rest_only, is_value }
    }
}

impl From<Skipped> for JsonError {
    /// The error that a strict reader gives of it.
    fn from(skipped: Skipped) -> Self {
        if skipped.is_value {
            let problem = format!("{:?} is not a value of `{}`", skipped.name, skipped.of);
            return Self::Field { path: skipped.path, problem };
        }
        let Skipped { path, of: message, is_rest_only, .. } = skipped;
        Self::UnknownField { path, message, is_rest_only }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        JsonError::from(self.clone()).fmt(f)
    }
}
