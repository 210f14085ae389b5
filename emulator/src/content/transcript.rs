//! Transcripts from files: the documented JSON of chats, and what speech recognition returns for calls.

use contact_center_insights::proto::insights::ConversationParticipant;
use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::conversation::transcript::transcript_segment::WordInfo;
use contact_center_insights::proto::insights::conversation_participant::{Participant, Role};
use prost_types::{Duration, Timestamp};
use serde::Deserialize;

use super::words;

/// Reads a transcript file.
///
/// # Errors
/// What is wrong with it, with the place.
pub(crate) fn parse(bytes: &[u8]) -> Result<Transcript, String> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| format!("not a transcript: {error}"))?;
    let transcript_segments = match (file.entries, file.results) {
        (Some(entries), None) => entries.into_iter().enumerate().map(chat).collect::<Result<Vec<_>, _>>()?,
        (None, Some(results)) => results
            .into_iter()
            .enumerate()
            .map(recognised)
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect(),
        _ => return Err("not a transcript: it needs either `entries` (a chat) or `results` (a call)".into()),
    };
    if transcript_segments.is_empty() {
        return Err("the transcript has no entries".into());
    }
    Ok(Transcript { transcript_segments })
}

/// Only what is used; files have more, such as `conversation_info`.
#[derive(Deserialize)]
struct File {
    entries: Option<Vec<Entry>>,
    results: Option<Vec<Recognised>>,
}

#[derive(Deserialize)]
struct Entry {
    text: String,
    user_id: Option<Id>,
    role: Option<String>,
    start_timestamp_usec: Option<Id>,
}

/// A number, or the same in quotes, as JSON writes those of 64 bits.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Text(String),
}

impl Id {
    fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

fn chat((index, entry): (usize, Entry)) -> Result<TranscriptSegment, String> {
    let role = match entry.role.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("AGENT" | "HUMAN_AGENT") => Role::HumanAgent,
        Some("AUTOMATED_AGENT") => Role::AutomatedAgent,
        Some("CUSTOMER" | "END_USER") => Role::EndUser,
        None | Some("") => Role::Unspecified,
        Some(other) => {
            return Err(format!(
                "entries[{index}]: `{other}` is not one of AGENT, AUTOMATED_AGENT, CUSTOMER, END_USER"
            ));
        }
    };
    let message_time = match entry.start_timestamp_usec {
        None => None,
        Some(usec) => {
            let usec = usec.number().filter(|usec| (0..253_402_300_800_000_000).contains(usec));
            let usec = usec.ok_or_else(|| {
                format!("entries[{index}]: `start_timestamp_usec` is not a time in microseconds since 1970")
            })?;
            Some(Timestamp { seconds: usec / 1_000_000, nanos: micros_to_nanos(usec % 1_000_000) })
        }
    };
    let participant = ConversationParticipant {
        role: role.into(),
        participant: entry.user_id.map(|id| Participant::UserId(id.text())),
        ..ConversationParticipant::default()
    };
    // The service gives them no offsets, and no confidence.
    let words = words::between_spaces(&entry.text);
    let words = words.map(|word| WordInfo { word: word.to_owned(), ..WordInfo::default() });
    Ok(TranscriptSegment {
        words: words.collect(),
        text: entry.text,
        message_time,
        segment_participant: Some(participant),
        ..TranscriptSegment::default()
    })
}

