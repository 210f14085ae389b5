//! Where JSON is printed to, and the one of two that is text.

use super::super::number::Shortest;
use super::super::scan::plain_run;

/// Takes a document piece by piece. Before each field comes its key, before each item of a list [`Sink::item`].
pub(in super::super) trait Sink {
    /// How far the document is.
    type Mark;

    fn begin_object(&mut self);
    fn end_object(&mut self);
    fn key(&mut self, key: &str);
    /// The name of a field, in which nothing has to be escaped.
    fn name(&mut self, name: &'static str);
    fn begin_list(&mut self);
    fn end_list(&mut self);
    fn item(&mut self);
    fn null(&mut self);
    fn bool(&mut self, value: bool);
    fn int(&mut self, value: i64);
    /// A finite double.
    fn double(&mut self, value: f64);
    /// A finite float.
    fn float(&mut self, value: f32);
    fn string(&mut self, text: &str);
    /// A string that nothing in has to be escaped, which `write` appends.
    fn plain(&mut self, write: impl FnOnce(&mut String));
    fn mark(&self) -> Self::Mark;
    /// Takes back all that came after a mark, which was taken where a value is due.
    fn back_to(&mut self, mark: Self::Mark);
}

/// JSON as text, on one line or laid out as `serde_json` does it.
#[derive(Debug)]
pub(in super::super) struct Text {
    out: String,
    level: usize,
    is_first: bool,
    is_pretty: bool,
}

impl Text {
    pub(in super::super) fn new(is_pretty: bool, capacity: usize) -> Self {
        Self::after(String::with_capacity(capacity), is_pretty, 0)
    }

    /// Goes on after a text, as far in as `level` says.
    pub(in super::super) fn after(out: String, is_pretty: bool, level: usize) -> Self {
        Self { out, level, is_first: true, is_pretty }
    }

    pub(in super::super) fn into_string(self) -> String {
        self.out
    }

    #[inline]
    fn separate(&mut self) {
        if self.is_first {
            self.is_first = false;
        } else {
            self.out.push(',');
        }
        if self.is_pretty {
            self.line();
        }
    }

    fn line(&mut self) {
        const SPACE: &str = "\n                                                                ";
        let length = self.level.saturating_mul(2).saturating_add(1);
        if let Some(line) = SPACE.get(..length) {
            self.out.push_str(line);
        } else {
            self.out.push('\n');
            (0..self.level).for_each(|_| self.out.push_str("  "));
        }
    }

    fn begin(&mut self, bracket: char) {
        self.out.push(bracket);
        self.level += 1;
        self.is_first = true;
    }

    fn end(&mut self, bracket: char) {
        self.level = self.level.saturating_sub(1);
        if self.is_pretty && !self.is_first {
            self.line();
        }
        self.out.push(bracket);
        self.is_first = false;
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        let mut rest = text;
        loop {
            let (run, special) = rest.split_at_checked(plain_run(rest.as_bytes())).unwrap_or((rest, ""));
            self.out.push_str(run);
            let mut after = special.chars();
            let Some(character) = after.next() else { break };
            self.escaped(character);
            rest = after.as_str();
        }
        self.out.push('"');
    }

    fn escaped(&mut self, character: char) {
        let short = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            other => {
                self.format(format_args!("\\u{:04x}", u32::from(other)));
                return;
            }
        };
        self.out.push_str(short);
    }

    fn format(&mut self, arguments: std::fmt::Arguments<'_>) {
        // A String takes whatever is written to it.
        let _ = std::fmt::Write::write_fmt(&mut self.out, arguments);
    }
}

impl Sink for Text {
    type Mark = (usize, usize, bool);

    fn begin_object(&mut self) {
        self.begin('{');
    }

    fn end_object(&mut self) {
        self.end('}');
    }

    fn key(&mut self, key: &str) {
        self.separate();
        self.quoted(key);
        self.out.push_str(if self.is_pretty { ": " } else { ":" });
    }

