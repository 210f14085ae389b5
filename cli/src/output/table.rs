//! Summaries as tables: aligned, without borders, never wrapped, so that names can be copied and lines cut.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::summary::Summary;
use crate::escape::line_within;

/// Of a cell, in characters; errors may be of any length, and no name is as long.
const MOST_OF_CELL: usize = 1000;
const COLUMNS: [&str; 6] = ["NAME", "TYPE", "STATE", "CREATED", "ENDED", "ERROR"];

/// A fact a line.
pub(super) fn of_one(summary: &Summary) -> String {
    let mut table = table();
    for (column, cell) in COLUMNS.into_iter().zip(cells(summary)) {
        table.add_row([column.to_owned(), cell]);
    }
    print(&table)
}

/// An operation a line, below a header.
pub(super) fn of_many(summaries: &[Summary]) -> String {
    let mut table = table();
    table.set_header(COLUMNS);
    for summary in summaries {
        table.add_row(cells(summary));
    }
    print(&table)
}

/// An empty table.
pub(super) fn table() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn cells(summary: &Summary) -> [String; 6] {
    let Summary { name, kind, state, created, ended, error } = summary;
    let state = state.to_string();
    [name, kind, &state, created, ended, error].map(|cell| line_within(cell, MOST_OF_CELL))
}

/// The lines of a table.
pub(super) fn print(table: &Table) -> String {
    table.lines().map(|line| line.trim().to_owned() + "\n").collect()
}
