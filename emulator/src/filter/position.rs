//! Where in the text of a filter a comparison stands: the parser's tree does not say, and an error should.

/// Walks over a filter that has been parsed, comparison by comparison.
#[derive(Debug)]
pub(crate) struct Locator<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Locator<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The place, in bytes, of the next comparison, and goes past it.
    pub(crate) fn next(&mut self) -> usize {
        self.skip_to_comparison();
        let start = self.at;
        self.skip_member();
        self.skip(|c| c.is_whitespace() || "=!<>:".contains(c));
        self.skip_member();
        start
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.at += self.rest().len() - self.rest().trim_start_matches(skipped).len();
    }

    fn skip_to_comparison(&mut self) {
        loop {
            self.skip(|c| c.is_whitespace() || "()-".contains(c));
            let rest = self.rest();
            let keyword = ["AND", "OR", "NOT"].into_iter().find(|keyword| {
                rest.strip_prefix(keyword).is_some_and(|after| after.starts_with(char::is_whitespace))
            });
            let Some(keyword) = keyword else { return };
            self.at += keyword.len();
        }
    }

    /// Values with dots between them.
    fn skip_member(&mut self) {
        loop {
            match self.rest().chars().next() {
                Some(quote @ ('"' | '\'')) => self.skip_string(quote),
                _ => self.skip(|c| !c.is_whitespace() && !".(),\"'=<>!:".contains(c)),
            }
            if !self.rest().starts_with('.') {
                return;
            }
            self.at += 1;
        }
    }

    fn skip_string(&mut self, quote: char) {
        let mut escaped = false;
        let mut length = 0;
        for (place, c) in self.rest().char_indices() {
            length = place + c.len_utf8();
            if place > 0 && c == quote && !escaped {
                break;
            }
            escaped = c == '\\' && !escaped;
        }
        self.at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_found_in_order() {
        let text = r#"  a="x AND \" y" (NOT b.c > "é" OR -d:'*') AND e"#;
        let mut locator = Locator::new(text);
        let starts: Vec<usize> = (0..4).map(|_| locator.next()).collect();
        let found: Vec<&str> = starts.iter().map(|start| &text[*start..=*start]).collect();
        assert_eq!(found, ["a", "b", "d", "e"]);
    }
}
