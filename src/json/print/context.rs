//! What printing needs on its way: the tables, the sink, and how to print.

use super::super::error::JsonError;
use super::super::table::Tables;
use super::sink::Sink;

/// Prints messages to a sink.
#[derive(Debug)]
pub(in super::super) struct Print<'t, S> {
    pub(super) tables: &'t Tables,
    pub(super) sink: S,
    pub(super) numbers_for_enums: bool,
    pub(super) raw_fields: bool,
}

pub(super) type Printed = Result<(), JsonError>;

impl<'t, S: Sink> Print<'t, S> {
    pub(in super::super) fn new(
        tables: &'t Tables,
        sink: S,
        numbers_for_enums: bool,
        raw_fields: bool,
    ) -> Self {
        Self { tables, sink, numbers_for_enums, raw_fields }
    }

    pub(in super::super) fn into_sink(self) -> S {
        self.sink
    }
}
