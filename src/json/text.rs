//! The text of JSON, read as protobuf-python reads it: a key that stands twice in an object is refused, and so is what
//! is not JSON, but for `NaN`, `Infinity` and `-Infinity`.

use std::borrow::Cow;
use std::collections::HashSet;

use super::error::JsonError;
use super::node::{MAX_NESTING, Node};
use super::scan::plain_run;

/// Reads a whole document.
pub(super) fn read(text: &str) -> Result<Node<'_>, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let read = reader.document();
    read.map_err(|problem| {
        let before = text.get(..reader.at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
        JsonError::Syntax { line, column, problem }
    })
}

struct Reader<'a> {
    text: &'a str,
    /// Always between two characters.
    at: usize,
}

type Read<T> = Result<T, String>;

impl<'a> Reader<'a> {
    fn document(&mut self) -> Read<Node<'a>> {
        let node = self.value(0)?;
        self.space();
        if self.at == self.text.len() { Ok(node) } else { Err("something follows the document".to_owned()) }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let is_there = self.rest().starts_with(word);
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    fn expect(&mut self, byte: u8, what: &str) -> Read<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(format!("{what} is missing"))
    }

    fn value(&mut self, depth: usize) -> Read<Node<'a>> {
        if depth > MAX_NESTING {
            return Err(format!("nested more than {MAX_NESTING} levels deep"));
        }
        self.space();
        match self.peek() {
            Some(b'"') => self.string().map(Node::String),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') if self.take("true") => Ok(Node::Bool(true)),
            Some(b'f') if self.take("false") => Ok(Node::Bool(false)),
            Some(b'n') if self.take("null") => Ok(Node::Null),
            Some(b'N') if self.take("NaN") => Ok(Node::Double(f64::NAN)),
            Some(b'I') if self.take("Infinity") => Ok(Node::Double(f64::INFINITY)),
            Some(_) => Err("a value is expected".to_owned()),
            None => Err("it ends where a value is expected".to_owned()),
        }
    }

    fn list(&mut self, depth: usize) -> Read<Node<'a>> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.expect(b']', "`,` or `]`")?;
            return Ok(Node::List(items));
        }
    }

    fn object(&mut self, depth: usize) -> Read<Node<'a>> {
        self.at += 1;
        let mut keys = Keys::default();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Node::Object(Vec::new()));
        }
        // Most messages have no more.
        let mut fields: Vec<(Cow<'a, str>, Node<'a>)> = Vec::with_capacity(8);
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err("a key in quotes is expected".to_owned());
            }
            let start = self.at;
            let key = self.string()?;
            if keys.has(&key, &fields) {
                self.at = start;
                return Err(format!("the key {key:?} is there twice"));
            }
            self.space();
            self.expect(b':', "`:`")?;
            fields.push((key, self.value(depth + 1)?));
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.expect(b'}', "`,` or `}`")?;
            return Ok(Node::Object(fields));
        }
    }

    fn string(&mut self) -> Read<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        let mut owned: Option<String> = None;
        let mut copied = start;
        loop {
            self.at += plain_run(self.text.as_bytes().get(self.at..).unwrap_or_default());
            let run = self.text.get(copied..self.at).unwrap_or_default();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(run),
                        Some(text) => Cow::Owned(text + run),
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(run);
                    text.push(self.escape()?);
                    copied = self.at;
                }
                Some(_) => return Err("a control character in a string has to be escaped".to_owned()),
                None => return Err("a string does not end".to_owned()),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        self.at += 1;
        let letter = self.peek();
        if letter.is_some_and(|byte| byte.is_ascii()) {
            self.at += 1;
        }
        Ok(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err("an escape in a string is unknown".to_owned()),
        })
    }

    fn unicode(&mut self) -> Read<char> {
        const UNPAIRED: &str = "a surrogate in a string has no partner";
        let first = self.hex()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or_else(|| UNPAIRED.to_owned());
        }
        if first >= 0xdc00 || !self.take("\\u") {
            return Err(UNPAIRED.to_owned());
        }
        let second = self.hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(UNPAIRED.to_owned());
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
            .ok_or_else(|| UNPAIRED.to_owned())
    }

    fn hex(&mut self) -> Read<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let digits = digits.ok_or("`\\u` needs four hexadecimal digits")?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|error| error.to_string())
    }

    fn number(&mut self) -> Read<Node<'a>> {
        let start = self.at;
        if self.take("-Infinity") {
            return Ok(Node::Double(f64::NEG_INFINITY));
        }
        self.take("-");
        if !self.take("0") && self.digits() == 0 {
            return Err("a number lacks its digits".to_owned());
        }
        let mut is_whole = true;
        if self.peek() == Some(b'.') {
            is_whole = false;
            self.at += 1;
            if self.digits() == 0 {
                return Err("a number lacks digits after its point".to_owned());
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err("a number lacks digits in its exponent".to_owned());
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        // A number of 18 digits fits into 64 bits, which are read faster than 128.
        let short = if text.len() <= 18 { text.parse::<i64>().ok().map(i128::from) } else { None };
        if let (true, Some(whole)) = (is_whole, short.or_else(|| text.parse().ok())) {
            return Ok(Node::Int(whole));
        }
        let double: f64 = text.parse().map_err(|_| "a number cannot be read".to_owned())?;
        match (is_whole, double.is_infinite()) {
            (true, true) => Err("a whole number is too large".to_owned()),
            (true, false) => Ok(Node::Huge(double)),
            (false, _) => Ok(Node::Double(double)),
        }
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }
}

