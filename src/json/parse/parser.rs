//! What parsing needs on its way: the tables, what is tolerated, and what was left out.

use std::borrow::Cow;

use super::super::error::JsonError;
use super::super::node::Node;
use super::super::table::{Field, Tables};

/// What a reader tolerates.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Options {
    pub(in super::super) ignores_unknown: bool,
    /// Paths of a field mask may be in `snake_case`.
    pub(in super::super) takes_snake_masks: bool,
}

/// What was left out.
#[derive(Clone, Debug)]
pub(in super::super) struct Skip {
    pub(in super::super) path: String,
    /// The message that lacks the field, or the enum that lacks the value.
    pub(in super::super) of: String,
    /// The field's name, or the value's.
    pub(in super::super) name: String,
    pub(in super::super) is_value: bool,
}

/// Parses messages into wire bytes.
#[derive(Debug)]
pub(in super::super) struct Parse<'t> {
    pub(super) tables: &'t Tables,
    pub(super) options: Options,
    pub(in super::super) skipped: Vec<Skip>,
    /// The fields of the messages that are being parsed, each with the place of its entry: those of the innermost last.
    pub(super) found: Vec<(&'t Field, usize)>,
}

pub(super) type Parsed = Result<(), JsonError>;
pub(super) type Entries<'a> = [(Cow<'a, str>, Node<'a>)];

impl<'t> Parse<'t> {
    pub(in super::super) fn new(tables: &'t Tables, options: Options) -> Self {
        Self { tables, options, skipped: Vec::new(), found: Vec::with_capacity(32) }
    }
}
