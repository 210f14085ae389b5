//! Lists of anything, page by page: what can be printed as it comes is.

use serde_json::Value;

use super::{Format, to_yaml, unprintable};
use super::{jq, values};
use crate::escape::{line, lines};
use crate::failure::Failure;

/// Prints the items of a list.
#[derive(Debug)]
pub(crate) struct ListPrinter {
    format: Format,
    count: usize,
    /// What only the whole list can be printed of.
    held: Vec<Value>,
    columns: Vec<String>,
}

impl ListPrinter {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, count: 0, held: Vec::new(), columns: Vec::new() }
    }

    /// How many items there were.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// What to print of a page.
    pub(crate) fn page(&mut self, items: Vec<Value>) -> Result<String, Failure> {
        let mut text = String::new();
        for item in items {
            self.count += 1;
            match self.format {
                Format::Json => {
                    let item = serde_json::to_string_pretty(&item).map_err(unprintable)?;
                    text += if self.count == 1 { "[\n  " } else { ",\n  " };
                    text += &lines(&item).replace('\n', "\n  ");
                }
                Format::Jsonl => text += &(line_of(&item)? + "\n"),
                Format::Name => text += &(name(&item) + "\n"),
                Format::Csv => {
                    if self.columns.is_empty() {
                        self.columns = columns(&item);
                        text += &(csv(self.columns.iter().map(String::as_str)) + "\n");
                    }
                    let cells: Vec<String> =
                        self.columns.iter().map(|column| values::cell(item.get(column))).collect();
                    text += &(csv(cells.iter().map(String::as_str)) + "\n");
                }
                Format::Yaml | Format::Table | Format::Wide | Format::Jq(_) => self.held.push(item),
            }
        }
        Ok(text)
    }

    /// What to print at the end.
    pub(crate) fn end(self) -> Result<String, Failure> {
        match self.format {
            Format::Json if self.count == 0 => Ok("[]\n".to_owned()),
            Format::Json => Ok("\n]\n".to_owned()),
            Format::Yaml => to_yaml(&Value::Array(self.held)),
            Format::Jq(expression) => jq::run(expression, &Value::Array(self.held)),
            Format::Table => Ok(values::many(&self.held, false)),
            Format::Wide => Ok(values::many(&self.held, true)),
            Format::Jsonl | Format::Name | Format::Csv => Ok(String::new()),
        }
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

/// A line of RFC 4180, without its end.
pub(super) fn csv<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let quoted = cells.map(|cell| {
        if cell.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
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
        assert!(printed(Format::Yaml, &pages).starts_with("- name: x/a"));
    }
}
