//! Every `curl` of the documentation is carried out, in the order in which a reader meets them.
//!
//! The command is taken apart here, and the request sent as curl would send it: this runs where there is no curl, and no
//! word of the documentation reaches a shell.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights_emulator::ManualClock;
use serde_json::Value;
use support::World;

/// A command: what is sent, and into which file the answer goes.
#[derive(Debug, Default)]
struct Curl {
    verb: Option<String>,
    url: String,
    headers: Vec<(String, String)>,
    data: Option<String>,
    out: Option<String>,
}

/// The words of a line as a shell has them: in quotes, or between blanks.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let text = word.get_or_insert_default();
                text.extend(chars.by_ref().take_while(|inner| *inner != c));
            }
            c if c.is_whitespace() => words.extend(word.take()),
            '#' if word.is_none() => break,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

impl Curl {
    fn read(line: &str) -> Self {
        let mut curl = Self::default();
        let mut words = words(line).into_iter().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{line}: {word} has no value"));
            match word.as_str() {
                "-H" | "--header" => {
                    let header = value();
                    let (name, value) = header.split_once(": ").unwrap();
                    curl.headers.push((name.to_owned(), value.to_owned()));
                }
                "-d" | "--data" | "--data-binary" => curl.data = Some(value()),
                "-X" | "--request" => curl.verb = Some(value()),
                "-o" | "--output" | ">" => curl.out = Some(value()),
                "-s" | "--silent" | "-f" | "--fail" => {}
                word if word.starts_with('>') => curl.out = Some(word[1..].to_owned()),
                word if word.starts_with('-') => panic!("{line}: {word} is not known here"),
                _ => curl.url = word,
            }
        }
        curl
    }

    async fn run(&self, world: &World, folder: &Path) -> (u16, Value) {
        let data = self.data.as_ref().map(|data| match data.strip_prefix('@') {
            Some(file) => fs::read(folder.join(file)).unwrap(),
            None => data.clone().into_bytes(),
        });
        let verb = self.verb.as_deref().unwrap_or(if data.is_some() { "POST" } else { "GET" });
        // Wherever the reader's server is: an emulator, a recorder before the service, or the service.
        let (_, rest) = self.url.split_once("://").unwrap();
        let path = rest.split_once('/').unwrap().1;
        let url = format!("{}/{path}", world.emulator.endpoint());
        let mut request = world.http.request(verb.parse().unwrap(), url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(data) = data {
            if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                request = request.header("content-type", "application/x-www-form-urlencoded");
            }
            request = request.body(data);
        }
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        let text = reply.text().await.unwrap();
        if let Some(out) = &self.out {
            fs::write(folder.join(out), &text).unwrap();
        }
        (status, serde_json::from_str(&text).unwrap())
    }
}

/// The commands of a page, each on a line of its own.
fn curls(page: &str) -> Vec<String> {
    let text = page.replace("\\\n", " ");
    let mut is_shell = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_shell = !is_shell && line.trim() == "```sh";
        } else if is_shell && line.trim_start().starts_with("curl ") {
            found.push(line.trim().to_owned());
        } else {
            assert!(!line.trim_start().starts_with("curl "), "not in a block of the shell: {line}");
        }
    }
    found
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = docs.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect();
    pages.extend(
        ["README.md", "emulator/README.md", "cli/README.md", "src/guide.md"].map(|page| root.join(page)),
    );
    pages
}

#[tokio::test]
async fn every_curl_of_the_documentation_works() {
    let mut count = 0;
    for page in pages() {
        let builder = support::builder().with_clock(ManualClock::default());
        let world = World::of(builder.start().await.unwrap());
        // What the reader puts names of his own in place of.
        let name = "projects/PROJECT_ID/locations/us-central1/operations/OPERATION_ID".to_owned();
        world.emulator.put_operation(Operation { name, ..Operation::default() }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for line in curls(&fs::read_to_string(&page).unwrap()) {
            let (status, answer) = Curl::read(&line).run(&world, folder.path()).await;
            assert_eq!(status, 200, "{}: {line}\n{answer}", page.display());
            count += 1;
        }
    }
    assert!(count >= 12, "only {count} found: the test has gone blind");
}

#[test]
fn commands_are_taken_apart_as_a_shell_does() {
    let curl = Curl::read(r#"curl -X PUT -H "a: b c" --data '{"x": "1 #"}' http://h:1/p >f.json  # words"#);
    assert_eq!((curl.verb.as_deref(), curl.url.as_str()), (Some("PUT"), "http://h:1/p"));
    assert_eq!(curl.headers, [("a".to_owned(), "b c".to_owned())]);
    assert_eq!((curl.data.as_deref(), curl.out.as_deref()), (Some(r#"{"x": "1 #"}"#), Some("f.json")));
    let page = "x\n```sh\nls\ncurl \\\n  http://h/p\n```\n```text\nno\n```\n";
    assert_eq!(curls(page), ["curl    http://h/p"]);
}
