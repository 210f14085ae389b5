//! The service's own words, in which projects, ids and what a caller said are replaced, and nothing else.

use contact_center_insights::prost_types;

use super::names::{Names, is_number};
use super::words::Words;

/// From how many digits on a number that nobody knows is taken for an id, or for the number of a project.
const LONG: usize = 9;
/// Shorter words of a caller are too likely to be the service's too.
const SHORTEST: usize = 3;

/// What was replaced in a request, and by what.
pub(super) type Said = Vec<(String, String)>;

/// The text of an error.
pub(super) fn message(names: &mut Names, words: &mut Words, said: &Said, text: &str) -> String {
    let text = said
        .iter()
        .filter(|(word, _)| word.chars().count() >= SHORTEST)
        .fold(text.to_owned(), |text, (word, neutral)| replace_word(&text, word, neutral));
    let mut neutral = String::with_capacity(text.len());
    let mut before = String::new();
    for token in tokens(&text) {
        if token.starts_with(is_part) {
            let end = token.trim_end_matches(['.', ':', '/', '-']).len();
            let (word, after) = token.split_at_checked(end).unwrap_or((token, ""));
            neutral.push_str(&replaced(names, words, &before, word));
            neutral.push_str(after);
            word.clone_into(&mut before);
        } else {
            neutral.push_str(token);
        }
    }
    neutral
}

/// What stands for a word, after the word `before`.
fn replaced(names: &mut Names, words: &mut Words, before: &str, word: &str) -> String {
    if let Some(known) = names.known(word).or_else(|| names.name(word)) {
        return known;
    }
    if let Some(at) = word.find("projects/").filter(|at| *at > 0) {
        let (start, name) = word.split_at(at);
        return format!("{start}{}", replaced(names, words, "", name));
    }
    let is_project =
        ["project", "projects"].contains(&before.trim_end_matches(':').to_ascii_lowercase().as_str());
    match word {
        _ if is_number(word) && word.len() >= LONG && is_project => names.project(word),
        _ if is_number(word) && word.len() >= LONG => names.id(word),
        _ if word.contains('@') => words.text(word),
        _ => word.to_owned(),
    }
}

fn is_part(character: char) -> bool {
    character.is_alphanumeric() || "_-./:@~%+#".contains(character)
}

/// The text in pieces of such characters and of others, in turn.
fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|character| is_part(character) != is_part(first)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        found.push(token);
        rest = after;
    }
    found
}

/// Replaces where no letter or digit is beside it.
fn replace_word(text: &str, word: &str, neutral: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(word) {
        let is_inner = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
        let last = before.chars().next_back().or_else(|| made.chars().next_back());
        let is_alone = !is_inner(last) && !is_inner(after.chars().next());
        made.push_str(before);
        made.push_str(if is_alone { neutral } else { word });
        rest = after;
    }
    made + rest
}

/// A filter: fields and operators stay, and of the values those that `is_own` knows as the API's, times and numbers.
pub(super) fn filter(
    names: &mut Names,
    words: &mut Words,
    is_own: &dyn Fn(&str) -> bool,
    text: &str,
) -> String {
    let mut neutral = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let inside = rest.get(1..).unwrap_or_default();
            let end = closing(inside, first);
            let (value, after) = inside.split_at_checked(end).unwrap_or((inside, ""));
            neutral.push(first);
            neutral.push_str(&literal(names, words, is_own, value));
            rest = after;
            if let Some(after) = rest.strip_prefix(first) {
                neutral.push(first);
                rest = after;
            }
            continue;
        }
        let is_word = |character: char| character.is_alphanumeric() || "_-.*/@+".contains(character);
        let end =
            rest.find(|character: char| is_word(character) != is_word(first) || "\"'".contains(character));
        let (token, after) = rest.split_at(end.unwrap_or(rest.len()).max(first.len_utf8()));
        let is_field = after.trim_start().starts_with(['=', '!', '<', '>', ':', '~', '(']);
        neutral.push_str(&match token {
            "AND" | "OR" | "NOT" => token.to_owned(),
            _ if !is_word(first) => token.to_owned(),
            _ if is_field => field(words, token),
            _ => literal(names, words, is_own, token),
        });
        rest = after;
    }
    neutral
}

