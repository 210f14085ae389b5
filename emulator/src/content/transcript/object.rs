//! Objects of a transcript file, read by the rules of ProtoJSON: names in either spelling, `null` for what is not set,
//! numbers in quotes or as a float without a fraction.

use std::fmt;

use prost_types::Duration;
use serde_json::{Map, Value};

/// How much of a value an error shows, in characters.
const MOST_OF_VALUE: usize = 60;
/// How many unknown keys are named.
const NAMED: usize = 3;
/// Beyond these, a float has no fraction and yet is not the number that was meant.
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

/// Keys that no format has, which were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ignored {
    count: usize,
    first: Vec<String>,
}

impl Ignored {
    /// Says in the log how many there were in the file, if there were any.
    pub(crate) fn tell(&self, uri: &str) {
        if self.count > 0 {
            tracing::warn!(uri, count = self.count, keys = %self, "unknown keys of a transcript are left out");
        }
    }

    fn add(&mut self, place: String) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(place);
        }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

/// The first of them.
impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join(", "))?;
        if self.count > self.first.len() { f.write_str(", …") } else { Ok(()) }
    }
}

/// An object, where it is in the file, and which of its keys were looked at.
#[derive(Debug)]
pub(super) struct Object<'a> {
    fields: &'a Map<String, Value>,
    place: String,
    seen: Vec<&'a str>,
    /// The first field that was given twice.
    twice: Option<String>,
}

impl<'a> Object<'a> {
    pub(super) fn of(value: &'a Value, place: &str) -> Result<Self, String> {
        match value {
            Value::Object(fields) => {
                Ok(Self { fields, place: place.to_owned(), seen: Vec::new(), twice: None })
            }
            other if place.is_empty() => Err(format!("not a transcript: {} is not an object", shown(other))),
            other => Err(format!("{place}: {} is not an object", shown(other))),
        }
    }

    /// Where a field is, as the documentation spells it.
    pub(super) fn place(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// The value of a field, in whichever spelling; none if it is null.
    pub(super) fn value(&mut self, name: &str) -> Option<&'a Value> {
        let mut found: Option<&'a Value> = None;
        for spelling in [name.to_owned(), camel(name), snake(name)] {
            let Some((key, value)) = self.fields.get_key_value(&spelling) else { continue };
            if self.seen.contains(&key.as_str()) {
                continue;
            }
            self.seen.push(key);
            if found.is_some() {
                self.twice.get_or_insert_with(|| name.to_owned());
            }
            found = Some(value);
        }
        found.filter(|value| !value.is_null())
    }

    /// Whether a field is there, be it null.
    pub(super) fn has(&self, name: &str) -> bool {
        [name.to_owned(), camel(name), snake(name)].iter().any(|spelling| self.fields.contains_key(spelling))
    }

    /// A field that is known and of no use here.
    pub(super) fn pass_over(&mut self, name: &str) {
        let _ = self.value(name);
    }

    /// A field under either of two names.
    pub(super) fn either(&mut self, name: &'static str, other: &'static str) -> (Option<&'a Value>, String) {
        match (self.value(name), self.value(other)) {
            (None, Some(value)) => (Some(value), self.place(other)),
            (value, _) => (value, self.place(name)),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<&'a str>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("{}: {} is not a string", self.place(name), shown(other))),
        }
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, String> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = integer(value);
        number.map(Some).ok_or_else(|| format!("{}: {} is not an integer", self.place(name), shown(value)))
    }

    /// An integer of 32 bits, as channels are.
    pub(super) fn small(&mut self, name: &str) -> Result<i32, String> {
        let number = self.integer(name)?.unwrap_or_default();
        i32::try_from(number).map_err(|_| format!("{}: {number} has more than 32 bits", self.place(name)))
    }

    pub(super) fn float(&mut self, name: &str) -> Result<f32, String> {
        let Some(value) = self.value(name) else { return Ok(0.0) };
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if is_numeric(text) => text.parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| number.abs() <= f64::from(f32::MAX));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the bounds were looked at; confidences need no more digits"
        )]
        let number = number.map(|number| number as f32);
        number.ok_or_else(|| format!("{}: {} is not a number", self.place(name), shown(value)))
    }

    /// A list, each of its values with its place.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<(String, &'a Value)>>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(placed(&self.place(name), list))),
            Some(other) => Err(format!("{}: {} is not a list", self.place(name), shown(other))),
        }
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, String> {
        let place = self.place(name);
        self.value(name).map(|value| Self::of(value, &place)).transpose()
    }

    /// Counts the keys that nobody looked at.
    pub(super) fn end(self, ignored: &mut Ignored) {
        for key in self.fields.keys().filter(|key| !self.seen.contains(&key.as_str())) {
            ignored.add(self.place(key));
        }
    }

    /// # Errors
    /// If a field is there in both spellings.
    pub(super) fn once(&self) -> Result<(), String> {
        match &self.twice {
            Some(name) => Err(format!("{}: is given twice, in both spellings", self.place(name))),
            None => Ok(()),
        }
    }
}

