//! Why JSON could not be printed or read.

use std::fmt;

use super::path::{Path, prepend};
use super::wire::{MAX_DEPTH, Torn};

/// Why JSON could not be printed or read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// No message of this name is in the descriptors.
    UnknownType(String),
    /// The bytes are not of the named type.
    #[non_exhaustive]
    Decode {
        /// Full name of the type.
        name: String,
        /// What is wrong with them.
        problem: String,
    },
    /// The text is not JSON, or an object in it has a key twice.
    #[non_exhaustive]
    Syntax {
        /// The line, from 1 on.
        line: usize,
        /// The column in bytes, from 1 on.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A value is not of its field's type, or has no form in JSON.
    #[non_exhaustive]
    Field {
        /// The way to the value, such as `transcript.transcriptSegments[3].messageTime`; empty for the whole document.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No message has a field of this name where it stands.
    #[non_exhaustive]
    UnknownField {
        /// The way to the field.
        path: String,
        /// Full name of the message that lacks it.
        message: String,
        /// Whether the REST API has it there, though the protos do not.
        is_rest_only: bool,
    },
    /// Nested deeper than protobuf allows.
    #[non_exhaustive]
    TooDeep {
        /// The way to where it became too deep.
        path: String,
    },
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(name) => write!(f, "no message type `{name}` in this API"),
            Self::Decode { name, problem } => write!(f, "the bytes are not a valid `{name}`: {problem}"),
            Self::Syntax { line, column, problem } => {
                write!(f, "not JSON: {problem} at line {line} column {column}")
            }
            Self::Field { path, problem } if path.is_empty() => f.write_str(problem),
            Self::Field { path, problem } => write!(f, "{path}: {problem}"),
            Self::UnknownField { path, message, is_rest_only } => {
                write!(f, "{path}: `{message}` has no such field")?;
                if *is_rest_only { f.write_str(" in gRPC; only the REST API has it") } else { Ok(()) }
            }
            Self::TooDeep { path } => {
                if !path.is_empty() {
                    write!(f, "{path}: ")?;
                }
                write!(f, "nested more than {MAX_DEPTH} levels deep")
            }
        }
    }
}

impl std::error::Error for JsonError {}

impl JsonError {
    /// The way to what is wrong, where there is one: `transcript.transcriptSegments[3].messageTime`.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Field { path, .. } | Self::UnknownField { path, .. } | Self::TooDeep { path } => {
                Some(path).filter(|path| !path.is_empty()).map(String::as_str)
            }
            _ => None,
        }
    }

    /// The same, of a document that is part of a larger one, at `step`: `operations[0]`.
    #[must_use]
    pub fn within(mut self, step: &str) -> Self {
        if let Self::Field { path, .. } | Self::UnknownField { path, .. } | Self::TooDeep { path } = &mut self
        {
            *path = prepend(step, path);
        }
        self
    }

    pub(super) fn field(path: &Path<'_>, problem: impl Into<String>) -> Self {
        Self::Field { path: path.to_string(), problem: problem.into() }
    }

    pub(super) fn torn(name: &str, torn: Torn) -> Self {
        Self::Decode { name: name.to_owned(), problem: torn.0.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_comes_first() {
        let error = JsonError::field(&Path::Field(&Path::Root, "ttl"), "\"x\" is not a duration");
        assert_eq!(error.to_string(), "ttl: \"x\" is not a duration");
        let error = error.within("conversations[2]");
        assert_eq!(error.path(), Some("conversations[2].ttl"));
        assert_eq!(JsonError::field(&Path::Root, "x").to_string(), "x");
        let error = JsonError::torn("a.B", Torn("it ends within a number")).within("x");
        assert_eq!(error.to_string(), "the bytes are not a valid `a.B`: it ends within a number");
        assert_eq!(error.path(), None);
    }
}
