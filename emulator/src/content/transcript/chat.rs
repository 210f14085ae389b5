//! Chats: the documented form, a list of `entries`.

use contact_center_insights::proto::insights::ConversationParticipant;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::conversation::transcript::transcript_segment::WordInfo;
use contact_center_insights::proto::insights::conversation_participant::{Participant, Role};
use prost_types::Timestamp;
use serde_json::Value;

use super::object::{Ignored, Object, integer, shown};
use crate::content::words;

/// The first microsecond of the year 10000, where timestamps end.
const END: i64 = 253_402_300_800_000_000;
const MICROS: i64 = 1_000_000;

/// A segment for each entry.
pub(super) fn segments(
    entries: Vec<(String, &Value)>,
    ignored: &mut Ignored,
) -> Result<Vec<TranscriptSegment>, String> {
    entries.into_iter().map(|(place, entry)| segment(Object::of(entry, &place)?, ignored)).collect()
}

fn segment(mut entry: Object<'_>, ignored: &mut Ignored) -> Result<TranscriptSegment, String> {
    let (role, user) = (role(&mut entry)?, user(&mut entry)?);
    let message_time = time(&mut entry)?;
    let is_there = entry.has("text");
    let text = entry.text("text")?.unwrap_or_default().to_owned();
    if !is_there {
        return Err(format!("{}: is missing", entry.place("text")));
    }
    entry.once()?;
    entry.end(ignored);
    // The service gives them no offsets, and no confidence.
    let words =
        words::between_spaces(&text).map(|word| WordInfo { word: word.to_owned(), ..WordInfo::default() });
    Ok(TranscriptSegment {
        words: words.collect(),
        text,
        message_time,
        segment_participant: Some(ConversationParticipant {
            role: role.into(),
            participant: user.map(Participant::UserId),
            ..ConversationParticipant::default()
        }),
        ..TranscriptSegment::default()
    })
}

fn role(entry: &mut Object<'_>) -> Result<Role, String> {
    let given = entry.text("role")?.unwrap_or_default();
    match given.to_ascii_uppercase().as_str() {
        "AGENT" | "HUMAN_AGENT" => Ok(Role::HumanAgent),
        "AUTOMATED_AGENT" => Ok(Role::AutomatedAgent),
        "CUSTOMER" | "END_USER" => Ok(Role::EndUser),
        "" => Ok(Role::Unspecified),
        _ => {
            let (place, given) = (entry.place("role"), shown(&given.into()));
            Err(format!("{place}: {given} is not one of AGENT, AUTOMATED_AGENT, CUSTOMER, END_USER"))
        }
    }
}

/// An id is a number or a text.
fn user(entry: &mut Object<'_>) -> Result<Option<String>, String> {
    match entry.value("user_id") {
        None => Ok(None),
        Some(Value::String(id)) => Ok(Some(id.clone())),
        Some(value) => match integer(value) {
            Some(id) => Ok(Some(id.to_string())),
            None => Err(format!("{}: {} is not an integer", entry.place("user_id"), shown(value))),
        },
    }
}

fn time(entry: &mut Object<'_>) -> Result<Option<Timestamp>, String> {
    const NAME: &str = "start_timestamp_usec";
    let Some(micros) = entry.integer(NAME)? else { return Ok(None) };
    if !(0..END).contains(&micros) {
        return Err(format!("{}: {micros} is not a time in microseconds since 1970", entry.place(NAME)));
    }
    let nanos = i32::try_from(micros % MICROS * 1000).unwrap_or_default();
    Ok(Some(Timestamp { seconds: micros / MICROS, nanos }))
}
