//! What follows from a transcript: turns, duration, start, channels.

use contact_center_insights::proto::insights::conversation::quality_metadata::AgentInfo;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::conversation::{Metadata, Transcript};
use contact_center_insights::proto::insights::conversation_participant::{Participant, Role};
use contact_center_insights::proto::insights::{Conversation, ConversationParticipant};
use prost_types::{Duration, Timestamp};

/// What a spoken word takes, where nothing says how long it took.
const NANOS_PER_WORD: i64 = 400_000_000;
const NANOS: i64 = 1_000_000_000;

/// The channels of a call, if the conversation does not say: the agent is heard on the first (protos, `CallMetadata`).
const CALL: (i32, i32) = (1, 2);
/// Those of a chat, whoever speaks first.
const CHAT: (i32, i32) = (2, 1);

/// Gives `conversation` a transcript, and what follows from it: `turn_count`, `duration`, `start_time` if none was
/// given, the agent if none was named, and for each segment its channel, role and language.
pub(crate) fn fill(conversation: &mut Conversation, mut transcript: Transcript) {
    let is_heard = |segment: &TranscriptSegment| {
        segment.channel_tag != 0 || segment.words.iter().any(|word| word.end_offset.is_some())
    };
    let usual = if transcript.transcript_segments.iter().any(is_heard) { CALL } else { CHAT };
    let (agent, customer) = stated(conversation).unwrap_or(usual);
    for segment in &mut transcript.transcript_segments {
        let role = role(segment);
        if segment.channel_tag == 0 {
            segment.channel_tag = if is_agent(role) { agent } else { customer };
        }
        if role == Role::Unspecified {
            let heard = if segment.channel_tag == agent { Role::HumanAgent } else { Role::EndUser };
            let participant =
                segment.segment_participant.get_or_insert_with(ConversationParticipant::default);
            participant.role = heard.into();
        }
        if segment.language_code.is_empty() {
            segment.language_code.clone_from(&conversation.language_code);
        }
    }
    conversation.duration = Some(duration(length(&transcript)));
    if conversation.start_time.is_none() {
        conversation.start_time = transcript
            .transcript_segments
            .iter()
            .filter_map(|segment| segment.message_time)
            .min_by_key(nanos_of);
    }
    conversation.turn_count = i32::try_from(transcript.transcript_segments.len()).unwrap_or(i32::MAX);
    name_agent(conversation, &transcript);
    conversation.transcript = Some(transcript);
}

/// From the first message to the last; where not all have times, as long as it takes to say all.
fn length(transcript: &Transcript) -> i64 {
    let segments = transcript.transcript_segments.iter();
    let times: Option<Vec<i64>> =
        segments.map(|segment| segment.message_time.as_ref().map(nanos_of)).collect();
    let spans: Vec<Span> = match times {
        Some(times) => times.into_iter().map(|at| Span { start: at, end: at }).collect(),
        None => timeline(transcript),
    };
    let first = spans.iter().map(|span| span.start).min().unwrap_or_default();
    let last = spans.iter().map(|span| span.end).max().unwrap_or_default();
    last.saturating_sub(first)
}

/// The agent of a conversation that names none is the user who speaks as one.
fn name_agent(conversation: &mut Conversation, transcript: &Transcript) {
    if !conversation.agent_id.is_empty() {
        return;
    }
    let agents = transcript.transcript_segments.iter().filter(|segment| role(segment) == Role::HumanAgent);
    let mut ids = agents.filter_map(|segment| match &segment.segment_participant.as_ref()?.participant {
        Some(Participant::UserId(id)) if !id.is_empty() => Some(id),
        _ => None,
    });
    let Some(id) = ids.next() else { return };
    conversation.agent_id.clone_from(id);
    let quality = conversation.quality_metadata.get_or_insert_default();
    if quality.agent_info.is_empty() {
        let agent_type = Role::HumanAgent.into();
        quality.agent_info.push(AgentInfo { agent_id: id.clone(), agent_type, ..AgentInfo::default() });
    }
}

