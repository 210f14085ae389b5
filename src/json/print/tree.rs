//! JSON as a `serde_json::Value`, for callers who look into it.

use serde_json::{Map, Number, Value};

use super::super::number::Shortest;
use super::sink::Sink;

/// A document that grows from the outside in.
#[derive(Debug, Default)]
pub(in super::super) struct Tree {
    open: Vec<Open>,
    root: Value,
}

#[derive(Debug)]
enum Open {
    /// An object, and the key that waits for its value.
    Object(Map<String, Value>, String),
    List(Vec<Value>),
}

impl Tree {
    pub(in super::super) fn into_value(self) -> Value {
        self.root
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            Some(Open::Object(fields, key)) => {
                fields.insert(std::mem::take(key), value);
            }
            Some(Open::List(items)) => items.push(value),
            None => self.root = value,
        }
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::Object(fields, _)) => self.put(Value::Object(fields)),
            Some(Open::List(items)) => self.put(Value::Array(items)),
            None => {}
        }
    }
}

impl Sink for Tree {
    type Mark = usize;

    fn begin_object(&mut self) {
        self.open.push(Open::Object(Map::new(), String::new()));
    }

    fn end_object(&mut self) {
        self.close();
    }

    fn name(&mut self, name: &'static str) {
        self.key(name);
    }

    fn key(&mut self, key: &str) {
        if let Some(Open::Object(_, waiting)) = self.open.last_mut() {
            key.clone_into(waiting);
        }
    }

    fn begin_list(&mut self) {
        self.open.push(Open::List(Vec::new()));
    }

    fn end_list(&mut self) {
        self.close();
    }

    fn item(&mut self) {}

    fn null(&mut self) {
        self.put(Value::Null);
    }

    fn bool(&mut self, value: bool) {
        self.put(Value::Bool(value));
    }

    fn int(&mut self, value: i64) {
        self.put(Value::from(value));
    }

    fn double(&mut self, value: f64) {
        self.put(Number::from_f64(value).map_or(Value::Null, Value::Number));
    }

    fn float(&mut self, value: f32) {
        self.double(Shortest(value).double());
    }

    fn string(&mut self, text: &str) {
        self.put(Value::from(text));
    }

    fn plain(&mut self, write: impl FnOnce(&mut String)) {
        let mut text = String::new();
        write(&mut text);
        self.put(Value::String(text));
    }

    fn mark(&self) -> usize {
        self.open.len()
    }

    fn back_to(&mut self, mark: usize) {
        self.open.truncate(mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_after_a_mark_is_taken_back() {
        let mut tree = Tree::default();
        tree.begin_object();
        tree.key("a");
        let mark = tree.mark();
        tree.begin_object();
        tree.key("lost");
        tree.begin_list();
        tree.item();
        tree.back_to(mark);
        tree.plain(|out| out.push_str("kept"));
        tree.end_object();
        assert_eq!(tree.into_value(), serde_json::json!({"a": "kept"}));
    }
}
