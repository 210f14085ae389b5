//! Printing with options.

use prost::{Message, Name};
use serde_json::Value;

use super::error::JsonError;
use super::print::{Print, Text, Tree};
use super::table::Tables;

/// How enum values are printed. Both forms are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Enums {
    /// `"UNDEPLOYED"`; a number where the name is unknown. The default of ProtoJSON.
    #[default]
    Names,
    /// `1`: what REST calls ask for with `$alt=json;enum-encoding=int`.
    Numbers,
}

/// Prints messages as text or as a [`Value`]: by default on one line, and enums by name.
///
/// ```
/// use contact_center_insights::json::{Enums, Printer};
/// use contact_center_insights::proto::insights::IssueModel;
///
/// let model = IssueModel { state: 3, ..Default::default() };
/// assert_eq!(Printer::new().message(&model)?, r#"{"state":"DEPLOYED"}"#);
/// let printer = Printer::new().enums(Enums::Numbers).pretty(true);
/// assert_eq!(printer.message(&model)?, "{\n  \"state\": 3\n}");
/// # Ok::<(), contact_center_insights::json::JsonError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Printer {
    enums: Enums,
    is_pretty: bool,
    raw_fields: bool,
}

impl Printer {
    /// A printer of one line, with enums by name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Prints enums by name or by number.
    pub fn enums(mut self, enums: Enums) -> Self {
        self.enums = enums;
        self
    }

    /// Lays text out over lines, each level two spaces further in.
    pub fn pretty(mut self, is_pretty: bool) -> Self {
        self.is_pretty = is_pretty;
        self
    }

    /// Adds `@fields` to an `Any` that cannot be shown by its type: its fields by number, as far as they can be
    /// guessed. Readers of this module pass over it.
    pub fn raw_fields(mut self, raw_fields: bool) -> Self {
        self.raw_fields = raw_fields;
        self
    }

    /// Prints a message as text.
    ///
    /// # Errors
    /// [`JsonError`] if the message holds a value that ProtoJSON cannot express, such as a timestamp past 9999.
    pub fn message<T: Message + Name>(&self, message: &T) -> Result<String, JsonError> {
        self.text(&T::full_name(), &message.encode_to_vec())
    }

    /// Prints a serialized message of the named type as text.
    ///
    /// # Errors
    /// [`JsonError`] if the type is unknown, the bytes are not of it, or ProtoJSON cannot express a value.
    pub fn text(&self, name: &str, bytes: &[u8]) -> Result<String, JsonError> {
        let text = Text::new(self.is_pretty, bytes.len().saturating_mul(2));
        self.print(name, bytes, text).map(Text::into_string)
    }

    /// Appends a serialized message of the named type to a text, laid out as one that stands `level` levels within: what
    /// prints a long list piece by piece needs.
    ///
    /// ```
    /// use contact_center_insights::json::Printer;
    ///
    /// let mut text = "[\n  ".to_owned();
    /// let printer = Printer::new().pretty(true);
    /// printer.append("google.longrunning.Operation", &[24, 1], 1, &mut text)?;
    /// assert_eq!(text + "\n]", "[\n  {\n    \"done\": true\n  }\n]");
    /// # Ok::<(), contact_center_insights::json::JsonError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Printer::text`]; then the text is as it was.
    pub fn append(&self, name: &str, bytes: &[u8], level: usize, text: &mut String) -> Result<(), JsonError> {
        let length = text.len();
        let tables = Tables::get();
        let form = tables.form(name).ok_or_else(|| JsonError::UnknownType(name.to_owned()))?;
        let sink = Text::after(std::mem::take(text), self.is_pretty, level);
        let mut print = Print::new(tables, sink, self.enums == Enums::Numbers, self.raw_fields);
        let printed = print.message(form, bytes, 1);
        *text = print.into_sink().into_string();
        if printed.is_err() {
            text.truncate(length);
        }
        printed
    }

    /// Prints a serialized message of the named type as a [`Value`].
    ///
    /// # Errors
    /// Those of [`Printer::text`].
    pub fn value(&self, name: &str, bytes: &[u8]) -> Result<Value, JsonError> {
        self.print(name, bytes, Tree::default()).map(Tree::into_value)
    }

    fn print<S: super::print::Sink>(self, name: &str, bytes: &[u8], sink: S) -> Result<S, JsonError> {
        let tables = Tables::get();
        let form = tables.form(name).ok_or_else(|| JsonError::UnknownType(name.to_owned()))?;
        let mut print = Print::new(tables, sink, self.enums == Enums::Numbers, self.raw_fields);
        print.message(form, bytes, 1)?;
        Ok(print.into_sink())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::longrunning::{Operation, operation::Result as Outcome};

    #[test]
    fn fields_of_an_unknown_type_are_shown_by_number() {
        let value = vec![8, 150, 1, 18, 2, b'h', b'i', 26, 2, 8, 1, 26, 0, 0x25, 0, 0, 0x80, 0x3f];
        let any = prost_types::Any { type_url: "x/a.B".into(), value };
        let operation = Operation { result: Some(Outcome::Response(any)), ..Default::default() };
        let printer = Printer::new().raw_fields(true);
        let value = printer.value("google.longrunning.Operation", &operation.encode_to_vec()).unwrap();
        let fields = serde_json::json!({"1": "150", "2": "hi", "3": [{"1": "1"}, ""], "4": "0x3f800000"});
        assert_eq!(value.pointer("/response/@fields"), Some(&fields));
        assert_eq!(super::super::to_operation(&value).unwrap(), operation);
        let without = Printer::new().message(&operation).unwrap();
        assert!(!without.contains("@fields"), "{without}");
    }

    #[test]
    fn unknown_types_and_torn_bytes_are_errors() {
        let text = |name, bytes| Printer::new().text(name, bytes).unwrap_err().to_string();
        assert_eq!(text("a.B", &[]), "no message type `a.B` in this API");
        let torn = text("google.longrunning.Operation", &[10, 9]);
        assert!(torn.contains("not a valid `google.longrunning.Operation`: a length"), "{torn}");
    }
}