/// The agent's channel and the customer's, if the conversation states them.
fn stated(conversation: &Conversation) -> Option<(i32, i32)> {
    match &conversation.metadata {
        Some(Metadata::CallMetadata(call)) if call.agent_channel != call.customer_channel => {
            Some((call.agent_channel, call.customer_channel))
        }
        _ => None,
    }
}

/// The agent's channel and the customer's: as stated, or else those on which they are heard.
pub(crate) fn channels(conversation: &Conversation) -> (i32, i32) {
    let heard = |wanted: fn(Role) -> bool| {
        let mut segments = conversation.transcript.iter().flat_map(|found| &found.transcript_segments);
        segments.find(|segment| wanted(role(segment))).map(|segment| segment.channel_tag)
    };
    stated(conversation).unwrap_or_else(|| match (heard(is_agent), heard(|role| role == Role::EndUser)) {
        (Some(agent), Some(customer)) => (agent, customer),
        (Some(agent), None) if agent == CALL.0 => CALL,
        (None, Some(customer)) if customer == CALL.1 => CALL,
        _ => CHAT,
    })
}

/// Who a segment is from.
pub(crate) fn role(segment: &TranscriptSegment) -> Role {
    segment.segment_participant.as_ref().map_or(Role::Unspecified, ConversationParticipant::role)
}

/// Whether the role is one of an agent, human or not.
pub(crate) fn is_agent(role: Role) -> bool {
    matches!(role, Role::HumanAgent | Role::AutomatedAgent | Role::AnyAgent)
}

/// When a segment was said, in nanoseconds from an arbitrary zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Span {
    /// How long it took.
    pub(crate) fn length(self) -> i64 {
        self.end.saturating_sub(self.start)
    }
}

/// The spans of all segments. Words have offsets of their own. A message has a time, and takes as long as its words take
/// to say, but not longer than until the next; a chat is over with its last message. What has neither follows on what
/// was before.
pub(crate) fn timeline(transcript: &Transcript) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::with_capacity(transcript.transcript_segments.len());
    for segment in &transcript.transcript_segments {
        let offsets = segment.words.iter().filter_map(|word| Some((word.start_offset?, word.end_offset?)));
        let start = offsets.clone().map(|(start, _)| nanos(start)).min();
        let end = offsets.map(|(_, end)| nanos(end)).max();
        let words = i64::try_from(super::words::words(&segment.text).count().max(1)).unwrap_or(i64::MAX);
        let spoken = words.saturating_mul(NANOS_PER_WORD);
        let span = match (start, end, segment.message_time) {
            (Some(start), Some(end), _) => Span { start, end: end.max(start) },
            (_, _, Some(time)) => {
                let start = nanos_of(&time);
                Span { start, end: start.saturating_add(spoken) }
            }
            _ => {
                let start = spans.last().map(|before| before.end).unwrap_or_default();
                Span { start, end: start.saturating_add(spoken) }
            }
        };
        spans.push(span);
    }
    cut_messages(transcript, &mut spans);
    spans
}

/// Ends messages where the next begins.
fn cut_messages(transcript: &Transcript, spans: &mut [Span]) {
    let is_message = |segment: &TranscriptSegment| {
        segment.message_time.is_some() && !segment.words.iter().any(|word| word.end_offset.is_some())
    };
    let segments = &transcript.transcript_segments;
    let mut starts: Vec<i64> = spans.iter().map(|span| span.start).collect();
    starts.sort_unstable();
    let end = starts.last().copied().filter(|_| segments.iter().all(is_message));
    for (span, _) in spans.iter_mut().zip(segments).filter(|(_, segment)| is_message(segment)) {
        let next = starts.get(starts.partition_point(|start| *start <= span.start)).copied();
        if let Some(until) = next.or(end) {
            span.end = span.end.min(until);
        }
    }
}

fn nanos_of(time: &Timestamp) -> i64 {
    time.seconds.saturating_mul(NANOS).saturating_add(time.nanos.into())
}

/// A duration in nanoseconds; what is beyond three hundred years is cut off.
pub(crate) fn nanos(span: Duration) -> i64 {
    span.seconds.saturating_mul(NANOS).saturating_add(span.nanos.into())
}

