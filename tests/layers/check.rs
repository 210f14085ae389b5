//! The rules: imports go downwards, siblings make no circle, a file has at most so many lines.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Edge, Module, Tree};

/// How many lines a file may have.
pub(crate) const LINES: usize = 350;

/// Modules of a crate, the lowest floor first; those of one floor may name each other, but in no circle.
pub(crate) type Floors = [&'static [&'static str]];

/// All that is wrong with the modules of a crate.
pub(crate) fn modules(folder: &str, tree: &Tree, floors: &Floors) -> Vec<String> {
    let floor = |module: &str| floors.iter().position(|names| names.contains(&module));
    let mut findings: Vec<String> = tree
        .top()
        .filter(|module| floor(module).is_none())
        .map(|module| format!("{folder}: `{module}` has no floor"))
        .collect();
    findings.extend(tree.through_root());
    let edges = tree.edges();
    for Edge { from, to, place } in &edges {
        if let ([from, ..], [to, ..]) = (&from[..], &to[..])
            && let (Some(own), Some(named)) = (floor(from), floor(to))
            && named > own
        {
            findings.push(format!("{place} imports upwards: `{from}` names `{to}`"));
        }
    }
    findings.extend(circles(folder, &edges));
    findings
}

/// Files that are too long, of paths and texts.
pub(crate) fn lengths<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let long = |(file, text): (&str, &str)| {
        let lines = text.lines().count();
        (lines > LINES).then(|| format!("{file} has {lines} lines, at most {LINES}"))
    };
    files.into_iter().filter_map(long).collect()
}

/// Siblings that name each other in a circle, at every level of the tree.
fn circles(folder: &str, edges: &[Edge]) -> Vec<String> {
    // By parent: which child names which, and the first place where it does.
    let mut levels: BTreeMap<&[String], BTreeMap<(&str, &str), &str>> = BTreeMap::new();
    for Edge { from, to, place } in edges {
        let common = from.iter().zip(to).take_while(|(one, other)| one == other).count();
        if let (Some(one), Some(other)) = (from.get(common), to.get(common)) {
            levels.entry(&from[..common]).or_default().entry((one, other)).or_insert(place);
        }
    }
    let mut findings = Vec::new();
    for (parent, level) in levels {
        for members in strongly_connected(&level) {
            let inside =
                level.iter().filter(|((one, other), _)| members.contains(one) && members.contains(other));
            let named: Vec<_> =
                inside.map(|((one, other), place)| format!("\n    {one} -> {other}  {place}")).collect();
            let parent: Module = [&["crate".to_owned()], parent].concat();
            findings.push(format!(
                "{folder}: a circle of siblings below `{}`:{}",
                parent.join("::"),
                named.concat()
            ));
        }
    }
    findings
}

/// Groups of nodes, each of which leads to all others of its group.
fn strongly_connected<'a>(edges: &BTreeMap<(&'a str, &'a str), &str>) -> BTreeSet<BTreeSet<&'a str>> {
    let nodes: BTreeSet<&str> = edges.keys().flat_map(|(one, other)| [*one, *other]).collect();
    let reached: BTreeMap<&str, BTreeSet<&str>> = nodes
        .iter()
        .map(|start| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![*start]);
            while let Some(node) = open.pop() {
                let next = edges.keys().filter(|(from, _)| *from == node).map(|(_, to)| *to);
                open.extend(next.filter(|to| seen.insert(*to)));
            }
            (*start, seen)
        })
        .collect();
    let group = |node: &&'a str| -> BTreeSet<&'a str> {
        reached[*node].iter().filter(|other| reached[*other].contains(node)).copied().collect()
    };
    nodes.iter().map(group).filter(|members| members.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOORS: &Floors = &[&["low"], &["middle", "beside"], &["high"]];

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        modules("src", &Tree::new("src", files.iter().copied()), FLOORS)
    }

    fn sound() -> Vec<(&'static str, &'static str)> {
        vec![
            ("lib.rs", "pub use high::H;"),
            ("low.rs", ""),
            ("middle.rs", "use crate::low::L;"),
            ("middle/one.rs", "use super::two::T;"),
            ("middle/two.rs", "use super::M;"),
            ("beside.rs", "use crate::middle;"),
            ("high.rs", "use crate::{low, middle::{one, two}};"),
        ]
    }

    /// What is found when a file of the sound tree has another text.
    fn with(file: &str, text: &'static str) -> Vec<String> {
        let mut files = sound();
        files.iter_mut().find(|(name, _)| *name == file).expect("a file of the tree").1 = text;
        findings(&files)
    }

    #[test]
    fn a_sound_tree_has_no_findings() {
        assert_eq!(findings(&sound()), [""; 0]);
    }

    #[test]
    fn an_import_upwards_is_found() {
        let wanted = " imports upwards: `low` names `high`";
        for text in [
            "\nuse crate::high::H;",
            "\nuse super::{high};",
            "\nfn f() { super::high::g() }",
            "\nuse crate::{\nhigh::H};",
        ] {
            let found = findings(&[("lib.rs", ""), ("low.rs", text), ("high.rs", "")]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("src/low.rs:") && found[0].ends_with(wanted), "{found:?}");
        }
        // Where the one above imports too, that is a circle as well.
        assert_eq!(with("low.rs", "use crate::high::H;").len(), 2);
    }

    #[test]
    fn a_circle_of_modules_on_one_floor_is_found() {
        let found = with("middle/one.rs", "use crate::beside::B;");
        assert_eq!(
            found,
            [
                "src: a circle of siblings below `crate`:\n    beside -> middle  src/beside.rs:1\n    middle -> beside  src/middle/one.rs:1"
            ]
        );
    }

    #[test]
    fn a_circle_of_siblings_further_down_is_found() {
        let wanted = "src: a circle of siblings below `crate::middle`:\n    one -> two  src/middle/one.rs:1\n    two -> one  src/middle/two.rs:1";
        for text in [
            "use super::one::O;",
            "use super::{one,\n};",
            "use crate::middle::{one::O};",
            "fn f() { super::one::g() }",
        ] {
            assert_eq!(with("middle/two.rs", text), [wanted], "{text}");
        }
        // Through a name that the parent passes on.
        let mut files = sound();
        files[2].1 = "pub(crate) use self::one::O;";
        files[4].1 = "use super::O;";
        assert_eq!(findings(&files), [wanted]);
    }

    #[test]
    fn a_longer_circle_is_one_finding() {
        let found = findings(&[
            ("lib.rs", ""),
            ("low.rs", ""),
            ("low/a.rs", "use super::b;"),
            ("low/b.rs", "use super::c;"),
            ("low/c.rs", "use super::a;"),
            ("low/d.rs", "use super::a;"),
        ]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("a -> b") && found[0].contains("c -> a") && !found[0].contains("d ->"),
            "{found:?}"
        );
    }

    #[test]
    fn a_module_without_a_floor_and_a_name_of_the_root_are_found() {
        let mut files = sound();
        files.push(("cellar.rs", "use crate::H;"));
        assert_eq!(
            findings(&files),
            ["src: `cellar` has no floor", "src/cellar.rs:1 names `H` of the crate's root"]
        );
    }

    #[test]
    fn a_file_that_is_too_long_is_found() {
        let (fits, long) = ("\n".repeat(LINES), "\n".repeat(LINES + 1));
        assert_eq!(lengths([("a.rs", &fits[..]), ("b.rs", &long[..])]), ["b.rs has 351 lines, at most 350"]);
    }
}
