//! The day of `docs/day.md`, as it is written there.

use std::process::Command;

use crate::support::{Server, directory};

const DAY: &str = include_str!("../../../docs/day.md");
const TRANSCRIPT: &str = r#"{"entries": [
    {"start_timestamp_usec": 1000000, "text": "My parcel is late", "role": "CUSTOMER", "user_id": 1},
    {"start_timestamp_usec": 2000000, "text": "I am sorry to hear that", "role": "AGENT", "user_id": 2}]}"#;

/// The commands of the page, but for those that set the scene.
fn script() -> String {
    let blocks = DAY.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let commands = blocks.map(|(block, _)| block).filter(|block| !block.contains("export "));
    commands.collect()
}

#[cfg(unix)]
#[test]
fn the_day_of_the_docs_runs_as_it_is_written() {
    let buckets = directory();
    std::fs::create_dir_all(buckets.join("calls")).unwrap();
    for call in ["a", "b", "c"] {
        std::fs::write(buckets.join(format!("calls/{call}.json")), TRANSCRIPT).unwrap();
    }
    let server = Server::start(&["--gcs-root", buckets.to_str().unwrap(), "--profile", "immediate"]);
    let script = script();
    assert!(script.matches("cci ").count() >= 15 && !DAY.contains("curl"), "{script}");
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_cci")).parent().unwrap();
    let output = Command::new("sh")
        .args(["-euxc", &script])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .env("CCI_PROJECT", "my-project")
        .env("CCI_LOCATION", "us-central1")
        .env("CONTACTCENTERINSIGHTS_EMULATOR_HOST", &server.address)
        .output()
        .unwrap();
    let (said, printed) =
        (String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap());
    assert!(output.status.success(), "{said}");
    // In the evening nothing is left.
    assert!(printed.ends_with("[]\n"), "{printed}");
    for words in ["\"successfulIngestCount\": 3", "parcels", "DEPLOYED", "IngestConversations", "BulkDelete"]
    {
        assert!(printed.contains(words), "no `{words}` in {printed}");
    }
    std::fs::remove_dir_all(buckets).unwrap();
}
