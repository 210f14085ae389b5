//! Operations in the chosen format, as text for stdout.

mod format;
mod frame;
mod jq;
mod layout;
mod list;
mod sort;
mod summary;
mod table;
mod values;

use contact_center_insights::json::Printer;
use contact_center_insights::proto::longrunning::Operation;
use prost::{Message as _, Name as _};
use serde_json::Value;

use crate::escape::{is_unsafe, line, lines};
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) use self::format::Format;
pub(crate) use self::frame::Frame;
pub(crate) use self::list::ListPrinter;
use self::summary::Summary;

impl Format {
    /// Prints one operation.
    pub(crate) fn one(self, operation: &Operation) -> Result<String, Failure> {
        self.one_with(Printer::new(), operation)
    }

    /// Prints one operation by a printer of the caller's.
    pub(crate) fn one_with(self, printer: Printer, operation: &Operation) -> Result<String, Failure> {
        match self {
            Self::Json => Ok(lines(&to_json(printer, operation)?).into_owned() + "\n"),
            Self::Name => Ok(name(operation)),
            Self::Table => Ok(table::of_one(&Summary::new(operation, &to_value(printer, operation)?))),
            Self::Jsonl | Self::Yaml | Self::Wide | Self::Csv | Self::Jq(_) => {
                self.any(&to_value(printer, operation)?)
            }
        }
    }

    /// Prints one message of a type, from its serialized form.
    pub(crate) fn message(self, type_name: &str, bytes: &[u8]) -> Result<String, Failure> {
        if self == Self::Json {
            let text = Printer::new().pretty(true).text(type_name, bytes).map_err(unprintable)?;
            return Ok(lines(&text).into_owned() + "\n");
        }
        self.any(&Printer::new().value(type_name, bytes).map_err(unprintable)?)
    }

    /// Prints one document as a server gave it.
    pub(crate) fn document(self, value: &Value) -> Result<String, Failure> {
        self.any(value)
    }

    /// Prints one document of anything.
    fn any(self, value: &Value) -> Result<String, Failure> {
        match self {
            Self::Json => {
                let text = serde_json::to_string_pretty(value).map_err(unprintable)?;
                Ok(lines(&text).into_owned() + "\n")
            }
            Self::Jsonl => Ok(list::line_of(value)? + "\n"),
            Self::Yaml => to_yaml(value),
            Self::Jq(expression) => jq::run(expression, value),
            Self::Table | Self::Wide => Ok(values::one(value)),
            Self::Name => Ok(list::name(value) + "\n"),
            Self::Csv => {
                let mut list = ListPrinter::new(self);
                Ok(list.page(vec![value.clone()])? + &list.end()?)
            }
        }
    }

    /// Prints a document of our own; where names or a table are asked for, as JSON too.
    pub(crate) fn value(self, document: &Value) -> Result<String, Failure> {
        match self {
            Self::Yaml | Self::Jsonl | Self::Jq(_) => self.any(document),
            _ => Self::Json.any(document),
        }
    }

    /// Prints a list of documents of our own.
    pub(crate) fn rows(self, rows: Vec<Value>) -> Result<String, Failure> {
        let mut list = ListPrinter::new(self);
        Ok(list.page(rows)? + &list.end()?)
    }

    /// Prints a list of operations.
    #[cfg(test)]
    pub(crate) fn many(self, operations: &[Operation]) -> Result<String, Failure> {
        let mut list = ListPrinter::new(self);
        Ok(list.operations(operations.to_vec())? + &list.end()?)
    }
}

fn name(operation: &Operation) -> String {
    line(&operation.name).into_owned() + "\n"
}

fn to_value(printer: Printer, operation: &Operation) -> Result<Value, Failure> {
    printer.value(&Operation::full_name(), &operation.encode_to_vec()).map_err(unprintable)
}

fn to_json(printer: Printer, operation: &Operation) -> Result<String, Failure> {
    printer.pretty(true).message(operation).map_err(unprintable)
}

/// Strings that YAML 1.1 or 1.2 would read as something else are quoted, timestamps among them. Names are
/// long: folded over lines they could not be copied.
fn to_yaml(document: &Value) -> Result<String, Failure> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(document, options).map_err(unprintable)?;
    // YAML lets plain text hold controls of the bidirectional algorithm. JSON is YAML too, and escapes them.
    if text.contains(|c| is_unsafe(c) && c != '\n') {
        let text = serde_json::to_string_pretty(document).map_err(unprintable)?;
        return Ok(lines(&text).into_owned() + "\n");
    }
    Ok(text.trim_end_matches('\n').to_owned() + "\n")
}

fn unprintable(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::because(Exit::Api, "the result cannot be printed", error)
}

#[cfg(test)]
mod tests;
