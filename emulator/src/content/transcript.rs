//! Transcripts from files: the documented JSON of chats, and what Speech-to-Text returns for calls, as either of its
//! versions writes it. Read by the rules of ProtoJSON.

mod chat;
mod object;
mod speech;

use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use serde_json::Value;

pub(crate) use self::object::Ignored;
use self::object::Object;

/// What the keys of a file are in which there is a transcript, beside the transcript itself.
const BESIDE: [&str; 8] = [
    "conversation_info",
    "metadata",
    "output_config",
    "output_error",
    "request_id",
    "speech_adaptation_info",
    "total_billed_duration",
    "total_billed_time",
];

/// A transcript, and what else was in its file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Read {
    pub(crate) transcript: Transcript,
    pub(crate) ignored: Ignored,
}

/// Reads a transcript file.
///
/// # Errors
/// What is wrong with it, with the place: `entries[3].start_timestamp_usec: 1.5 is not an integer`.
pub(crate) fn read(bytes: &[u8]) -> Result<Read, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("not a transcript: it is in UTF-16, and JSON is in UTF-8".into());
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file: Value = serde_json::from_slice(bytes).map_err(|error| format!("not a transcript: {error}"))?;
    let mut ignored = Ignored::default();
    let transcript_segments = segments(Object::of(&file, "")?, &mut ignored)?;
    if transcript_segments.is_empty() {
        return Err("the transcript has no entries".into());
    }
    Ok(Read { transcript: Transcript { transcript_segments }, ignored })
}

/// What [`read`] gives, for whoever cares for the transcript alone.
#[cfg(test)]
pub(crate) fn parse(bytes: &[u8]) -> Result<Transcript, String> {
    read(bytes).map(|read| read.transcript)
}

/// The segments of a file: of a chat, of results, or of the operation that recognised them.
fn segments(mut file: Object<'_>, ignored: &mut Ignored) -> Result<Vec<TranscriptSegment>, String> {
    for key in BESIDE {
        file.pass_over(key);
    }
    let segments = match (file.list("entries")?, file.value("results")) {
        (Some(entries), None) => chat::segments(entries, ignored)?,
        (None, Some(results)) => speech::segments(results, ignored)?,
        (Some(_), Some(_)) => {
            return Err("not a transcript: it has both `entries` (a chat) and `results` (a call)".into());
        }
        (None, None) => {
            let (response, error) = (file.object("response")?, file.object("error")?);
            for key in ["name", "done"] {
                file.pass_over(key);
            }
            if let Some(mut error) = error {
                let message = error.text("message")?.unwrap_or_default();
                return Err(format!("error: the operation that was to recognise it failed: {message}"));
            }
            let Some(mut response) = response else {
                let why = "not a transcript: it needs either `entries` (a chat) or `results` (a call)";
                return Err(why.into());
            };
            response.pass_over("@type");
            file.end(ignored);
            return segments(response, ignored);
        }
    };
    file.once()?;
    file.end(ignored);
    Ok(segments)
}

#[cfg(test)]
mod tests;