/// The keys of one object; a set only once there are many.
#[derive(Default)]
struct Keys {
    many: HashSet<String>,
}

impl Keys {
    fn has(&mut self, key: &str, fields: &[(Cow<'_, str>, Node<'_>)]) -> bool {
        const FEW: usize = 24;
        if fields.len() < FEW {
            return fields.iter().any(|(known, _)| known == key);
        }
        if self.many.is_empty() {
            self.many = fields.iter().map(|(known, _)| known.clone().into_owned()).collect();
        }
        !self.many.insert(key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read() {
        let text =
            " {\"a\\u00e4\\ud83d\\ude00\\/\" : [ ] , \"b\":[1,-0,-0.0,1e2,true,false,null,\"x\\n\"]}\n";
        let numbers = vec![
            Node::Int(1),
            Node::Int(0),
            Node::Double(-0.0),
            Node::Double(100.0),
            Node::Bool(true),
            Node::Bool(false),
            Node::Null,
            Node::String("x\n".into()),
        ];
        let wanted = vec![("aä😀/".into(), Node::List(vec![])), ("b".into(), Node::List(numbers))];
        assert_eq!(read(text).unwrap(), Node::Object(wanted));
        assert_eq!(read("0.11265680660813815").unwrap(), Node::Double(0.112_656_806_608_138_15));
        assert_eq!(read("-Infinity").unwrap(), Node::Double(f64::NEG_INFINITY));
    }

    #[test]
    fn what_is_not_json_is_located() {
        for (text, why) in [
            ("", "line 1 column 1"),
            ("{\n \"a\": 1,}", "line 2 column 9"),
            ("{\"a\":1,\"a\":2}", "the key \"a\" is there twice at line 1 column 8"),
            ("[1", "`,` or `]` is missing"),
            ("{\"a\" 1}", "`:` is missing"),
            ("{a:1}", "a key in quotes"),
            ("01", "something follows"),
            ("-", "lacks its digits"),
            ("1.", "after its point"),
            ("1e", "in its exponent"),
            ("\"\n\"", "control character"),
            ("\"\\x\"", "an escape"),
            ("\"\\é\"", "an escape"),
            ("\"\\ud800\"", "no partner"),
            ("\"\\ud800\\u0041\"", "no partner"),
            ("\"\\u00", "four hexadecimal"),
            ("\"a", "does not end"),
            ("nul", "a value is expected"),
            ("\u{feff}{}", "a value is expected"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
        let tower = "[".repeat(100_000);
        assert!(read(&tower).unwrap_err().to_string().contains("levels deep"));
        assert!(read(&"9".repeat(400)).is_err());
    }

    #[test]
    fn keys_are_told_apart_in_large_objects_too() {
        let fields: Vec<String> = (0..1000).map(|i| format!("\"k{i}\":{i}")).collect();
        assert!(read(&format!("{{{}}}", fields.join(","))).is_ok());
        assert!(read(&format!("{{{},\"k7\":0}}", fields.join(","))).is_err());
    }
}
