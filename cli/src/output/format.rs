//! How results are printed, as the command line names it.

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error, ValueEnum};

use super::jq;

/// What stands before an expression of jq.
const JQ: &str = "jq=";

/// How operations are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// As the REST API prints them; a list is one array.
    #[default]
    Json,
    /// JSON, a document a line; a list is as many lines as it has items.
    Jsonl,
    /// The same document in YAML.
    Yaml,
    /// The main facts, aligned for reading, within 80 columns.
    Table,
    /// A table of all that is short, as wide as it gets.
    Wide,
    /// The names alone, each on its line.
    Name,
    /// Comma-separated values (RFC 4180) below a header, with the fields of the first item.
    Csv,
    /// What an expression of jq gives of the document.
    #[value(skip)]
    Jq(&'static str),
}

impl Format {
    /// The format of this name; of `jq=EXPR`, once the expression is found to be one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(expression) = text.strip_prefix(JQ) {
            jq::check(expression).map_err(|reason| format!("not an expression of jq: {reason}"))?;
            // There is one a process.
            return Ok(Self::Jq(Box::leak(expression.to_owned().into_boxed_str())));
        }
        Self::from_str(text, false).map_err(|_| format!("the formats are {}", names().join(", ")))
    }

    /// Reads it on the command line.
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        Parser
    }
}

fn names() -> Vec<String> {
    possible().map(|value| value.get_name().to_owned()).collect()
}

fn possible() -> impl Iterator<Item = PossibleValue> {
    let named = Format::value_variants().iter().filter_map(Format::to_possible_value);
    let help = "What an expression of jq gives of the document, a result a line; strings without quotes";
    named.chain([PossibleValue::new("jq=EXPR").help(help)])
}

/// Names of formats, and expressions.
#[derive(Clone, Debug)]
struct Parser;

impl TypedValueParser for Parser {
    type Value = Format;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Format, Error> {
        let text = value.to_string_lossy();
        Format::parse(&text).map_err(|reason| {
            let flag = arg.map_or_else(|| "--output".to_owned(), ToString::to_string);
            if text.starts_with(JQ) {
                let message = format!("invalid value '{text}' for '{flag}': {reason}\n");
                return Error::raw(ErrorKind::ValueValidation, message).with_cmd(command);
            }
            let mut error = Error::new(ErrorKind::InvalidValue).with_cmd(command);
            error.insert(ContextKind::InvalidArg, ContextValue::String(flag));
            error.insert(ContextKind::InvalidValue, ContextValue::String(text.clone().into_owned()));
            error.insert(ContextKind::ValidValue, ContextValue::Strings(names()));
            let near = names().into_iter().filter(|name| name.starts_with(text.get(..1).unwrap_or("?")));
            if let Some(near) = near.into_iter().next() {
                error.insert(ContextKind::SuggestedValue, ContextValue::String(near));
            }
            error
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(possible()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read() {
        assert_eq!(Format::parse("table"), Ok(Format::Table));
        assert_eq!(Format::parse("jq=.name"), Ok(Format::Jq(".name")));
        assert!(Format::parse("jq=.[").unwrap_err().contains("at column 3"));
        assert!(Format::parse("xml").unwrap_err().contains("json, jsonl"), "{:?}", Format::parse("xml"));
    }
}