/// The values of a list with their places.
pub(super) fn placed<'a>(place: &str, list: &'a [Value]) -> Vec<(String, &'a Value)> {
    list.iter().enumerate().map(|(index, value)| (format!("{place}[{index}]"), value)).collect()
}

/// A duration: `"1.5s"`, or the object that clients print in JavaScript and in some versions of Python.
pub(super) fn duration(value: Option<&Value>, place: &str) -> Result<Option<Duration>, String> {
    let Some(value) = value else { return Ok(None) };
    let bad = || format!("{place}: {} is not a duration like \"1.5s\"", shown(value));
    match value {
        Value::String(text) => text.parse().map(Some).map_err(|_| bad()),
        Value::Object(_) => {
            let mut parts = Object::of(value, place)?;
            let (seconds, nanos) = (parts.integer("seconds")?, parts.small("nanos")?);
            let seconds = seconds.unwrap_or_default();
            let is_one = seconds.abs() <= 315_576_000_000 && nanos.abs() <= 999_999_999;
            if is_one { Ok(Some(Duration { seconds, nanos })) } else { Err(bad()) }
        }
        _ => Err(bad()),
    }
}

/// A number without a fraction, in quotes or not.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) if is_numeric(text) => text.parse().ok().or_else(|| whole(text.parse().ok()?)),
        _ => None,
    }
}

fn whole(number: f64) -> Option<i64> {
    let fits = number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number);
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction, and its bounds were looked at")]
    fits.then_some(number as i64)
}

/// Whether a text is written as JSON writes numbers.
fn is_numeric(text: &str) -> bool {
    text.parse::<serde_json::Number>().is_ok()
}

/// A value for an error, cut.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MOST_OF_VALUE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn camel(name: &str) -> String {
    let mut made = String::with_capacity(name.len());
    let mut is_next = false;
    for character in name.chars() {
        if character == '_' {
            is_next = true;
        } else {
            made.push(if is_next { character.to_ascii_uppercase() } else { character });
            is_next = false;
        }
    }
    made
}

fn snake(name: &str) -> String {
    name.chars().fold(String::with_capacity(name.len()), |mut made, character| {
        if character.is_ascii_uppercase() {
            made.push('_');
        }
        made.push(character.to_ascii_lowercase());
        made
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_are_written_in_many_ways() {
        for good in [json!(7), json!(7.0), json!("7"), json!("7.0"), json!(7e0), json!("70e-1")] {
            assert_eq!(integer(&good), Some(7), "{good}");
        }
        assert_eq!(integer(&json!(1.7e15)), Some(1_700_000_000_000_000));
        assert_eq!(integer(&json!(i64::MIN)), Some(i64::MIN));
        for bad in [
            json!(1.5),
            json!("1.5"),
            json!(" 7"),
            json!("+7"),
            json!("x"),
            json!(""),
            json!(1e19),
            json!(true),
            json!(u64::MAX),
            json!([7]),
        ] {
            assert_eq!(integer(&bad), None, "{bad}");
        }
    }

    #[test]
    fn fields_are_found_in_either_spelling_once() {
        let value = json!({"user_id": 1, "startTime": "2s", "mood": 1, "temper": 2, "words": null});
        let mut object = Object::of(&value, "entries[3]").unwrap();
        assert_eq!((object.integer("user_id"), object.text("start_time")), (Ok(Some(1)), Ok(Some("2s"))));
        assert_eq!((object.list("words"), object.value("end_time")), (Ok(None), None));
        let mut ignored = Ignored::default();
        object.end(&mut ignored);
        assert_eq!(
            (ignored.count(), ignored.to_string().as_str()),
            (2, "entries[3].mood, entries[3].temper")
        );
        let value = json!({"userId": 1, "user_id": 1});
        let mut object = Object::of(&value, "e").unwrap();
        let _ = object.value("user_id");
        assert_eq!(object.once(), Err("e.user_id: is given twice, in both spellings".into()));
    }

    #[test]
    fn durations_are_texts_or_objects() {
        let read = |value: Value| duration(Some(&value), "w.startTime");
        let wanted = Duration { seconds: 1, nanos: 500_000_000 };
        for good in [
            json!("1.5s"),
            json!("1.500s"),
            json!({"seconds": "1", "nanos": 500_000_000}),
            json!({"seconds": 1.0, "nanos": 5e8}),
        ] {
            assert_eq!(read(good.clone()), Ok(Some(wanted)), "{good}");
        }
        assert_eq!(duration(None, ""), Ok(None));
        for bad in [json!("1.5"), json!(1.5), json!({"seconds": 1e18}), json!({"nanos": 2e9}), json!("")] {
            let error = read(bad.clone()).unwrap_err();
            assert!(error.starts_with("w.startTime"), "{bad}: {error}");
        }
    }

    #[test]
    fn errors_show_little_of_a_value() {
        assert_eq!(shown(&json!("a")), "\"a\"");
        assert_eq!(shown(&json!("ä".repeat(100))).chars().count(), MOST_OF_VALUE + 1);
    }
}
