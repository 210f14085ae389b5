//! The modules of one crate, and which of them each names, through whatever brings a name in.

use std::collections::BTreeMap;

use crate::source::{Path, Source, read};

/// `["transport", "pool"]`; the crate's root is empty.
pub(crate) type Module = Vec<String>;

/// That a module names another, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: Module,
    pub(crate) to: Module,
    /// `src/transport/pool.rs:12`
    pub(crate) place: String,
}

/// A crate's modules, without those that only tests have.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Each with the names that a `use` in it brings in, and the paths that they stand for.
    modules: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
    paths: Vec<(Module, String, Path)>,
}

impl Tree {
    /// Takes files by their paths below the crate's folder of sources, and their text.
    pub(crate) fn new<'a>(folder: &str, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let sources: Vec<(Module, String, Source)> = files
            .into_iter()
            .map(|(file, text)| (module_of(file), format!("{folder}/{file}"), read(text)))
            .collect();
        let for_tests: Vec<Module> = sources
            .iter()
            .flat_map(|(module, _, source)| {
                source.test_modules.iter().map(|child| [&module[..], child].concat())
            })
            .collect();

        let mut tree = Self::default();
        for (module, file, source) in sources {
            if for_tests.iter().any(|test| module.starts_with(test)) {
                continue;
            }
            for child in source.inline_modules {
                tree.modules.entry([&module[..], &child].concat()).or_default();
            }
            tree.modules.entry(module.clone()).or_default();
            for path in source.paths {
                let within = [&module[..], &path.within].concat();
                if let Some(name) = &path.binding {
                    let names = tree.modules.entry(within.clone()).or_default();
                    names.insert(name.clone(), path.segments.clone());
                }
                tree.paths.push((within, format!("{file}:{}", path.line), path));
            }
        }
        tree
    }

    /// The modules right below the root.
    pub(crate) fn top(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().filter(|module| module.len() == 1).map(|module| module[0].as_str())
    }

    /// What each module names of the others, once for every place; also what lies behind a name that a module on the
    /// way only passes on.
    pub(crate) fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (from, place, path) in &self.paths {
            for to in self.resolve(from, &path.segments, path.binding.as_deref()) {
                let edge = Edge { from: from.clone(), to, place: place.clone() };
                if edge.from != edge.to && !edges.contains(&edge) {
                    edges.push(edge);
                }
            }
        }
        edges
    }

    /// Paths that name an item of the root, which stands above all modules.
    pub(crate) fn through_root(&self) -> Vec<String> {
        let names_item = |(from, place, path): &(Module, String, Path)| {
            let (start, rest) = self.start(from, &path.segments)?;
            let item = rest.first()?;
            let explicit = path.segments.first().is_some_and(|first| first == "crate" || first == "super");
            (explicit
                && start.is_empty()
                && !from.is_empty()
                && !self.modules.contains_key(&vec![item.clone()]))
            .then(|| format!("{place} names `{item}` of the crate's root"))
        };
        self.paths.iter().filter_map(names_item).collect()
    }

    /// The module that a path starts from, and what follows.
    fn start<'a>(&self, from: &Module, segments: &'a [String]) -> Option<(Module, &'a [String])> {
        let first = segments.first()?;
        match first.as_str() {
            "crate" => Some((Module::new(), &segments[1..])),
            "self" => self.start_at(from.clone(), &segments[1..]),
            "super" => self.start_at(from.split_last()?.1.to_vec(), &segments[1..]),
            _ if self.modules.contains_key(&[&from[..], &segments[..1]].concat()) => {
                Some((from.clone(), segments))
            }
            _ => None,
        }
    }

    fn start_at<'a>(&self, module: Module, rest: &'a [String]) -> Option<(Module, &'a [String])> {
        match rest.first() {
            Some(next) if next == "super" => self.start(&module, rest),
            _ => Some((module, rest)),
        }
    }

    /// The modules that a path leads through at its turns, and the one that it ends in.
    fn resolve(&self, from: &Module, segments: &[String], binding: Option<&str>) -> Vec<Module> {
        let mut found = Vec::new();
        self.walk(from, segments, binding, 0, &mut found);
        found
    }

    fn walk(
        &self,
        from: &Module,
        segments: &[String],
        binding: Option<&str>,
        depth: usize,
        found: &mut Vec<Module>,
    ) {
        // What a `use` brought in can be named by its first word; the `use` itself is not to lead to itself.
        let Some((mut at, rest)) = self.start(from, segments) else {
            let Some((first, rest)) = segments.split_first() else { return };
            let brought_in = self.modules.get(from).and_then(|names| names.get(first));
            if let Some(path) =
                brought_in.filter(|path| depth < 8 && binding.is_none() && path.first() != Some(first))
            {
                self.walk(from, &[&path[..], rest].concat(), None, depth + 1, found);
            }
            return;
        };
        for (index, segment) in rest.iter().enumerate() {
            let child = [&at[..], std::slice::from_ref(segment)].concat();
            if self.modules.contains_key(&child) {
                at = child;
                continue;
            }
            let passed_on = self.modules.get(&at).and_then(|names| names.get(segment));
            if let Some(path) = passed_on.filter(|_| depth < 8 && at != *from) {
                self.walk(&at, &[&path[..], &rest[index + 1..]].concat(), Some(segment), depth + 1, found);
            }
            break;
        }
        found.push(at);
    }
}

