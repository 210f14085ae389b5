//! Where names and endpoints come from if the command line does not say: flags, variables, the configuration, gcloud.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{PARENT, Run, Server, cci_in, directory, file, name, running, succeeded};

/// A home folder of its own.
fn home() -> PathBuf {
    let home = directory();
    fs::create_dir(&home).unwrap();
    home
}

fn at(home: &Path, more: &[(&str, &str)], arguments: &[&str]) -> Run {
    let variables = [&[("HOME", home.to_str().unwrap())], more].concat();
    cci_in(&variables, arguments)
}

fn config(home: &Path, arguments: &[&str]) -> Run {
    let run = at(home, &[], &[&["config"], arguments].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    run
}

/// Which value counts, and what it comes from.
fn counts(home: &Path, more: &[(&str, &str)], key: &str) -> (Value, String) {
    let run = at(home, more, &["config", "list", "-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let rows: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let row = rows.into_iter().find(|row| row["name"] == key).unwrap();
    (row["value"].clone(), row["source"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn the_first_that_says_something_counts() {
    let home = home();
    let gcloud = home.join(".config/gcloud/configurations");
    fs::create_dir_all(&gcloud).unwrap();
    fs::write(gcloud.join("config_default"), "[core]\nproject = of-gcloud\n").unwrap();
    assert_eq!(counts(&home, &[], "project"), (json!("of-gcloud"), "gcloud's configuration default".into()));
    let google = ("GOOGLE_CLOUD_PROJECT", "of-google");
    assert_eq!(counts(&home, &[google], "project"), (json!("of-google"), "GOOGLE_CLOUD_PROJECT".into()));
    config(&home, &["set", "project", "of-profile"]);
    let (value, source) = counts(&home, &[google], "project");
    assert_eq!(value, "of-profile");
    assert!(source.starts_with("the profile default of ") && source.ends_with("cci/config.toml"), "{source}");
    let text = at(&home, &[], &["config", "list"]).stdout;
    assert!(text.starts_with("project            of-profile  (the profile default of "), "{text}");
    assert!(text.contains("location           not set\n") && text.contains("(default)\n"), "{text}");
    let own = ("CCI_PROJECT", "of-cci");
    assert_eq!(counts(&home, &[google, own], "project"), (json!("of-cci"), "CCI_PROJECT".into()));
    // A flag wins over all; the request shows what came of it.
    let dry = ["call", "ListViews", "--location", "us", "--dry-run"];
    let run = at(&home, &[google, own], &[&dry[..], &["--project", "of-flag"]].concat());
    assert!(run.stdout.contains("projects/of-flag/locations/us"), "{}", run.stdout);
    let run = at(&home, &[google], &dry);
    assert!(run.stdout.contains("projects/of-profile/locations/us"), "{}", run.stdout);
    assert_eq!(counts(&home, &[], "location"), (Value::Null, String::new()));
}

#[test]
fn an_id_alone_and_nothing_at_all_do_for_operations() {
    let server = Server::with_operations(&[succeeded("1"), running("2")]);
    let home = home();
    config(&home, &["set", "project", "7"]);
    config(&home, &["set", "location", "us"]);
    config(&home, &["set", "endpoint", &server.endpoint]);
    for verb in ["get", "wait", "cancel"] {
        let run = at(&home, &[], &["operations", verb, "1", "-o", "name"]);
        assert_eq!((run.code, run.stdout), (0, name("1") + "\n"), "{}", run.stderr);
    }
    let run = at(&home, &[], &["operations", "list", "-o", "name"]);
    assert_eq!((run.code, run.stdout.lines().count()), (0, 2), "{}", run.stderr);
    let run = at(&home, &[], &["operations", "get", "1", "--location", "eu"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("projects/7/locations/eu"), "{}", run.stderr);
    // What the profile says need not be in a suggested command.
    let run = at(&home, &[], &["operations", "wait", "2", "--timeout", "0"]);
    assert!(run.stderr.trim_end().ends_with(&format!("operations wait {}", name("2"))), "{}", run.stderr);
    config(&home, &["set", "output", "name"]);
    let run = at(&home, &[], &["operations", "get", "1"]);
    assert_eq!(run.stdout, name("1") + "\n", "{}", run.stderr);
    let run = at(&home, &[], &["operations", "get", "1", "-o", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), succeeded("1"));
}

#[test]
fn what_lacks_is_asked_for() {
    let run = cci_in(&[], &["operations", "get", "1"]);
    assert_eq!(run.code, 2);
    for words in ["which project?", "--project ID", "CCI_PROJECT", "cci config set project"] {
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
    }
    let run = cci_in(&[("CCI_PROJECT", "p")], &["operations", "list"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("which location?") && run.stderr.contains("CCI_LOCATION"), "{}", run.stderr);
    let run = cci_in(&[("CCI_PROJECT", "projects/p"), ("CCI_LOCATION", "us")], &["operations", "list"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`projects/p`, of CCI_PROJECT, is not the id"), "{}", run.stderr);
}

#[test]
fn profiles_are_made_used_and_named() {
    let home = home();
    config(&home, &["set", "project", "a"]);
    config(&home, &["set", "project", "b", "--profile", "work"]);
    assert_eq!(counts(&home, &[], "project").0, "a");
    assert_eq!(counts(&home, &[("CCI_PROFILE", "work")], "project").0, "b");
    let dry = ["call", "ListViews", "--location", "us", "--dry-run", "--profile", "work"];
    assert!(at(&home, &[], &dry).stdout.contains("projects/b/"));
    config(&home, &["use", "work"]);
    assert_eq!(counts(&home, &[], "project").0, "b");
    assert_eq!(config(&home, &["use", "-o", "jq=.[] | select(.active) | .name"]).stdout, "work\n");
    assert_eq!(config(&home, &["get", "project"]).stdout, "b\n");
    config(&home, &["unset", "project"]);
    let run = at(&home, &[], &["config", "get", "project"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let run = at(&home, &[], &["config", "use", "nowhere"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("profile `nowhere`, which `cci config use` asks for, does not exist")
            && run.stderr.contains("work"),
        "{}",
        run.stderr
    );
    let run = at(&home, &[], &["operations", "list", "--profile", "nowhere"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("which --profile asks for"), "{}", run.stderr);
}

#[test]
fn what_cannot_be_kept_is_refused_with_the_choices() {
    let home = home();
    for (arguments, words) in [
        (["set", "projct", "p"], "the keys are project, location, endpoint"),
        (["set", "endpoint", "ftp://x"], "cannot be the endpoint"),
        (["set", "request-timeout", "0"], "`none` for no limit"),
        (["set", "output", "xml"], "the formats are json"),
        (["set", "project", "a b"], "cannot be the project"),
    ] {
        let run = at(&home, &[], &[&["config"], &arguments[..]].concat());
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
    }
    assert!(!home.join(".config").exists());
}

#[test]
fn a_broken_file_is_told_with_its_line_and_only_where_it_is_needed() {
    let server = Server::with_operations(&[succeeded("1")]);
    let broken = file("[profiles.default]\nproject = \n");
    let variables = [("CCI_CONFIG", broken.to_str().unwrap())];
    let run = cci_in(&variables, &["operations", "list"]);
    assert_eq!(run.code, 2);
    for words in ["is not TOML: line 2", broken.to_str().unwrap(), "help: mend line 2"] {
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
    }
    // Everything is said: the file is not read.
    let all =
        ["--endpoint", &server.endpoint, "--request-timeout", "30s", "-o", "name", "--access-token-file"];
    let token = file("t");
    let run = cci_in(
        &variables,
        &[&["operations", "get", &name("1")], &all[..], &[token.to_str().unwrap()]].concat(),
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    // It is not written over either.
    let run = cci_in(&variables, &["config", "set", "project", "p"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(fs::read_to_string(&broken).unwrap().contains("project = \n"));
    let bad = file("[profiles.default]\nrequest-timeout = \"soon\"\n");
    let run = cci_in(
        &[("CCI_CONFIG", bad.to_str().unwrap())],
        &["operations", "get", &name("1"), "--endpoint", &server.endpoint],
    );
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("cannot use request-timeout")
            && run.stderr.contains("cci config set request-timeout"),
        "{}",
        run.stderr
    );
}

#[test]
fn every_duration_takes_every_form() {
    let server = Server::with_operations(&[succeeded("1")]);
    for limit in ["1h30m", "1.5s", "1d", "90", "500ms", "none"] {
        let run = server.operations(&["get", &name("1"), "--request-timeout", limit, "-o", "name"]);
        assert_eq!(run.code, 0, "{limit}: {}", run.stderr);
    }
    for duration in ["1h30m", "1.5s", "1d", "90", "500ms"] {
        for flag in ["--timeout", "--interval", "--max-outage"] {
            let run = server.operations(&["wait", &name("1"), flag, duration, "-o", "name"]);
            assert_eq!(run.code, 0, "{flag} {duration}: {}", run.stderr);
        }
    }
    let run = server.operations(&["list", PARENT, "--request-timeout", "5 minutes"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("such as 500ms, 1.5s, 5m, 1h30m or 1d"), "{}", run.stderr);
}
