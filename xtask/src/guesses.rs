//! Lists the emulator's guesses in `docs/emulator-errors.md`, from its `RULES.md`, and holds the reasons there against the
//! source.

const BEGIN: &str =
    "<!-- guesses: written by `cargo xtask emulator-docs` from emulator/tests/rules/RULES.md -->\n";
const END: &str = "<!-- end of guesses -->\n";

/// The page with its list of guesses as `rules` has them.
pub(crate) fn page(page: &str, rules: &str) -> Result<String, String> {
    let lost = || format!("the page has no lines {BEGIN}and {END}");
    let (before, rest) = page.split_once(BEGIN).ok_or_else(lost)?;
    let (_, after) = rest.split_once(END).ok_or_else(lost)?;
    let guesses = guesses(rules);
    if guesses.is_empty() {
        return Err("no rule is a guess: RULES.md has another form".to_owned());
    }
    let lines: String =
        guesses.iter().flat_map(|(id, how, text)| ["| ", id, " | ", how, " | ", text, " |\n"]).collect();
    Ok(format!(
        "{before}{BEGIN}\n| rule | a guess | what the emulator does |\n|---|---|---|\n{lines}\n{END}{after}"
    ))
}

/// Number, how much of it is a guess, and the text of each rule that is one.
fn guesses(rules: &str) -> Vec<(String, &'static str, String)> {
    let mut found = Vec::new();
    for section in rules.split("\n### ").skip(1) {
        let (id, body) = section.split_once('\n').unwrap_or((section, ""));
        let (text, list) = body.split_once("\n- Source:").unwrap_or((body, ""));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
        let source = list.lines().next().unwrap_or_default();
        if source.contains("(guess)") {
            found.push((id.to_owned(), "yes", text));
        } else if text.contains("Guess:") {
            found.push((id.to_owned(), "in part", text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn read(path: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
    }

    #[test]
    fn rules_say_whether_they_are_guesses() {
        let rules = "# Rules\n\n### R1\n\nSure.\n\n- Source: AIP (must)\n\n### R2\n\nA\nb. Guess: c.\n\n- Source: AIP (must)\n\
                     \n### P3\n\nAll.\n\n- Source: none (guess)\n- Break: x\n";
        let found = guesses(rules);
        assert_eq!(
            found,
            [
                ("R2".to_owned(), "in part", "A b. Guess: c.".to_owned()),
                ("P3".to_owned(), "yes", "All.".to_owned())
            ]
        );
    }

    #[test]
    fn the_guesses_are_current() {
        let written = read("docs/emulator-errors.md");
        let expected = page(&written, &read("emulator/tests/rules/RULES.md")).unwrap();
        assert!(expected == written, "write it anew: cargo xtask emulator-docs");
    }

    /// The rules that RULES.md's own table calls guesses are all there.
    #[test]
    fn no_guess_of_the_table_is_left_out() {
        let rules = read("emulator/tests/rules/RULES.md");
        let listed: BTreeSet<_> = guesses(&rules).into_iter().map(|(id, ..)| id).collect();
        let mut count = 0;
        for row in rules.lines().filter(|line| line.starts_with("| P")) {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let is_guess = cells[4] != "no";
            assert_eq!(listed.contains(cells[1]), is_guess, "{row}");
            count += usize::from(is_guess);
        }
        assert!(count > 5, "the table has another form");
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("tests.rs") {
                found.push(path);
            }
        }
    }

    /// The constants in capitals that stand in arguments of what makes errors, before the unit tests of a file.
    fn reasons() -> BTreeSet<String> {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../emulator/src"), &mut files);
        let mut found = BTreeSet::new();
        for file in files {
            let text = fs::read_to_string(file).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for maker in ["with_reason(", "precondition(", "quota(", "invalid_fields("] {
                for arguments in code.split(maker).skip(1) {
                    let first = arguments.splitn(4, ',').take(3).collect::<Vec<_>>().join(",");
                    let reason = first.split('"').nth(1).unwrap_or_default();
                    let is_reason =
                        reason.len() > 3 && reason.chars().all(|c| c.is_ascii_uppercase() || c == '_');
                    found.extend(is_reason.then(|| reason.to_owned()));
                }
            }
        }
        found
    }

    #[test]
    fn the_reasons_of_errors_are_those_of_the_source() {
        let page = read("docs/emulator-errors.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let listed: BTreeSet<_> = rows.map(|(reason, _)| reason.to_owned()).collect();
        let missing: Vec<_> = reasons().into_iter().filter(|reason| !listed.contains(reason)).collect();
        assert!(missing.is_empty(), "docs/emulator-errors.md lacks {missing:?}");
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../emulator/src"), &mut files);
        let source: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        for reason in listed {
            assert!(source.contains(&format!("\"{reason}\"")), "the emulator gives no {reason}");
        }
    }
}