    fn name(&mut self, name: &'static str) {
        self.separate();
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str(if self.is_pretty { "\": " } else { "\":" });
    }

    fn begin_list(&mut self) {
        self.begin('[');
    }

    fn end_list(&mut self) {
        self.end(']');
    }

    fn item(&mut self) {
        self.separate();
    }

    fn null(&mut self) {
        self.out.push_str("null");
    }

    fn bool(&mut self, value: bool) {
        self.out.push_str(if value { "true" } else { "false" });
    }

    fn int(&mut self, value: i64) {
        push_int(&mut self.out, value);
    }

    fn double(&mut self, value: f64) {
        self.format(format_args!("{}", Shortest(value)));
    }

    fn float(&mut self, value: f32) {
        self.format(format_args!("{}", Shortest(value)));
    }

    fn string(&mut self, text: &str) {
        self.quoted(text);
    }

    fn plain(&mut self, write: impl FnOnce(&mut String)) {
        self.out.push('"');
        write(&mut self.out);
        self.out.push('"');
    }

    fn mark(&self) -> Self::Mark {
        (self.out.len(), self.level, self.is_first)
    }

    fn back_to(&mut self, (length, level, is_first): Self::Mark) {
        self.out.truncate(length);
        (self.level, self.is_first) = (level, is_first);
    }
}

/// Appends a whole number.
pub(super) fn push_int(out: &mut String, value: i64) {
    if value < 0 {
        out.push('-');
    }
    push_uint(out, value.unsigned_abs());
}

/// Appends a whole number.
pub(super) fn push_uint(out: &mut String, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        #[allow(clippy::cast_possible_truncation, reason = "one digit")]
        let last = (value % 10) as u8;
        *digit = b'0' + last;
        value /= 10;
        count += 1;
        if value == 0 {
            break;
        }
    }
    let written = digits.get(digits.len() - count..).unwrap_or_default();
    out.push_str(std::str::from_utf8(written).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(sink: &mut impl Sink) {
        sink.begin_object();
        sink.key("a");
        sink.begin_list();
        sink.item();
        sink.int(i64::MIN);
        sink.item();
        sink.double(1e16);
        sink.item();
        sink.float(0.1);
        sink.item();
        sink.null();
        sink.end_list();
        sink.key("b");
        sink.begin_object();
        sink.end_object();
        sink.key("c\"");
        sink.string("\u{1}\n\\é\u{2028}");
        sink.end_object();
    }

    #[test]
    fn text_is_as_serde_json_writes_it() {
        let (mut compact, mut pretty, mut tree) =
            (Text::new(false, 0), Text::new(true, 0), super::super::Tree::default());
        sample(&mut compact);
        sample(&mut pretty);
        sample(&mut tree);
        let value = tree.into_value();
        assert_eq!(compact.into_string(), value.to_string());
        assert_eq!(pretty.into_string(), format!("{value:#}"));
    }

    #[test]
    fn lines_are_as_far_in_as_their_level() {
        for level in [0, 1, 31, 32, 33, 99] {
            let mut text = Text::after(String::new(), true, level);
            text.line();
            assert_eq!(text.into_string(), format!("\n{}", "  ".repeat(level)));
        }
    }

    #[test]
    fn whole_numbers_have_all_their_digits() {
        for value in [0, 7, -7, 10, i64::MAX, i64::MIN] {
            let mut out = String::new();
            push_int(&mut out, value);
            assert_eq!(out, value.to_string());
        }
    }

    #[test]
    fn what_came_after_a_mark_is_taken_back() {
        let mut text = Text::new(false, 0);
        text.begin_list();
        text.item();
        let mark = text.mark();
        sample(&mut text);
        text.back_to(mark);
        text.null();
        text.item();
        text.bool(true);
        text.end_list();
        assert_eq!(text.into_string(), "[null,true]");
    }
}
