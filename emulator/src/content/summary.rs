//! Summaries: a stand-in that quotes, in place of the service's summarisation.

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::ConversationSummarizationSuggestionData;
use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::conversation_participant::Role;

use super::conversation::{is_agent, role};
use super::words::stems;

/// What the stand-in calls itself, where the service names a model.
pub(crate) const MODEL: &str = "emulator/extractive";

/// Three sections, each a line of the conversation: the situation is what says most of the customer's first lines, the
/// action what says most of the agent's, the resolution what was said last and says something.
pub(crate) fn summarise(transcript: &Transcript) -> Option<ConversationSummarizationSuggestionData> {
    let segments = &transcript.transcript_segments;
    let (half, _) = segments.split_at(segments.len().div_ceil(2));
    let situation = most_telling(half.iter().filter(|segment| role(segment) == Role::EndUser));
    let action = most_telling(segments.iter().filter(|segment| is_agent(role(segment))));
    let resolution =
        segments.iter().rev().find(|segment| telling(segment) > 0).map(|segment| segment.text.as_str());
    let sections = [("situation", situation), ("action", action), ("resolution", resolution)];
    let text_sections: BTreeMap<String, String> =
        sections.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned()))).collect();
    if text_sections.is_empty() {
        return None;
    }
    let said = sections.iter().filter_map(|(name, text)| Some(format!("{name}: {}", (*text)?)));
    Some(ConversationSummarizationSuggestionData {
        text: said.collect::<Vec<_>>().join("\n"),
        text_sections,
        conversation_model: MODEL.to_owned(),
        ..ConversationSummarizationSuggestionData::default()
    })
}

fn telling(segment: &TranscriptSegment) -> usize {
    stems(&segment.text).count()
}

/// The one with the most words that say something, and the first of equals.
fn most_telling<'a>(segments: impl Iterator<Item = &'a TranscriptSegment>) -> Option<&'a str> {
    let counted = segments.map(|segment| (telling(segment), segment)).filter(|(count, _)| *count > 0);
    let best = counted.fold(None::<(usize, &TranscriptSegment)>, |best, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    });
    best.map(|(_, segment)| segment.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::conversation::tests::chat;

    #[test]
    fn a_summary_quotes() {
        let made = chat(&[
            "agent: Hello",
            "customer: My parcel arrived broken",
            "agent: I will order a replacement parcel",
            "customer: Thanks, the replacement is welcome",
            "agent: Bye",
        ]);
        let summary = summarise(&made.transcript.unwrap()).unwrap();
        assert_eq!(summary.text_sections["situation"], "My parcel arrived broken");
        assert_eq!(summary.text_sections["action"], "I will order a replacement parcel");
        assert_eq!(summary.text_sections["resolution"], "Thanks, the replacement is welcome");
        assert!(summary.text.starts_with("situation: My parcel"));
    }

    #[test]
    fn there_is_no_summary_of_nothing() {
        assert_eq!(summarise(&Transcript::default()), None);
        assert_eq!(summarise(&chat(&["agent: Hello", "customer: Hi"]).transcript.unwrap()), None);
    }
}
