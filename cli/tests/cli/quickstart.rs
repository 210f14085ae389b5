//! `cci quickstart`: with nothing set up, and whatever is set up.

use serde_json::Value;

use crate::support::{OUTPUTS, cci_in};

/// What must not matter: an emulator that is not there, credentials that are not there.
const NOISE: [(&str, &str); 3] = [
    ("CONTACTCENTERINSIGHTS_EMULATOR_HOST", "127.0.0.1:1"),
    ("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json"),
    ("CCI_ACCESS_TOKEN", "planted"),
];

#[test]
fn it_ends_in_a_finished_operation_in_every_output() {
    for output in OUTPUTS {
        let run = cci_in(&NOISE, &["quickstart", "--profile", "polls:2", "-o", output]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let name = run.stderr.lines().find_map(|line| line.strip_prefix("training")).unwrap().trim();
        let printed: Value = match output {
            "json" => serde_json::from_str(&run.stdout).unwrap(),
            "yaml" => serde_saphyr::from_str(&run.stdout).unwrap(),
            "table" => {
                assert!(run.stdout.contains(name) && run.stdout.contains("SUCCEEDED"), "{}", run.stdout);
                continue;
            }
            _ => {
                assert_eq!(run.stdout, format!("{name}\n"));
                continue;
            }
        };
        assert_eq!((&printed["name"], &printed["done"]), (&name.into(), &true.into()));
        assert_eq!(printed["response"]["state"], "UNDEPLOYED");
        assert_eq!(
            printed["metadata"]["request"]["issueModel"]["inputDataConfig"]["trainingConversationsCount"],
            "36"
        );
    }
}

#[test]
fn it_says_what_it_does_without_a_bar_and_what_to_do_next() {
    let run = cci_in(&[], &["quickstart", "--profile", "immediate"]);
    let first: Vec<&str> = run.stderr.lines().filter_map(|line| line.split(' ').next()).take(4).collect();
    assert_eq!(first, ["emulator", "created", "training", "ended"]);
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains('\r'), "{}", run.stderr);
    assert!(run.stderr.contains("cci emulator") && run.stderr.contains("operations watch"), "{}", run.stderr);
    assert!(!run.stderr.contains("curl"), "{}", run.stderr);
}

#[test]
fn a_scripted_failure_is_a_failure() {
    let run = cci_in(&[], &["quickstart", "--profile", "polls:1,fail=INTERNAL:on purpose", "-o", "json"]);
    assert_eq!(run.code, 5);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap()["error"]["message"], "on purpose");
    assert!(run.stderr.contains("ended with INTERNAL: on purpose"), "{}", run.stderr);
}
