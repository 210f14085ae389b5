//! Operations as tables: a line each, or a fact a line.

use super::layout::{Column, Layout, Look, color};
use super::summary::Summary;
use super::values::age;
use crate::escape::line_within;

/// Of a cell, in characters; errors may be of any length, and no name is as long.
const MOST_OF_CELL: usize = 1000;

/// A fact a line.
pub(super) fn of_one(summary: &Summary) -> String {
    one_for(summary, Look::of_stdout())
}

fn one_for(summary: &Summary, look: Look) -> String {
    let Summary { name, kind, state, progress, created, ended, error } = summary;
    let state = state.to_string();
    let state = match color(&state).filter(|_| look.has_colors) {
        Some(color) => format!("\u{1b}[{color}m{state}\u{1b}[0m"),
        None => state,
    };
    let facts = [
        ("NAME", name.as_str()),
        ("TYPE", kind),
        ("STATE", &state),
        ("PROGRESS", progress),
        ("CREATED", created),
        ("ENDED", ended),
        ("ERROR", error),
    ];
    // What does not count says nothing of how far it is.
    let shown = facts.into_iter().filter(|(fact, value)| *fact != "PROGRESS" || !value.is_empty());
    let shown: Vec<_> = shown.collect();
    let width = shown.iter().map(|(fact, _)| fact.len()).max().unwrap_or_default();
    let line = |(fact, value): &(&str, &str)| {
        // The state is one of ours, and may be coloured.
        let value = if *fact == "STATE" { (*value).to_owned() } else { line_within(value, MOST_OF_CELL) };
        format!("{fact:width$}  {value}").trim_end().to_owned() + "\n"
    };
    shown.iter().map(line).collect()
}

/// The columns of a list of operations.
pub(super) fn columns() -> Vec<Column> {
    vec![
        Column::new("NAME", 0, 0),
        Column::new("TYPE", 2, 12),
        Column::new("STATE", 1, 0),
        Column::new("PROGRESS", 4, 0),
        Column::new("AGE", 3, 0),
        Column::new("ERROR", 5, 12),
    ]
}

/// The cells of each; of names only what follows `share`.
pub(super) fn rows(summaries: &[&Summary], share: &str, look: Look) -> Vec<Vec<String>> {
    let row = |summary: &&Summary| {
        let Summary { name, kind, state, progress, created, error, .. } = summary;
        let name = name.strip_prefix(share).unwrap_or(name);
        let cells = [
            name.to_owned(),
            kind.clone(),
            state.to_string(),
            progress.clone(),
            age(created, look.now).unwrap_or_default(),
            error.clone(),
        ];
        cells.map(|cell| line_within(&cell, MOST_OF_CELL)).to_vec()
    };
    summaries.iter().map(row).collect()
}

/// Operations below a header, as they stand for `look`.
pub(super) fn many_for(summaries: &[&Summary], look: Look) -> Vec<String> {
    let names = summaries.iter().map(|summary| summary.name.as_str());
    let share = super::values::shared_parent(names).unwrap_or_default();
    let rows = rows(summaries, share, look);
    let layout = Layout::fit(&columns(), &rows, look);
    let lines = layout.header() + &layout.rows(&rows);
    lines.lines().map(str::to_owned).collect()
}
