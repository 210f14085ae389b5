//! `RULES.md` and the tests name each other, completely.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What `RULES.md` says of one rule.
#[derive(Debug, Default)]
struct Rule {
    /// The text between the heading and the list.
    statement: String,
    /// The items of the list, by their first word.
    parts: BTreeMap<String, String>,
}

impl Rule {
    fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }

    /// The tests under `Red` and `Also`.
    fn tests(&self) -> BTreeSet<&str> {
        let quoted =
            ["Red", "Also"].into_iter().flat_map(|part| self.part(part).split('`').skip(1).step_by(2));
        quoted.collect()
    }
}

/// A rule's letter and number: R for the rules of documents, P for what was recorded of the service.
type Id = (char, u32);

/// The sections `### R1` and `### P1` to the last of each, in their order.
fn rules(text: &str) -> Vec<(Id, Rule)> {
    let mut rules: Vec<(Id, Rule)> = Vec::new();
    let mut part = None;
    for line in text.lines() {
        if line.starts_with('#') {
            part = None;
            for letter in ['R', 'P'] {
                let number = line.strip_prefix("### ").and_then(|heading| heading.strip_prefix(letter));
                if let Some(number) = number.and_then(|number| number.parse().ok()) {
                    rules.push(((letter, number), Rule::default()));
                }
            }
            continue;
        }
        let Some((_, rule)) = rules.last_mut() else { continue };
        if let Some((name, said)) = line.strip_prefix("- ").and_then(|item| item.split_once(": ")) {
            rule.parts.insert(name.to_owned(), said.to_owned());
            part = Some(name.to_owned());
        } else if let Some(said) = part.as_ref().and_then(|part| rule.parts.get_mut(part)) {
            said.push(' ');
            said.push_str(line.trim());
        } else {
            rule.statement.push_str(line.trim());
        }
    }
    rules
}

