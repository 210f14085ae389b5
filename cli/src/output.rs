//! Operations in the chosen format, as text for stdout.

mod summary;
mod table;

use clap::ValueEnum;
use contact_center_insights::json;
use contact_center_insights::proto::longrunning::Operation;
use serde_json::Value;

use crate::escape::{is_unsafe, line, lines};
use crate::exit::Exit;
use crate::failure::Failure;

use summary::Summary;

/// How operations are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// As the REST API prints them; a list is one array.
    #[default]
    Json,
    /// The same document in YAML.
    Yaml,
    /// The main facts, aligned for reading.
    Table,
    /// The names alone, each on its line.
    Name,
}

impl Format {
    /// Prints one operation.
    pub(crate) fn one(self, operation: &Operation) -> Result<String, Failure> {
        match self {
            Self::Json => to_json(&to_value(operation)?),
            Self::Yaml => to_yaml(&to_value(operation)?),
            Self::Table => Ok(table::of_one(&Summary::new(operation, &to_value(operation)?))),
            Self::Name => Ok(name(operation)),
        }
    }

    /// Prints a list of operations.
    pub(crate) fn many(self, operations: &[Operation]) -> Result<String, Failure> {
        if self == Self::Name {
            return Ok(operations.iter().map(name).collect());
        }
        let values = operations.iter().map(to_value).collect::<Result<Vec<_>, _>>()?;
        match self {
            Self::Json => to_json(&values.into()),
            Self::Yaml => to_yaml(&values.into()),
            Self::Table | Self::Name => {
                let pairs = operations.iter().zip(&values);
                let summaries: Vec<_> = pairs.map(|(raw, value)| Summary::new(raw, value)).collect();
                Ok(table::of_many(&summaries))
            }
        }
    }
}

fn name(operation: &Operation) -> String {
    line(&operation.name).into_owned() + "\n"
}

fn to_value(operation: &Operation) -> Result<Value, Failure> {
    json::from_operation(operation).map_err(unprintable)
}

fn to_json(document: &Value) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(document).map_err(unprintable)?;
    Ok(lines(&text).into_owned() + "\n")
}

/// Strings that YAML 1.1 or 1.2 would read as something else are quoted, timestamps among them. Names are
/// long: folded over lines they could not be copied.
fn to_yaml(document: &Value) -> Result<String, Failure> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(document, options).map_err(unprintable)?;
    // YAML lets plain text hold controls of the bidirectional algorithm. JSON is YAML too, and escapes them.
    if text.contains(|c| is_unsafe(c) && c != '\n') {
        return to_json(document);
    }
    Ok(text.trim_end_matches('\n').to_owned() + "\n")
}

fn unprintable(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::because(Exit::Api, "the operation cannot be printed", error)
}

#[cfg(test)]
mod tests;