/// A duration of this many nanoseconds.
pub(crate) fn duration(nanos: i64) -> Duration {
    Duration { seconds: nanos / NANOS, nanos: i32::try_from(nanos % NANOS).unwrap_or_default() }
}

#[cfg(test)]
pub(crate) mod tests {
    use contact_center_insights::proto::insights::conversation::{CallMetadata, Medium};

    use super::*;
    use crate::content::transcript::parse;

    /// A chat from lines such as `agent: Hello`, ten seconds apart.
    pub(crate) fn chat(lines: &[&str]) -> Conversation {
        let entries: Vec<_> = lines
            .iter()
            .enumerate()
            .map(|(index, line)| {
                let (role, text) = line.split_once(": ").unwrap();
                serde_json::json!({"text": text, "role": role, "user_id": if role == "agent" { 2 } else { 1 },
                    "start_timestamp_usec": 1_600_000_000_000_000_u64 + 10_000_000 * index as u64})
            })
            .collect();
        let json = serde_json::json!({ "entries": entries }).to_string();
        let mut conversation = Conversation {
            name: "projects/p/locations/l/conversations/c".into(),
            medium: Medium::Chat.into(),
            language_code: "en-US".into(),
            ..Conversation::default()
        };
        fill(&mut conversation, parse(json.as_bytes()).unwrap());
        conversation
    }

    #[test]
    fn a_chat_has_turns_a_duration_and_a_start() {
        let made = chat(&["agent: Hello", "agent: How can I help", "customer: My bill", "agent: I see you"]);
        assert_eq!(made.turn_count, 4, "each segment is a turn");
        assert_eq!(made.start_time, Some(Timestamp { seconds: 1_600_000_000, nanos: 0 }));
        assert_eq!(made.duration, Some(Duration { seconds: 30, nanos: 0 }), "from the first to the last");
        assert_eq!(made.agent_id, "2");
        let [agent] = &made.quality_metadata.as_ref().unwrap().agent_info[..] else { panic!() };
        assert_eq!((agent.agent_id.as_str(), agent.agent_type()), ("2", Role::HumanAgent));
        assert_eq!((channels(&made), &made.metadata), ((2, 1), &None));
        let segments = made.transcript.unwrap().transcript_segments;
        let channels: Vec<i32> = segments.iter().map(|segment| segment.channel_tag).collect();
        assert_eq!(channels, [2, 2, 1, 2]);
        assert!(segments.iter().all(|segment| segment.language_code == "en-US"));
    }

    #[test]
    fn a_call_has_roles_by_channel_and_the_time_of_its_words() {
        let json = r#"{"results": [
            {"alternatives": [{"transcript": "hi", "words": [{"startTime": "1s", "endTime": "2s", "word": "hi"}]}], "channelTag": 2},
            {"alternatives": [{"transcript": "yo", "words": [{"startTime": "4s", "endTime": "4.5s", "word": "yo"}]}], "channelTag": 1}
        ]}"#;
        let mut call = Conversation { medium: Medium::PhoneCall.into(), ..Conversation::default() };
        call.metadata = Some(Metadata::CallMetadata(CallMetadata { agent_channel: 2, customer_channel: 1 }));
        fill(&mut call, parse(json.as_bytes()).unwrap());
        assert_eq!(call.duration, Some(Duration { seconds: 3, nanos: 500_000_000 }));
        assert_eq!((call.turn_count, call.start_time), (2, None));
        let segments = call.transcript.unwrap().transcript_segments;
        assert_eq!((role(&segments[0]), role(&segments[1])), (Role::HumanAgent, Role::EndUser));
    }

    #[test]
    fn without_times_one_thing_follows_another() {
        let mut made = Conversation::default();
        fill(&mut made, parse(br#"{"entries": [{"text": "one two"}, {"text": "three"}]}"#).unwrap());
        assert_eq!(made.duration, Some(Duration { seconds: 1, nanos: 200_000_000 }));
    }
}
