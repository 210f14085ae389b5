//! Lists of anything, page by page: what can be printed as it comes is.

use contact_center_insights::json::Printer;
use contact_center_insights::proto::longrunning::Operation;
use serde_json::Value;

use super::jq;
use super::layout::{Layout, Look};
use super::sort::SortBy;
use super::summary::Summary;
use super::values::{self, Fields};
use super::{Format, table, to_value, to_yaml, unprintable};
use crate::escape::{line, lines};
use crate::failure::Failure;

/// Prints the items of a list.
#[derive(Debug)]
pub(crate) struct ListPrinter {
    format: Format,
    limit: usize,
    sort: Option<SortBy>,
    count: usize,
    /// Whether all is printed at the end.
    is_held: bool,
    /// What waits for that.
    held: Vec<Item>,
    /// What an expression is applied to as one.
    whole: Vec<Value>,
    /// The header of CSV.
    columns: Vec<String>,
    /// Of a table, once its first page was there.
    grid: Option<Grid>,
}

/// An item, and of an operation what a table shows of it.
#[derive(Debug)]
struct Item(Value, Option<Summary>);

/// How the rows of a table are drawn: as its first page needs it.
#[derive(Debug)]
struct Grid {
    layout: Layout,
    cells: Cells,
    look: Look,
}

#[derive(Debug)]
enum Cells {
    /// Of operations; what all names begin with.
    Summaries(String),
    Fields(Fields),
}

impl Cells {
    fn of(items: &[Item], is_wide: bool) -> Self {
        if !is_wide && items.iter().any(|item| item.1.is_some()) {
            let names = items.iter().filter_map(|item| item.1.as_ref()).map(|summary| summary.name.as_str());
            return Self::Summaries(values::shared_parent(names).unwrap_or_default().to_owned());
        }
        let values: Vec<Value> = items.iter().map(|item| item.0.clone()).collect();
        Self::Fields(Fields::of(&values, is_wide))
    }

    fn rows(&self, items: &[Item], look: Look) -> Vec<Vec<String>> {
        match self {
            Self::Summaries(share) => {
                let summaries: Vec<&Summary> = items.iter().filter_map(|item| item.1.as_ref()).collect();
                table::rows(&summaries, share, look)
            }
            Self::Fields(fields) => {
                let values: Vec<Value> = items.iter().map(|item| item.0.clone()).collect();
                fields.rows(&values, look)
            }
        }
    }
}

impl ListPrinter {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            limit: usize::MAX,
            sort: None,
            count: 0,
            is_held: false,
            held: Vec::new(),
            whole: Vec::new(),
            columns: Vec::new(),
            grid: None,
        }
    }

    /// Sorted, and then no more than so many.
    pub(crate) fn wanted(mut self, sort: Option<&str>, limit: Option<usize>) -> Self {
        self.sort = sort.map(SortBy::new);
        self.is_held = self.sort.is_some();
        self.limit = limit.unwrap_or(usize::MAX);
        self
    }

    /// Printed at the end: half of a document and a bar do not go together on one terminal.
    pub(crate) fn held(mut self) -> Self {
        self.is_held = true;
        self
    }

    /// How many a page need have at most; `None` where all are needed, to be sorted.
    pub(crate) fn page_size(&self) -> Option<i32> {
        i32::try_from(self.limit).ok().filter(|_| self.sort.is_none())
    }

    /// Whether nothing more is wanted.
    pub(crate) fn is_full(&self) -> bool {
        self.sort.is_none() && self.count >= self.limit
    }

    /// What to print of a page.
    pub(crate) fn page(&mut self, items: Vec<Value>) -> Result<String, Failure> {
        self.add(items.into_iter().map(|value| Item(value, None)).collect())
    }

    /// What to print of a page of operations.
    pub(crate) fn operations(&mut self, operations: Vec<Operation>) -> Result<String, Failure> {
        let item = |operation: Operation| {
            let value = to_value(Printer::new(), &operation)?;
            let summary = Summary::new(&operation, &value);
            Ok(Item(value, Some(summary)))
        };
        let items: Result<_, Failure> = operations.into_iter().map(item).collect();
        self.add(items?)
    }

    fn add(&mut self, mut items: Vec<Item>) -> Result<String, Failure> {
        if self.is_held {
            self.held.append(&mut items);
            return Ok(String::new());
        }
        items.truncate(self.limit.saturating_sub(self.count));
        self.print(&items)
    }

    fn print(&mut self, items: &[Item]) -> Result<String, Failure> {
        let mut text = String::new();
        if items.is_empty() {
            return Ok(text);
        }
        if matches!(self.format, Format::Table | Format::Wide) {
            text = self.rows(items);
        }
        for Item(item, _) in items {
            self.count = self.count.saturating_add(1);
            match self.format {
                Format::Json => {
                    let item = serde_json::to_string_pretty(item).map_err(unprintable)?;
                    text += if self.count == 1 { "[\n  " } else { ",\n  " };
                    text += &lines(&item).replace('\n', "\n  ");
                }
                Format::Jsonl => text += &(line_of(item)? + "\n"),
                Format::Name => text += &(name(item) + "\n"),
                Format::Csv => {
                    if self.columns.is_empty() {
                        self.columns = columns(item);
                        text += &(csv(self.columns.iter().map(String::as_str)) + "\n");
                    }
                    let cells: Vec<String> =
                        self.columns.iter().map(|column| values::cell(item.get(column))).collect();
                    text += &(csv(cells.iter().map(String::as_str)) + "\n");
                }
                // A list of one after the other is a list.
                Format::Yaml => text += &to_yaml(&Value::Array(vec![item.clone()]))?,
                Format::Jq(_) => self.whole.push(item.clone()),
                Format::Table | Format::Wide => {}
            }
        }
        Ok(text)
    }

    /// Rows as the first page has laid them out, below its header.
    fn rows(&mut self, items: &[Item]) -> String {
        let is_wide = self.format == Format::Wide;
        let header = self.grid.is_none();
        let grid = self.grid.get_or_insert_with(|| {
            let look = Look::of_stdout();
            let look = if is_wide { look.unbounded() } else { look };
            let cells = Cells::of(items, is_wide);
            let columns = match &cells {
                Cells::Summaries(_) => table::columns(),
                Cells::Fields(fields) => fields.columns(),
            };
            let layout = Layout::fit(&columns, &cells.rows(items, look), look);
            Grid { layout, cells, look }
        });
        let rows = grid.layout.rows(&grid.cells.rows(items, grid.look));
        if header { grid.layout.header() + &rows } else { rows }
    }

    /// What to print at the end.
    pub(crate) fn end(mut self) -> Result<String, Failure> {
        let mut text = String::new();
        if self.is_held {
            let mut items = std::mem::take(&mut self.held);
            if let Some(sort) = &self.sort {
                items.sort_by(|a, b| sort.compare(&a.0, &b.0));
            }
            items.truncate(self.limit);
            text = self.print(&items)?;
        }
        match self.format {
            Format::Json | Format::Yaml if self.count == 0 => text += "[]\n",
            Format::Json => text += "\n]\n",
            Format::Jq(expression) => text += &jq::run(expression, &Value::Array(self.whole))?,
            Format::Table | Format::Wide if self.count == 0 => text += "NAME\n",
            _ => {}
        }
        Ok(text)
    }
}

