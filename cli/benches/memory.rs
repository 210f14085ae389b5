//! What memory `cci emulator` has: empty, at its most while transcripts of 1.7 and 3 MB are uploaded and analysed three times
//! each, and two seconds after all of it is deleted and the emulator reset. Linux alone tells.
//!
//! ```sh
//! cargo bench --package contact-center-insights-cli --bench memory
//! ```

mod support;

use std::error::Error;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use support::Emulator;

const PARENT: &str = "projects/p/locations/us-central1";
const SIZES: [usize; 2] = [1_700_000, 3_000_000];
const ANALYSES: usize = 3;
/// An allocator may give memory back a little later than it is freed.
const LATER: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn Error>> {
    let bucket = tempfile::tempdir()?;
    fs::create_dir(bucket.path().join("b"))?;
    let emulator = Emulator::start("--gcs-root", bucket.path())?;
    if emulator.kib("VmRSS:").is_none() {
        println!("memory skipped: this system does not tell");
        return Ok(());
    }
    let idle = emulator.mib("VmRSS:");
    for (number, size) in SIZES.into_iter().enumerate() {
        fs::write(bucket.path().join("b").join(format!("{number}.json")), transcript(size))?;
        let source = json!({ "gcsSource": { "transcriptUri": format!("gs://b/{number}.json") } });
        let upload =
            json!({ "conversation": { "dataSource": source }, "conversationId": format!("call-{number}") });
        emulator.run(&format!("{PARENT}/conversations:upload"), &upload)?;
        for _ in 0..ANALYSES {
            emulator.run(&format!("{PARENT}/conversations/call-{number}/analyses"), &json!({}))?;
        }
        emulator.call("GET", &format!("/v1/{PARENT}/conversations/call-{number}"), "")?;
    }
    for number in 0..SIZES.len() {
        emulator.call("DELETE", &format!("/v1/{PARENT}/conversations/call-{number}?force=true"), "")?;
    }
    emulator.call("POST", "/_emulator/v1/reset", "{}")?;
    sleep(LATER);
    println!(
        "memory analyses={} idle_mib={idle:.1} peak_mib={:.1} emptied_mib={:.1}",
        SIZES.len() * ANALYSES,
        emulator.mib("VmHWM:"),
        emulator.mib("VmRSS:"),
    );
    Ok(())
}

/// A transcript of about so many bytes, of turns that have something to find in them.
fn transcript(size: usize) -> String {
    let (mut entries, mut length) = (Vec::new(), 0);
    while length < size {
        let number = entries.len();
        let (role, user) = if number % 2 == 0 { ("CUSTOMER", 1) } else { ("AGENT", 2) };
        let text = format!(
            "my order number {number} did not arrive in Berlin on Monday, please call me back at 555 0{number} \
             about the refund of 20 dollars"
        );
        let time = 1_700_000_000_000_000_usize + number * 1_000_000;
        let entry = json!({ "text": text, "role": role, "user_id": user, "start_timestamp_usec": time });
        length += entry.to_string().len();
        entries.push(entry);
    }
    json!({ "entries": entries }).to_string()
}

impl Emulator {
    /// Starts an operation, and follows it to its end.
    fn run(&self, path: &str, request: &Value) -> Result<(), Box<dyn Error>> {
        let mut operation = self.call("POST", &format!("/v1/{path}"), &request.to_string())?;
        let name = operation.get("name").and_then(Value::as_str).ok_or("not an operation")?.to_owned();
        while operation.get("done").is_none() {
            sleep(Duration::from_millis(20));
            operation = self.call("GET", &format!("/v1/{name}"), "")?;
        }
        if operation.get("error").is_some() { Err(operation.to_string().into()) } else { Ok(()) }
    }

    fn call(&self, verb: &str, path: &str, body: &str) -> Result<Value, Box<dyn Error>> {
        let mut stream = TcpStream::connect(&self.address)?;
        let (length, host) = (body.len(), &self.address);
        write!(stream, "{verb} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        if head.split(' ').nth(1) != Some("200") {
            return Err(answer.into());
        }
        Ok(serde_json::from_str(body)?)
    }

    fn mib(&self, field: &str) -> f64 {
        f64::from(self.kib(field).unwrap_or(0)) / 1024.0
    }
}
