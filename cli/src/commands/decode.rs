//! `cci operations decode`: an operation from its serialized form.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use contact_center_insights::json::{JsonError, Printer, Reader};
use contact_center_insights::proto::longrunning::Operation;
use prost::Message as _;

use crate::args::Decode;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Format;
use crate::terminal::{eprint_line, print};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

pub(super) fn run(args: &Decode, output: Format) -> Result<(), Failure> {
    let input = read(args.file.as_deref())?;
    let operation = if args.base64 {
        decode(&from_base64(&input)?)?
    } else if input.trim_ascii_start().starts_with(b"{") {
        from_json(&input, args.lenient)?
    } else {
        decode_any(&input)?
    };
    print(&output.one_with(Printer::new().raw_fields(args.raw_fields), &operation)?)
}

fn read(file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let unreadable = |place: String| {
        move |error| {
            Failure::because(Exit::Usage, format!("cannot read {place}"), error)
                .with_help("give a file that can be read, or `-` for stdin")
        }
    };
    if let Some(file) = file.filter(|file| *file != Path::new("-")) {
        return fs::read(file).map_err(unreadable(file.display().to_string()));
    }
    if io::stdin().is_terminal() {
        eprint_line("reading a serialized operation from stdin");
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(unreadable("stdin".into()))?;
    Ok(bytes)
}

fn from_base64(text: &[u8]) -> Result<Vec<u8>, Failure> {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(&text).or_else(|_| URL_SAFE.decode(&text)).map_err(|error| {
        Failure::because(Exit::Usage, "the input is not base64", error)
            .with_help("leave --base64 out, and what the input is will be found")
    })
}

/// Takes any bytes. Protobuf reads much as a message of unknown fields, which is not an operation.
fn decode(bytes: &[u8]) -> Result<Operation, Failure> {
    const NOT_ONE: &str = "the input is not a serialized google.longrunning.Operation";
    let help = || guess(bytes);
    match Operation::decode(bytes) {
        Ok(operation) if operation == Operation::default() => {
            let reason =
                if bytes.is_empty() { "it is empty" } else { "it has none of an operation's fields" };
            Err(Failure::because(Exit::Usage, NOT_ONE, reason).with_help(help()))
        }
        Ok(operation) => Ok(operation),
        Err(error) => Err(Failure::because(Exit::Usage, NOT_ONE, error).with_help(help())),
    }
}

/// Takes what is text in hex or base64 as that, if an operation comes of it; everything else as it is.
fn decode_any(input: &[u8]) -> Result<Operation, Failure> {
    let text = input.trim_ascii();
    let binary = decode(input);
    // A name may be all that is set, and its bytes may all be letters.
    let is_plain = |operation: &Operation| {
        operation.name.starts_with("projects/") || operation.name.starts_with("operations/")
    };
    if binary.as_ref().is_ok_and(is_plain) || !text.iter().all(|byte| is_textual(*byte)) {
        return binary;
    }
    let mut decoded = [from_hex(text), from_base64(text).ok()].into_iter().flatten();
    decoded.find_map(|bytes| decode(&bytes).ok()).map_or(binary, Ok)
}

fn is_textual(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_= \t\r\n".contains(&byte)
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

fn from_json(input: &[u8], is_lenient: bool) -> Result<Operation, Failure> {
    const NOT_ONE: &str = "the input is JSON, but not a google.longrunning.Operation";
    let text = std::str::from_utf8(input).map_err(|error| Failure::because(Exit::Usage, NOT_ONE, error))?;
    let read = Reader::new().ignore_unknown(is_lenient).message::<Operation>(text);
    let read = read.map_err(|error| {
        let is_unknown = matches!(error, JsonError::UnknownField { .. });
        let failure = Failure::because(Exit::Usage, NOT_ONE, error);
        if is_unknown { failure.with_help("--lenient skips what is unknown") } else { failure }
    })?;
    for skipped in &read.skipped {
        eprint_line(format!("skipped: {skipped}"));
    }
    Ok(read.value)
}

/// What the input may be instead.
fn guess(bytes: &[u8]) -> &'static str {
    let text = bytes.trim_ascii();
    if text.is_empty() || !text.iter().all(|byte| is_textual(*byte)) {
        "the input is the bytes of one message, without a length or a gRPC frame before them"
    } else if text.iter().all(|byte| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace()) {
        "it looks like hex, but of no operation; is it whole?"
    } else {
        "it looks like base64, but of no operation; is it whole?"
    }
}

#[cfg(test)]
mod tests {
    use contact_center_insights::any::pack;
    use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
    use contact_center_insights::proto::longrunning::operation::Result as WireResult;
    use proptest::prelude::*;
    use prost_types::Any;

    use super::*;

    fn operation() -> Operation {
        Operation {
            name: "projects/p/locations/l/operations/1".into(),
            metadata: Some(pack(&CreateIssueModelMetadata::default())),
            done: true,
            result: Some(WireResult::Response(pack(&IssueModel { name: "m".into(), ..Default::default() }))),
        }
    }

    /// Reads and prints as the command does; the test is that it returns.
    fn survive(bytes: &[u8]) {
        let _ = from_json(bytes, true);
        let _ = decode_any(bytes);
        if let Ok(operation) = decode(bytes) {
            for format in [Format::Json, Format::Yaml, Format::Table, Format::Name] {
                let _ = format.one(&operation);
            }
        }
        let _ = from_base64(bytes);
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let bytes = operation().encode_to_vec();
        assert_eq!(decode(&bytes).unwrap(), operation());
        let text = STANDARD.encode(&bytes);
        let wrapped = format!(" {}\n{}\n", &text[..20], &text[20..]);
        assert_eq!(from_base64(wrapped.as_bytes()).unwrap(), bytes);
        assert_eq!(from_base64(URL_SAFE.encode(&bytes).trim_end_matches('=').as_bytes()).unwrap(), bytes);
    }

    #[test]
    fn every_form_is_found() {
        let bytes = operation().encode_to_vec();
        let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let wrapped = format!("{}\n{}\n", &hex[..40], &hex[40..].to_uppercase());
        for input in
            [bytes.clone(), hex.into_bytes(), wrapped.into_bytes(), STANDARD.encode(&bytes).into_bytes()]
        {
            assert_eq!(decode_any(&input).unwrap(), operation());
        }
        // All letters, and yet the binary form.
        let lettered = Operation { name: format!("projects/{}", "p".repeat(56)), ..Default::default() };
        assert_eq!(decode_any(&lettered.encode_to_vec()).unwrap(), lettered);
    }

    #[test]
    fn json_is_read_strictly_unless_asked_otherwise() {
        let text = br#"{"name": "projects/p/locations/l/operations/1", "new": 1}"#;
        let failure = from_json(text, false).unwrap_err().to_string();
        assert!(failure.contains("new: ") && failure.contains("--lenient"), "{failure}");
        assert_eq!(from_json(text, true).unwrap().name, "projects/p/locations/l/operations/1");
    }

    #[test]
    fn anything_else_is_refused_with_a_guess() {
        let cases: [(&[u8], &str); 5] = [
            (b"", "it is empty"),
            (b"0a2370726f\n", "looks like hex"),
            (b"CiNwcm9qZWN0cw==", "looks like base64"),
            (&[0xff; 9], "the bytes of one message"),
            // Field 15, varint 1.
            (&[0x78, 1], "none of an operation's fields"),
        ];
        for (bytes, words) in cases {
            let failure = decode_any(bytes).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(failure.to_string().contains(words), "{failure}");
        }
    }

    #[test]
    fn an_any_within_an_any_a_thousand_times_is_printed() {
        let mut any = Any { type_url: "type.googleapis.com/a.B".into(), value: vec![] };
        for _ in 0..1000 {
            any = Any {
                type_url: "type.googleapis.com/google.protobuf.Any".into(),
                value: any.encode_to_vec(),
            };
        }
        survive(&Operation { metadata: Some(any), ..operation() }.encode_to_vec());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_input_panics(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            survive(&noise);
        }

        #[test]
        fn no_mutation_panics(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = operation().encode_to_vec();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            survive(&bytes);
            bytes.truncate(end.index(bytes.len()));
            survive(&bytes);
        }
    }
}
