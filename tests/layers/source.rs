//! What one file declares and names: its modules, what its `use` brings in, and every path; test code left out.

use crate::tokens::{Token, tokens};

/// A path as it is written, `["super", "pool", "Pool"]`, and the module within the file that it is written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) within: Vec<String>,
    pub(crate) segments: Vec<String>,
    /// What a `use` calls it from then on; a path in code has none, nor has a glob.
    pub(crate) binding: Option<String>,
    pub(crate) line: usize,
}

/// What [`read`] finds in a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// Modules written out in this file.
    pub(crate) inline_modules: Vec<Vec<String>>,
    /// Modules in files of their own that only tests have.
    pub(crate) test_modules: Vec<Vec<String>>,
    pub(crate) paths: Vec<Path>,
}

/// Reads a file.
pub(crate) fn read(text: &str) -> Source {
    let mut parser = Parser { tokens: tokens(text), at: 0, scopes: Vec::new(), source: Source::default() };
    while parser.at < parser.tokens.len() {
        parser.step();
    }
    parser.source
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// One for each open brace: the module's name, if it is a module's.
    scopes: Vec<Option<String>>,
    source: Source,
}

impl Parser {
    fn text(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| &token.text)
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |token| token.line)
    }

    fn within(&self) -> Vec<String> {
        self.scopes.iter().flatten().cloned().collect()
    }

    fn step(&mut self) {
        match (self.text(0), self.text(1), self.text(2)) {
            ("#", "[", _) | ("#", "!", "[") => {
                if self.attribute() {
                    self.skip_item();
                }
            }
            // `pub(in crate::a)` names a module without importing from it.
            ("pub", "(", _) => {
                self.at += 1;
                self.skip_group();
            }
            ("mod", name, "{") => {
                let name = name.to_owned();
                self.scopes.push(Some(name));
                let module = self.within();
                self.source.inline_modules.push(module);
                self.at += 3;
            }
            ("{", ..) => {
                self.scopes.push(None);
                self.at += 1;
            }
            ("}", ..) => {
                self.scopes.pop();
                self.at += 1;
            }
            // Not `use<'a>`, which is a bound.
            ("use", next, _) if next != "<" => {
                self.at += 1;
                self.use_tree(&[]);
            }
            (first, "::", _) if !first.is_empty() && first != ">" && !self.follows_path() => self.path(),
            _ => self.at += 1,
        }
    }

    fn follows_path(&self) -> bool {
        self.at > 0 && self.tokens[self.at - 1].text == "::"
    }

    /// Steps over an attribute, and says whether it is for tests only.
    fn attribute(&mut self) -> bool {
        self.at += if self.text(1) == "!" { 2 } else { 1 };
        let start = self.at;
        self.skip_group();
        let words: Vec<_> = self.tokens[start..self.at].iter().map(|token| token.text.as_str()).collect();
        matches!(words[..], ["[", "cfg", "(", "test" | "doctest", ")", "]"])
            || words.starts_with(&["[", "cfg", "(", "all", "(", "test"])
            || words == ["[", "test", "]"]
    }

    /// From an opening bracket to behind the one that closes it.
    fn skip_group(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Steps over what an attribute belongs to: an item, a statement, a field, an arm.
    fn skip_item(&mut self) {
        while self.text(0) == "#" {
            self.attribute();
        }
        if self.text(0) == "pub" {
            self.at += 1;
            if self.text(0) == "(" {
                self.skip_group();
            }
        }
        if self.text(0) == "mod" && self.text(2) == ";" {
            let mut module = self.within();
            module.push(self.text(1).to_owned());
            self.source.test_modules.push(module);
        }
        let is_use = self.text(0) == "use";
        let is_field = self.text(1) == ":";
        loop {
            match self.text(0) {
                "" | "}" | ")" | "]" => return,
                ";" => {
                    self.at += 1;
                    return;
                }
                "," if is_field => return,
                "{" => {
                    self.skip_group();
                    if !is_use {
                        return;
                    }
                }
                "(" | "[" => self.skip_group(),
                _ => self.at += 1,
            }
        }
    }

    /// A path in code: `crate::a::b`, up to what is not a name.
    fn path(&mut self) {
        let line = self.line();
        let mut segments = vec![self.text(0).to_owned()];
        while self.text(1) == "::" && self.text(2).chars().all(|c| c.is_alphanumeric() || c == '_') {
            segments.push(self.text(2).to_owned());
            self.at += 2;
        }
        self.at += 1;
        self.source.paths.push(Path { within: self.within(), segments, binding: None, line });
    }

    /// What stands behind `use`, or between the commas of its braces; ends on `,`, `}` or `;`.
    fn use_tree(&mut self, prefix: &[String]) {
        let mut segments = prefix.to_vec();
        let line = self.line();
        let mut binding = None;
        loop {
            match self.text(0) {
                "," | "}" | ";" | "" => break,
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(0), "}" | "") {
                        self.use_tree(&segments);
                        if self.text(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "as" => {
                    binding = Some(self.text(1).to_owned());
                    self.at += 1;
                }
                "::" | "*" => {
                    if self.text(0) == "*" {
                        binding = Some(String::new());
                    }
                }
                _ => segments.push(self.text(0).to_owned()),
            }
            self.at += 1;
        }
        // `use a::{self}` is `use a`.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        let binding = binding.or_else(|| segments.last().cloned()).filter(|name| !name.is_empty());
        self.source.paths.push(Path { within: self.within(), segments, binding, line });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each path as written, with ` as ` and the name that a `use` gives it.
    fn paths(text: &str) -> Vec<String> {
        let shown = |path: Path| match path.binding {
            Some(binding) => format!("{} as {binding}", path.segments.join("::")),
            None => path.segments.join("::"),
        };
        read(text).paths.into_iter().map(shown).collect()
    }

    #[test]
    fn reads_every_form_of_use() {
        assert_eq!(paths("use crate::a;"), ["crate::a as a"]);
        assert_eq!(
            paths("pub(crate) use crate::{\n    a, // b\n    c::{d as e, self},\n    f::*,\n};"),
            ["crate::a as a", "crate::c::d as e", "crate::c as c", "crate::f"]
        );
        assert_eq!(
            paths("use super::{sibling, super::aunt}; use self::child::X as _;"),
            ["super::sibling as sibling", "super::super::aunt as aunt", "self::child::X as _"]
        );
    }

    #[test]
    fn reads_paths_in_code() {
        assert_eq!(
            paths(
                "fn f(a: &crate::a::A<super::B>) -> T { self::c::d(); $crate::e!(x); Vec::<crate::g::G>::new() }"
            ),
            ["crate::a::A", "super::B", "self::c::d", "crate::e", "Vec", "crate::g::G"]
        );
    }

    #[test]
    fn leaves_out_comments_strings_attributes_and_visibilities() {
        let text = "//! [`crate::a`]\n/* crate::b */ #[doc = \"crate::c\"] pub(in crate::d) fn f() { \"crate::e\"; r#\"crate::f\"# }";
        assert_eq!(paths(text), [""; 0]);
    }

    #[test]
    fn leaves_out_what_only_tests_have() {
        let text = "
            #[cfg(test)] use crate::a::{b, c};
            #[cfg(test)] mod tests { use super::*; fn f() { crate::d::e() } }
            #[cfg(test)] #[path = \"x.rs\"] pub(crate) mod fixtures;
            #[cfg(all(test, unix))] fn g(x: [u8; 3]) { crate::h::i() }
            struct S { #[cfg(test)] field: crate::j::K, other: crate::l::M }
            #[cfg(not(test))] use crate::n;
        ";
        assert_eq!(paths(text), ["crate::l::M", "crate::n as n"]);
        assert_eq!(read(text).test_modules, [["fixtures"]]);
    }

    #[test]
    fn knows_the_module_within_the_file() {
        let source = read("mod a { mod b { use super::c; } fn f() { super::d() } } use e::f;");
        assert_eq!(source.inline_modules, [vec!["a"], vec!["a", "b"]]);
        let within: Vec<_> = source.paths.iter().map(|path| path.within.join("::")).collect();
        assert_eq!(within, ["a::b", "a", ""]);
    }
}
