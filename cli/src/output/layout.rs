//! Tables within a width: which columns are there, how wide each is, and what is cut. Pure functions.

use unicode_width::UnicodeWidthStr;

use crate::terminal;

/// Where nothing is known of the terminal.
const WIDTH: usize = 80;
const GAP: usize = 2;

/// What a table is drawn for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// `None` for as wide as it gets.
    pub(super) width: Option<usize>,
    pub(super) has_colors: bool,
    pub(super) is_utf8: bool,
    /// In seconds since 1970: ages are told by it.
    pub(super) now: i64,
}

impl Look {
    /// As stdout is.
    pub(super) fn of_stdout() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self {
            width: Some(terminal::size().0.unwrap_or(WIDTH)),
            has_colors: terminal::stdout_has_colors(),
            is_utf8: terminal::is_utf8(),
            now: now.ok().and_then(|now| i64::try_from(now.as_secs()).ok()).unwrap_or_default(),
        }
    }

    pub(super) fn unbounded(self) -> Self {
        Self { width: None, ..self }
    }
}

/// A column, and what may become of it where there is little space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) heading: String,
    /// Lower ranks stay longer; of rank 0 nothing is ever left out or cut, so that names can be copied.
    pub(super) rank: u8,
    /// Cut to no less than this; 0 for not at all.
    pub(super) least: usize,
}

impl Column {
    pub(super) fn new(heading: impl Into<String>, rank: u8, least: usize) -> Self {
        Self { heading: heading.into(), rank, least }
    }
}

/// Which columns are shown, and how wide.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    headings: Vec<String>,
    /// Of the columns that are given: `None` where one is not shown.
    widths: Vec<Option<usize>>,
    /// Of which nothing is cut.
    is_whole: Vec<bool>,
    look: Look,
}

impl Layout {
    /// Fits columns with these rows into the width. A column without anything in it is left out.
    pub(super) fn fit(columns: &[Column], rows: &[Vec<String>], look: Look) -> Self {
        let natural: Vec<usize> =
            columns.iter().enumerate().map(|(at, column)| widest(column, at, rows)).collect();
        let is_empty = |at: usize| rows.iter().all(|row| row.get(at).is_none_or(String::is_empty));
        let mut widths = vec![None; columns.len()];
        let mut left = look.width.unwrap_or(usize::MAX);
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|at| columns.get(*at).map_or(u8::MAX, |column| column.rank));
        for at in &order {
            let (Some(column), Some(natural)) = (columns.get(*at), natural.get(*at)) else { continue };
            let least =
                if column.rank == 0 || column.least == 0 { *natural } else { column.least.min(*natural) };
            let gap = if widths.iter().all(Option::is_none) { 0 } else { GAP };
            let fits = least.saturating_add(gap) <= left;
            if column.rank == 0 || (fits && !is_empty(*at)) {
                set(&mut widths, *at, least);
                left = left.saturating_sub(least.saturating_add(gap));
            }
        }
        for at in &order {
            let (Some(Some(width)), Some(natural)) = (widths.get(*at).copied(), natural.get(*at)) else {
                continue;
            };
            let more = natural.saturating_sub(width).min(left);
            set(&mut widths, *at, width.saturating_add(more));
            left = left.saturating_sub(more);
        }
        Self {
            headings: columns.iter().map(|column| column.heading.clone()).collect(),
            widths,
            is_whole: columns.iter().map(|column| column.rank == 0).collect(),
            look,
        }
    }

    /// The line of the headings.
    pub(super) fn header(&self) -> String {
        self.line(&self.headings)
    }

    /// A line for each row.
    pub(super) fn rows(&self, rows: &[Vec<String>]) -> String {
        rows.iter().map(|row| self.line(row)).collect()
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        // Blanks are owed until something follows them.
        let mut owed = 0_usize;
        for ((cell, width), is_whole) in cells.iter().zip(&self.widths).zip(&self.is_whole) {
            let Some(width) = *width else { continue };
            let text = if *is_whole { cell.clone() } else { cut(cell, width, self.look.is_utf8) };
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', owed));
                line += &self.colored(&text);
                owed = 0;
            }
            owed = owed.saturating_add(width.saturating_sub(text.width())).saturating_add(GAP);
        }
        line.push('\n');
        line
    }

    fn colored(&self, text: &str) -> String {
        match color(text).filter(|_| self.look.has_colors) {
            Some(color) => format!("\u{1b}[{color}m{text}\u{1b}[0m"),
            None => text.to_owned(),
        }
    }
}