/// A document on one line.
pub(super) fn line_of(value: &Value) -> Result<String, Failure> {
    Ok(line(&serde_json::to_string(value).map_err(unprintable)?).into_owned())
}

/// The name of a resource; all of what has none.
pub(super) fn name(value: &Value) -> String {
    let name = value.get("name").and_then(Value::as_str);
    name.map_or_else(|| line_of(value).unwrap_or_default(), |name| line(name).into_owned())
}

/// The fields of the first item, of which the header is made.
pub(super) fn columns(value: &Value) -> Vec<String> {
    value.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
}

/// A line of RFC 4180, without its end. What a terminal would obey is escaped, as everywhere.
pub(super) fn csv<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let quoted = cells.map(|cell| {
        let cell = lines(cell);
        if cell.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.into_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(format: Format, pages: &[&[Value]]) -> String {
        let mut list = ListPrinter::new(format);
        let text: String = pages.iter().map(|page| list.page(page.to_vec()).unwrap()).collect();
        text + &list.end().unwrap()
    }

    #[test]
    fn pages_make_one_document() {
        let (a, b) = (json!({"name": "x/a", "note": "1,\"2\""}), json!({"name": "x/b"}));
        let pages: [&[Value]; 2] = [std::slice::from_ref(&a), std::slice::from_ref(&b)];
        let all: Value = serde_json::from_str(&printed(Format::Json, &pages)).unwrap();
        assert_eq!(all, json!([a, b]));
        assert_eq!(printed(Format::Json, &[]), "[]\n");
        assert_eq!(printed(Format::Jsonl, &pages).lines().count(), 2);
        assert_eq!(printed(Format::Name, &pages), "x/a\nx/b\n");
        assert_eq!(printed(Format::Csv, &pages), "name,note\nx/a,\"1,\"\"2\"\"\"\nx/b,\n");
        let yaml: Value = serde_saphyr::from_str(&printed(Format::Yaml, &pages)).unwrap();
        assert_eq!(yaml, json!([a, b]));
        assert_eq!(printed(Format::Yaml, &[]), "[]\n");
        let held: Value = serde_json::from_str(&{
            let mut list = ListPrinter::new(Format::Json).held();
            assert_eq!(list.page(vec![a.clone()]).unwrap() + &list.page(vec![b.clone()]).unwrap(), "");
            list.end().unwrap()
        })
        .unwrap();
        assert_eq!(held, json!([a, b]));
        let hostile = json!({"name": "x/\u{1b}]0;t\u{7}\u{202e}\u{9b}", "note": "two\nlines"});
        let cells = "x/\\u001b]0;t\\u0007\\u202e\\u009b,\"two\nlines\"\n";
        assert_eq!(printed(Format::Csv, &[&[hostile]]), format!("name,note\n{cells}"));
        assert_eq!(printed(Format::Table, &pages), "NAME  NOTE\na     1,\"2\"\nb\n");
        assert_eq!(printed(Format::Table, &[]), "NAME\n");
    }

    #[test]
    fn what_is_sorted_is_cut_afterwards() {
        let items: Vec<Value> = [3, 10, 1].map(|n| json!({"name": format!("x/{n}"), "count": n})).to_vec();
        let mut list = ListPrinter::new(Format::Name).wanted(Some("~count"), Some(2));
        assert_eq!((list.page_size(), list.page(items).unwrap().as_str()), (None, ""));
        assert!(!list.is_full());
        assert_eq!(list.end().unwrap(), "x/10\nx/3\n");
    }
}