/// Where the quote ends: before the next that has no backslash before it.
fn closing(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices() {
        if character == quote && !is_escaped {
            return at;
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    text.len()
}

/// The keys of labels are people's own.
fn field(words: &mut Words, path: &str) -> String {
    match path.split_once("labels.") {
        Some((before, key)) => format!("{before}labels.{}", words.text(key)),
        None => path.to_owned(),
    }
}

fn literal(names: &mut Names, words: &mut Words, is_own: &dyn Fn(&str) -> bool, value: &str) -> String {
    let bare = value.trim_end_matches('s');
    let is_time = value.parse::<prost_types::Timestamp>().is_ok();
    let is_short_number = value.len() < LONG && bare.parse::<f64>().is_ok();
    let is_fixed = value == "*" || value == "true" || value == "false" || is_own(value);
    if is_fixed || is_time {
        return value.to_owned();
    }
    if let Some(known) = names.known(value).or_else(|| names.name(value)) {
        return known;
    }
    if is_short_number { value.to_owned() } else { words.uri(value).unwrap_or_else(|| words.text(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &mut Words, text: &str) -> Said {
        vec![(text.to_owned(), words.text(text))]
    }

    #[test]
    fn a_message_keeps_the_words_of_the_service() {
        let (mut names, mut words) = (Names::default(), Words::default());
        let asked = "projects/acme/locations/l/conversations/call-7";
        names.learn(asked, [asked]);
        let said = said(&mut words, "Alice");
        for (text, wanted) in [
            (
                "No conversation found for project 123456789012 and conversation ID call-7.",
                "No conversation found for project PROJECT_NUMBER and conversation ID id-ID_1.",
            ),
            (
                "No view found for project: `123456789012` and view Id: `98765432101`.",
                "No view found for project: `PROJECT_NUMBER` and view Id: `ID_2`.",
            ),
            (
                "IAM permission 'a.b.get' on 'projects/acme/locations/l/views/98765432101' denied.",
                "IAM permission 'a.b.get' on 'projects/PROJECT_ID/locations/l/views/ID_2' denied.",
            ),
            (
                "Current number: 5. Minimum requirement is: 100.",
                "Current number: 5. Minimum requirement is: 100.",
            ),
            ("`Alice` of ops@acme.example knows Alicea", "`Babab` of bab@baba.bababab knows Alicea"),
            ("see https://x.example/projects/acme/y", "see https://x.example/projects/acme/y"),
        ] {
            let neutral = message(&mut names, &mut words, &said, text);
            if text.starts_with("see") {
                assert!(!neutral.contains("acme"), "{neutral}");
            } else {
                assert_eq!(neutral, wanted);
            }
        }
    }

    #[test]
    fn a_filter_keeps_fields_and_what_is_the_apis_own() {
        let (mut names, mut words) = (Names::default(), Words::default());
        let is_own = |word: &str| word == "PHONE_CALL";
        for (text, wanted) in [
            (
                r#"agent_id="alice-7" AND medium="PHONE_CALL""#,
                r#"agent_id="babab-1" AND medium="PHONE_CALL""#,
            ),
            (r#"labels.team="x" labels.vip:*"#, r#"labels.baba="a" labels.bab:*"#),
            (
                r#"create_time > "2026-01-01T00:00:00Z" turn_count>=5"#,
                r#"create_time > "2026-01-01T00:00:00Z" turn_count>=5"#,
            ),
            ("agent_id = alice OR (bob)", "agent_id = babab OR (bad)"),
            (r#"a="un\"quoted' b="c"#, r#"a="ba\"bababa' b="b"#),
            (
                r#"issue="projects/p/locations/l/issueModels/1""#,
                r#"issue="projects/PROJECT_ID/locations/l/issueModels/ID_1""#,
            ),
            ("", ""),
        ] {
            let neutral = filter(&mut names, &mut words, &is_own, text);
            if text.starts_with("a=") {
                assert!(!neutral.contains("quoted"), "{neutral}");
            } else {
                assert_eq!(neutral, wanted);
            }
        }
    }
}