fn set(widths: &mut [Option<usize>], at: usize, width: usize) {
    if let Some(place) = widths.get_mut(at) {
        *place = Some(width);
    }
}

fn widest(column: &Column, at: usize, rows: &[Vec<String>]) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width());
    cells.chain([column.heading.width()]).max().unwrap_or_default()
}

/// The colour of a state, as SGR has it.
pub(super) fn color(state: &str) -> Option<u8> {
    Some(match state {
        "SUCCEEDED" | "DEPLOYED" | "READY" | "ACTIVE" => 32,
        "FAILED" | "NOT FOUND" | "NO RESULT" | "TRAINING_FAILED" => 31,
        "RUNNING" | "DEPLOYING" | "UNDEPLOYING" | "DELETING" | "EXPORTING" | "IMPORTING" | "TRAINING"
        | "TRAINING_CANCELLED" => 33,
        "CANCELLED" | "UNDEPLOYED" | "EDITABLE" => 36,
        _ => return None,
    })
}

/// The text within so many columns, with a sign that it was cut.
pub(super) fn cut(text: &str, most: usize, is_utf8: bool) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let sign = if is_utf8 { "…" } else { "..." };
    let sign = if sign.width() < most { sign } else { "" };
    let left = most.saturating_sub(sign.width());
    let ends = text.char_indices().map(|(at, c)| at.saturating_add(c.len_utf8()));
    let kept = ends.filter_map(|end| text.get(..end)).take_while(|kept| kept.width() <= left).last();
    kept.unwrap_or_default().trim_end().to_owned() + sign
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(width: usize) -> Look {
        Look { width: Some(width), has_colors: false, is_utf8: true, now: 0 }
    }

    #[test]
    fn wide_characters_are_counted_as_they_are_shown() {
        assert_eq!(cut("日本語テキスト", 7, true), "日本語…");
        assert_eq!(cut("日本語テキスト", 14, true), "日本語テキスト");
        assert_eq!(cut("größer", 5, false), "gr...");
        assert_eq!(cut("größer", 2, false), "gr");
        let columns = [Column::new("NAME", 0, 0), Column::new("TITLE", 1, 4), Column::new("X", 2, 0)];
        let rows = ["日本語", "abc"].map(|title| vec!["1".to_owned(), title.to_owned(), "x".to_owned()]);
        let layout = Layout::fit(&columns, &rows, look(80));
        assert_eq!(
            layout.header() + &layout.rows(&rows),
            "NAME  TITLE   X\n1     日本語  x\n1     abc     x\n"
        );
    }

    #[test]
    fn what_matters_less_is_left_out_first_and_names_never_are() {
        let columns = [
            Column::new("NAME", 0, 0),
            Column::new("NOTE", 3, 6),
            Column::new("STATE", 1, 0),
            Column::new("EMPTY", 1, 0),
            Column::new("AGE", 2, 0),
        ];
        let cells = ["n".repeat(20), "a long note".into(), "FAILED".into(), String::new(), "3m".into()];
        let rows = [cells.to_vec()];
        let at = |width: usize| {
            let layout = Layout::fit(&columns, &rows, look(width));
            layout.rows(&rows).trim_end().to_owned()
        };
        let name = "n".repeat(20);
        assert_eq!(at(80), format!("{name}  a long note  FAILED  3m"));
        assert_eq!(at(44), format!("{name}  a long n…  FAILED  3m"));
        assert_eq!(at(34), format!("{name}  FAILED  3m"));
        assert_eq!(at(30), format!("{name}  FAILED"));
        assert_eq!(at(10), name);
    }

    #[test]
    fn colors_take_no_space() {
        let columns = [Column::new("STATE", 0, 0), Column::new("AGE", 1, 0)];
        let rows = [vec!["FAILED".to_owned(), "3m".to_owned()]];
        let layout = Layout::fit(&columns, &rows, Look { has_colors: true, ..look(80) });
        assert_eq!(layout.rows(&rows), "\u{1b}[31mFAILED\u{1b}[0m  3m\n");
    }
}
