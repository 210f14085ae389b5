//! Summaries: a stand-in that quotes, in place of the service's summarisation.

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::conversation_participant::Role;
use contact_center_insights::proto::insights::{ConversationSummarizationSuggestionData, SentimentData};

use super::conversation::{is_agent, role};
use super::words::{beginning, stems};

/// What the stand-in calls itself, where the service names a model.
pub(crate) const MODEL: &str = "emulator/extractive";

/// What is quoted of one segment, in characters: summaries are short.
const MAX_QUOTE: usize = 1000;

/// Three sections, in the form of the service: each begins with its title, on a line of its own, and an empty line is
/// between two. The situation is what says most of the customer's lines, of those in the first half if there are any, the
/// action what says most of the agent's; the resolution is `Y` unless what the customer says last sounds unhappy, and `N` then.
pub(crate) fn summarise(
    transcript: &Transcript,
    sentiments: &[SentimentData],
) -> Option<ConversationSummarizationSuggestionData> {
    let segments = &transcript.transcript_segments;
    let (half, _) = segments.split_at(segments.len().div_ceil(2));
    let is_customers = |segment: &&TranscriptSegment| role(segment) == Role::EndUser;
    let situation = most_telling(half.iter().filter(is_customers))
        .or_else(|| most_telling(segments.iter().filter(is_customers)));
    let action = most_telling(segments.iter().filter(|segment| is_agent(role(segment))));
    if situation.is_none() && action.is_none() {
        return None;
    }
    let resolution = if ends_well(transcript, sentiments) { "Y" } else { "N" };
    let sections = [("situation", situation), ("action", action), ("resolution", Some(resolution))];
    let text_sections: BTreeMap<String, String> =
        sections.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned()))).collect();
    let said = sections.iter().filter_map(|(title, text)| Some(format!("{title}\n{}", (*text)?)));
    Some(ConversationSummarizationSuggestionData {
        text: said.collect::<Vec<_>>().join("\n\n"),
        text_sections,
        conversation_model: MODEL.to_owned(),
        ..ConversationSummarizationSuggestionData::default()
    })
}

/// Whether what the customer says last does not sound unhappy.
fn ends_well(transcript: &Transcript, sentiments: &[SentimentData]) -> bool {
    let felt = transcript.transcript_segments.iter().zip(sentiments);
    let last = felt.rev().find(|(segment, _)| role(segment) == Role::EndUser);
    last.is_none_or(|(_, sentiment)| sentiment.score >= 0.0)
}

fn telling(segment: &TranscriptSegment) -> usize {
    stems(beginning(&segment.text)).count()
}

/// The one with the most words that say something, and the first of equals.
fn most_telling<'a>(segments: impl Iterator<Item = &'a TranscriptSegment>) -> Option<&'a str> {
    let counted = segments.map(|segment| (telling(segment), segment)).filter(|(count, _)| *count > 0);
    let best = counted.fold(None::<(usize, &TranscriptSegment)>, |best, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    });
    best.map(|(_, segment)| {
        let text = segment.text.as_str();
        text.char_indices().nth(MAX_QUOTE).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::conversation::tests::chat;
    use crate::content::sentiment;

    fn of(transcript: &Transcript) -> Option<ConversationSummarizationSuggestionData> {
        summarise(transcript, &sentiment::of_segments(transcript))
    }

    #[test]
    fn a_summary_quotes() {
        let made = chat(&[
            "agent: Hello",
            "customer: My parcel arrived broken",
            "agent: I will order a replacement parcel",
            "customer: Thanks, the replacement is welcome",
            "agent: Bye",
        ]);
        let summary = of(&made.transcript.unwrap()).unwrap();
        assert_eq!(summary.text_sections["situation"], "My parcel arrived broken");
        assert_eq!(summary.text_sections["action"], "I will order a replacement parcel");
        assert_eq!(summary.text_sections["resolution"], "Y");
        assert_eq!(
            summary.text,
            "situation\nMy parcel arrived broken\n\naction\nI will order a replacement parcel\n\nresolution\nY"
        );
    }

    #[test]
    fn p28_who_leaves_unhappy_has_no_resolution() {
        let made = chat(&[
            "customer: My parcel is lost",
            "agent: I cannot find it",
            "customer: I hate this, terrible",
        ]);
        let summary = of(&made.transcript.unwrap()).unwrap();
        assert!(summary.text.ends_with("\n\nresolution\nN"), "{}", summary.text);
        let silent = chat(&["agent: Your parcel has arrived"]).transcript.unwrap();
        assert_eq!(of(&silent).unwrap().text, "action\nYour parcel has arrived\n\nresolution\nY");
    }

    #[test]
    fn what_is_quoted_is_short() {
        let made = chat(&[&format!("customer: {}", "broken parcel ".repeat(1000))]);
        let text = of(&made.transcript.unwrap()).unwrap().text;
        assert!(text.len() < 2 * MAX_QUOTE, "{}", text.len());
    }

    #[test]
    fn there_is_no_summary_of_nothing() {
        assert_eq!(of(&Transcript::default()), None);
        assert_eq!(of(&chat(&["agent: Hello", "customer: Hi"]).transcript.unwrap()), None);
    }
}
