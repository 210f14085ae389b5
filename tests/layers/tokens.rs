//! Rust's text as tokens, without comments, strings, characters and lifetimes: what is left can name modules.

/// A word, `::`, or a single character of punctuation, and the line that it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The tokens of a file.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { rest: text.chars().collect(), at: 0, line: 1 };
    let mut found = Vec::new();
    while let Some(next) = reader.peek(0) {
        let line = reader.line;
        if next == '/' && reader.peek(1) == Some('/') {
            reader.skip_while(|c| c != '\n');
        } else if next == '/' && reader.peek(1) == Some('*') {
            reader.skip_block_comment();
        } else if next == '"' {
            reader.skip_string();
        } else if next == '\'' {
            reader.skip_character_or_lifetime();
        } else if is_word(next) {
            let word = reader.word();
            if reader.skip_literal_after(&word) {
                continue;
            }
            found.push(Token { text: word, line });
        } else if next == ':' && reader.peek(1) == Some(':') {
            reader.skip(2);
            found.push(Token { text: "::".to_owned(), line });
        } else {
            reader.skip(1);
            if !next.is_whitespace() {
                found.push(Token { text: next.to_string(), line });
            }
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Reader {
    rest: Vec<char>,
    at: usize,
    line: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.line += usize::from(self.peek(0) == Some('\n'));
            self.at += 1;
        }
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.skip(1);
        }
    }

    fn word(&mut self) -> String {
        let start = self.at;
        self.skip_while(is_word);
        self.rest[start..self.at].iter().collect()
    }

    /// Block comments nest.
    fn skip_block_comment(&mut self) {
        let mut depth = 0;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.skip(1);
                    continue;
                }
            }
            self.skip(2);
            if depth == 0 {
                return;
            }
        }
    }

    /// From one quote to the next that is not escaped.
    fn skip_string(&mut self) {
        self.skip(1);
        while let Some(c) = self.peek(0) {
            self.skip(if c == '\\' { 2 } else { 1 });
            if c == '"' {
                return;
            }
        }
    }

    /// `'a'`, `'\n'`, `'\''`, but of `'a` only the quote.
    fn skip_character_or_lifetime(&mut self) {
        if self.peek(1) == Some('\\') {
            self.skip(3);
            self.skip_while(|c| c != '\'');
            self.skip(1);
        } else if self.peek(2) == Some('\'') {
            self.skip(3);
        } else {
            self.skip(1);
            self.skip_while(is_word);
        }
    }

    /// What may follow the prefix of a literal: `r"…"`, `br##"…"##`, `b"…"`, `c"…"`, `b'…'`; or `r#name`, of which the
    /// prefix goes and the name is the next word.
    fn skip_literal_after(&mut self, prefix: &str) -> bool {
        if !["r", "b", "c", "br", "cr"].contains(&prefix) {
            return false;
        }
        let hashes = self.rest[self.at..].iter().take_while(|c| **c == '#').count();
        match (self.peek(hashes), prefix.ends_with('r')) {
            (Some('"'), true) => self.skip_raw_string(hashes),
            (Some('"'), false) if hashes == 0 => self.skip_string(),
            (Some('\''), false) if hashes == 0 && prefix == "b" => self.skip_character_or_lifetime(),
            (Some(c), true) if hashes == 1 && is_word(c) => self.skip(1),
            _ => return false,
        }
        true
    }

    fn skip_raw_string(&mut self, hashes: usize) {
        self.skip(hashes + 1);
        while let Some(c) = self.peek(0) {
            self.skip(1);
            if c == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                self.skip(hashes);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_strings_characters_and_lifetimes_are_left_out() {
        assert_eq!(words("a // b\n/* c /* d */ e */ f"), ["a", "f"]);
        assert_eq!(words(r##"a "crate::b \" c" d r#"e " f"# g b"h" i c"j" k"##), ["a", "d", "g", "i", "k"]);
        assert_eq!(
            words(r"a 'b' c '\'' d '\u{41}' e b'\\' f &'static g '{' h"),
            "a c d e f & g h".split(' ').collect::<Vec<_>>()
        );
        assert_eq!(words("r#type::b"), ["type", "::", "b"]);
    }

    #[test]
    fn every_token_knows_its_line() {
        let lines: Vec<_> =
            tokens("a\n\"b\nc\" d /*\n*/ e").into_iter().map(|token| (token.text, token.line)).collect();
        assert_eq!(lines, [("a".to_owned(), 1), ("d".to_owned(), 3), ("e".to_owned(), 4)]);
    }
}