/// The names of the functions that are marked as tests.
fn tests(source: &str) -> Vec<String> {
    let (mut found, mut is_marked) = (Vec::new(), false);
    for line in source.lines().map(str::trim) {
        is_marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let Some((before, after)) = line.split_once("fn ") else { continue };
        if is_marked && ["", "async "].contains(&before) {
            found.push(after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            is_marked = false;
        }
    }
    found
}

/// The rules that the name of a test begins with: 1 and 3 of `r01_r03_x`, 12 to 18 of `r12_to_r18_x`.
fn numbers(test: &str) -> Vec<Id> {
    let (mut found, mut is_range): (Vec<Id>, bool) = (Vec::new(), false);
    for word in test.split('_') {
        let id = ['r', 'p'].into_iter().find_map(|letter| {
            let digits = word.strip_prefix(letter).filter(|digits| digits.len() == 2)?;
            Some((letter.to_ascii_uppercase(), digits.parse::<u32>().ok()?))
        });
        match (id, found.last().copied()) {
            (Some((letter, last)), Some((_, first))) if is_range => {
                found.extend((first + 1..=last).map(|number| (letter, number)));
                is_range = false;
            }
            (Some(id), _) => found.push(id),
            (None, Some(_)) if ["to", "and"].contains(&word) => is_range = word == "to",
            (None, _) => break,
        }
    }
    found
}

/// What the rules and the tests do not agree on.
fn disagreements(rules: &[(Id, Rule)], tests: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut last: BTreeMap<char, u32> = BTreeMap::new();
    for (id, rule) in rules {
        let (letter, number) = *id;
        let wanted = last.get(&letter).map_or(1, |last| last + 1);
        last.insert(letter, number);
        let name = format!("{letter}{number}");
        if number != wanted {
            found.push(format!("{name} stands where {letter}{wanted} is expected"));
        }
        for part in ["Source", "Break", "Red"] {
            if rule.part(part).is_empty() {
                found.push(format!("{name} has no `{part}`"));
            }
        }
        if rule.statement.is_empty() {
            found.push(format!("{name} says nothing"));
        }
        if !["(must)", "(should)", "(guess)"].iter().any(|weight| rule.part("Source").ends_with(weight)) {
            found.push(format!("{name} does not say how firm it is"));
        }
        let named = rule.tests();
        if named.is_empty() {
            found.push(format!("{name} names no test"));
        }
        let missing = named.iter().filter(|test| !tests.contains(**test));
        found.extend(missing.map(|test| format!("{name} names `{test}`, which does not exist")));
        let unlisted =
            tests.iter().filter(|test| numbers(test).contains(id) && !named.contains(test.as_str()));
        found.extend(unlisted.map(|test| format!("{name} does not name `{test}`")));
    }
    for (test, id) in tests.iter().flat_map(|test| numbers(test).into_iter().map(move |id| (test, id))) {
        if !rules.iter().any(|(rule, _)| *rule == id) {
            let (letter, number) = id;
            found.push(format!("`{test}` tests {letter}{number}, which RULES.md does not have"));
        }
    }
    found
}

/// What the table of P rules does not agree on with the rules, and with the files that it names.
fn table_disagreements(
    markdown: &str,
    rules: &[(Id, Rule)],
    files: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let rows = markdown.lines().filter(|line| line.starts_with("| P")).map(|line| {
        let cells: Vec<&str> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        cells
    });
    let rows: BTreeMap<String, Vec<&str>> = rows.map(|cells| (cells[0].to_owned(), cells)).collect();
    let mut found = Vec::new();
    for ((_, number), rule) in rules.iter().filter(|((letter, _), _)| *letter == 'P') {
        let Some([name, test, file, guess]) = rows.get(&format!("P{number}")).map(Vec::as_slice) else {
            found.push(format!("P{number} is not in the table"));
            continue;
        };
        if !rule.tests().contains(test) {
            found.push(format!("{name} of the table names `{test}`, and the rule does not"));
        }
        if !files.get(*file).is_some_and(|tests| tests.iter().any(|found| found == test)) {
            found.push(format!("{name} of the table: `{test}` is not in `{file}`"));
        }
        let wanted = match (rule.part("Source").ends_with("(guess)"), rule.statement.contains("Guess:")) {
            (true, _) => "yes",
            (false, true) => "in part",
            (false, false) => "no",
        };
        if *guess != wanted {
            found.push(format!("{name} of the table is a guess: {guess}, where {wanted} is right"));
        }
    }
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn each_rule_names_its_tests_and_each_test_its_rule() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(package.join("tests/rules/RULES.md")).unwrap();
    let rules = rules(&text);
    let files = ["src", "tests"].into_iter().flat_map(|folder| sources(&package.join(folder)));
    let files: BTreeMap<String, Vec<String>> = files
        .map(|file| {
            let name = file.strip_prefix(package).unwrap().to_str().unwrap().replace('\\', "/");
            (name, tests(&fs::read_to_string(file).unwrap()))
        })
        .collect();
    let tests: BTreeSet<String> = files.values().flatten().cloned().collect();
    let mut found = disagreements(&rules, &tests);
    found.extend(table_disagreements(&text, &rules, &files));
    assert!(found.is_empty(), "{}", found.join("\n"));
    let numbered = tests.iter().filter(|test| !numbers(test).is_empty()).count();
    assert!(rules.len() > 50 && numbered > 80, "only {} rules and {numbered} tests found", rules.len());
}

#[test]
fn the_check_sees_what_it_must() {
    assert_eq!(numbers("r01_r03_x_r05"), [('R', 1), ('R', 3)]);
    assert_eq!(numbers("r12_to_r14_x"), [('R', 12), ('R', 13), ('R', 14)]);
    assert_eq!(numbers("p01_to_p02_and_p09_x_p10"), [('P', 1), ('P', 2), ('P', 9)]);
    assert!(numbers("reads_go_on").is_empty() && numbers("r2d2").is_empty());
    let source = "#[test]\nfn r01_a() {\n    fn helper() {}\n}\n#[tokio::test]\n#[ignore]\nasync fn r02_b() {}\nfn r03_c() {}";
    assert_eq!(tests(source), ["r01_a", "r02_b"]);

    let whole = "# Rules\n### R1\n\nIt\nholds.\n\n- Source: x (must)\n- Break: y\n- Red: `r01_a`,\n  `other`\n- Also: `r01_b`\n";
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let all = of(&["r01_a", "r01_b", "other"]);
    assert_eq!(disagreements(&rules(whole), &all), [""; 0]);
    for (text, tests, wanted) in [
        (whole.replace("(must)", "(may)"), all.clone(), "R1 does not say how firm it is"),
        (whole.replace("- Break: y\n", ""), all.clone(), "R1 has no `Break`"),
        (whole.replace("It\nholds.\n", ""), all.clone(), "R1 says nothing"),
        (whole.replace("R1", "R2"), all.clone(), "R2 stands where R1 is expected"),
        (whole.replace("- Also: `r01_b`\n", ""), all.clone(), "R1 does not name `r01_b`"),
        (whole.to_owned(), of(&["r01_a", "r01_b"]), "R1 names `other`, which does not exist"),
        (
            whole.to_owned(),
            of(&["r01_a", "r01_b", "other", "r02_c"]),
            "`r02_c` tests R2, which RULES.md does not have",
        ),
    ] {
        let found = disagreements(&rules(&text), &tests);
        assert!(found.iter().any(|found| found == wanted), "{wanted}: {found:?}");
    }
}