fn micros_to_nanos(micros: i64) -> i32 {
    i32::try_from(micros * 1000).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recognised {
    #[serde(default)]
    alternatives: Vec<Alternative>,
    #[serde(default)]
    channel_tag: i32,
    #[serde(default)]
    language_code: String,
}

#[derive(Deserialize)]
struct Alternative {
    #[serde(default)]
    transcript: String,
    #[serde(default)]
    confidence: f32,
    #[serde(default)]
    words: Vec<Word>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Word {
    #[serde(alias = "startOffset")]
    start_time: Option<String>,
    #[serde(alias = "endOffset")]
    end_time: Option<String>,
    #[serde(rename = "word")]
    text: String,
    #[serde(default)]
    confidence: f32,
}

/// A result of speech recognition without alternatives is silence, and no segment.
fn recognised((index, result): (usize, Recognised)) -> Result<Option<TranscriptSegment>, String> {
    let Some(best) = result.alternatives.into_iter().next() else { return Ok(None) };
    let offset = |text: Option<String>| -> Result<Option<Duration>, String> {
        let read = |text: String| {
            text.parse().map_err(|_| format!("results[{index}]: `{text}` is not a duration like \"1.5s\""))
        };
        text.map(read).transpose()
    };
    let words = best.words.into_iter().map(|word| {
        Ok(WordInfo {
            start_offset: offset(word.start_time)?,
            end_offset: offset(word.end_time)?,
            word: word.text,
            confidence: word.confidence,
        })
    });
    Ok(Some(TranscriptSegment {
        words: words.collect::<Result<_, String>>()?,
        text: best.transcript.trim().to_owned(),
        confidence: best.confidence,
        channel_tag: result.channel_tag,
        language_code: result.language_code,
        ..TranscriptSegment::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_form_is_read() {
        let json = r#"{
            "conversation_info": {"categories": [{"display_name": "billing"}]},
            "entries": [
                {"text": "Hi", "user_id": 2, "role": "AGENT", "start_timestamp_usec": 1500000},
                {"text": "My bill,  please!", "user_id": "1", "role": "CUSTOMER", "start_timestamp_usec": "2000001"},
                {"text": "Beep", "role": "AUTOMATED_AGENT"}
            ]}"#;
        let segments = parse(json.as_bytes()).unwrap().transcript_segments;
        assert_eq!(segments.len(), 3);
        let words: Vec<&str> = segments[1].words.iter().map(|word| word.word.as_str()).collect();
        assert_eq!(words, ["My", "bill,", "please!"]);
        assert!(
            segments[1].words.iter().all(|word| word.start_offset.is_none() && word.end_offset.is_none())
        );
        assert_eq!(segments[0].message_time, Some(Timestamp { seconds: 1, nanos: 500_000_000 }));
        assert_eq!(segments[1].message_time, Some(Timestamp { seconds: 2, nanos: 1000 }));
        let roles: Vec<Role> =
            segments.iter().map(|s| s.segment_participant.clone().unwrap().role()).collect();
        assert_eq!(roles, [Role::HumanAgent, Role::EndUser, Role::AutomatedAgent]);
        let user = segments[1].segment_participant.clone().unwrap().participant;
        assert_eq!(user, Some(Participant::UserId("1".into())));
    }

    #[test]
    fn results_of_speech_recognition_are_read() {
        let json = r#"{"results": [
            {"alternatives": [{"transcript": " hello there ", "confidence": 0.5, "words": [
                {"startTime": "1s", "endTime": "1.500s", "word": "hello"},
                {"startOffset": "1.5s", "endOffset": "2s", "word": "there"}]}],
             "channelTag": 2, "languageCode": "en-us"},
            {"channelTag": 1}
        ]}"#;
        let segments = parse(json.as_bytes()).unwrap().transcript_segments;
        assert_eq!(segments.len(), 1);
        assert_eq!((segments[0].text.as_str(), segments[0].channel_tag), ("hello there", 2));
        assert_eq!(segments[0].words[1].end_offset, Some(Duration { seconds: 2, nanos: 0 }));
    }

    #[test]
    fn a_bad_file_says_what_is_wrong_and_where() {
        for (bad, why) in [
            ("", "EOF"),
            ("[]", "not a transcript"),
            ("{}", "`entries`"),
            (r#"{"entries": []}"#, "no entries"),
            (r#"{"entries": [{"role": "AGENT"}]}"#, "missing field `text`"),
            (r#"{"entries": [{"text": "a", "role": "BOSS"}]}"#, "entries[0]: `BOSS`"),
            (
                r#"{"entries": [{"text": "a", "start_timestamp_usec": -1}]}"#,
                "entries[0]: `start_timestamp_usec`",
            ),
            (
                r#"{"results": [{"alternatives": [{"words": [{"word": "a", "startTime": "x"}]}]}]}"#,
                "results[0]: `x`",
            ),
        ] {
            let error = parse(bad.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }
}