/// `transport/pool.rs` is `transport::pool`, and so is `transport/pool/mod.rs`; `lib.rs` and `main.rs` are the root.
fn module_of(file: &str) -> Module {
    let mut module: Module = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    match module.last().map(String::as_str) {
        Some("lib" | "main") if module.len() == 1 => module.clear(),
        Some("mod") => drop(module.pop()),
        _ => {}
    }
    module
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `from -> to` for each edge of a tree of files.
    fn edges(files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::new("src", files.iter().copied());
        tree.edges()
            .iter()
            .map(|edge| format!("{} -> {}", edge.from.join("::"), edge.to.join("::")))
            .collect()
    }

    #[test]
    fn names_lead_to_modules_however_they_are_written() {
        let files = [("lib.rs", ""), ("a.rs", ""), ("a/b.rs", ""), ("a/b/c.rs", ""), ("d/mod.rs", "")];
        for (text, wanted) in [
            ("use crate::d::Item;", "a::b -> d"),
            ("use crate::{d::{Item, other}};", "a::b -> d"),
            ("use super::Item;", "a::b -> a"),
            ("use super::super::d;", "a::b -> d"),
            ("use self::c::Item;", "a::b -> a::b::c"),
            ("use c::Item;", "a::b -> a::b::c"),
            ("fn f() { crate::a::b::c::g() }", "a::b -> a::b::c"),
        ] {
            let mut files = files;
            files[2].1 = text;
            assert_eq!(edges(&files), [wanted], "{text}");
        }
        assert_eq!(
            edges(&[("lib.rs", ""), ("a.rs", "use std::d::e; use tonic::Status; fn f() { Vec::new() }")]),
            [""; 0]
        );
    }

    #[test]
    fn a_name_that_is_passed_on_leads_to_where_it_comes_from() {
        let files = [
            ("lib.rs", "pub use a::X;"),
            ("a.rs", "pub(crate) use self::one::X; use crate::b;"),
            ("a/one.rs", ""),
            ("a/two.rs", "use super::X; use super::b::Y; fn f() { b::g() }"),
            ("b.rs", ""),
        ];
        assert_eq!(
            edges(&files),
            [
                " -> a::one",
                " -> a",
                "a -> a::one",
                "a -> b",
                "a::two -> a::one",
                "a::two -> a",
                "a::two -> b"
            ]
        );
    }

    #[test]
    fn what_only_tests_have_is_not_in_the_tree() {
        let files = [
            ("lib.rs", ""),
            ("a.rs", "#[cfg(test)] mod tests;"),
            ("a/tests.rs", "use crate::b::X;"),
            ("b.rs", ""),
        ];
        assert_eq!(edges(&files), [""; 0]);
        assert_eq!(Tree::new("src", files).top().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn an_item_of_the_root_is_seen() {
        let tree =
            Tree::new("src", [("lib.rs", "pub use a::X;"), ("a.rs", ""), ("b.rs", "\nuse crate::{a, X};")]);
        assert_eq!(tree.through_root(), ["src/b.rs:2 names `X` of the crate's root"]);
    }
}
