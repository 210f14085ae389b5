//! Operations and JSON: any bytes as an operation, any text as JSON of any message; what is read is printed and read again.
#![no_main]

use contact_center_insights::json::{self, Enums, Printer, Reader};
use contact_center_insights::lro::Handle;
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights_fuzz::{parts, text};
use libfuzzer_sys::{Corpus, fuzz_target};
use prost::Message as _;

const MESSAGES: [&str; 8] = [
    "google.longrunning.Operation",
    "google.cloud.contactcenterinsights.v1.Conversation",
    "google.cloud.contactcenterinsights.v1.Analysis",
    "google.cloud.contactcenterinsights.v1.IssueModel",
    "google.cloud.contactcenterinsights.v1.CreateIssueModelMetadata",
    "google.cloud.contactcenterinsights.v1.QueryMetricsResponse",
    "google.rpc.Status",
    "google.protobuf.Struct",
];

/// What was read of JSON stays the same when it is printed and read again.
fn round(name: &str, bytes: &[u8]) {
    let Ok(value) = json::from_bytes(name, bytes, Enums::Names) else { return };
    let again = json::to_bytes(name, &value).expect("what was printed can be read");
    let printed = json::from_bytes(name, &again, Enums::Names).expect("and printed");
    assert_eq!(printed, value, "{name}");
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((kind, data)) = data.split_first() else { return Corpus::Reject };
    let name = MESSAGES[usize::from(kind & 7)];
    match kind >> 6 {
        0 => {
            if let Ok(operation) = Operation::decode(data) {
                let _ = format!("{operation:?}");
                if let Ok(value) = json::from_operation(&operation) {
                    let again = json::to_operation(&value).expect("what was printed can be read");
                    assert_eq!(json::from_operation(&again).expect("and printed"), value);
                }
            }
            let [first, second] = parts(data);
            let _ = (serde_json::from_slice::<Handle>(first), serde_json::from_slice::<Handle>(second));
        }
        1 => {
            round(name, data);
            let _ = Printer::new().pretty(true).text(name, data);
        }
        2 => {
            if let Ok(read) = Reader::new().ignore_unknown(true).bytes(name, text(data)) {
                round(name, &read.value);
            }
        }
        _ => {
            let strict = Reader::new().bytes(name, text(data));
            if let Ok(read) = strict {
                round(name, &read.value);
            }
        }
    }
    Corpus::Keep
});
