//! Sentiment: a stand-in by VADER's lexicon and rules, in place of the service's model.

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::call_annotation::Data;
use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::conversation_participant::Role;
use contact_center_insights::proto::insights::{CallAnnotation, ConversationLevelSentiment, SentimentData};
use vader_sentimental::SentimentIntensityAnalyzer;

use super::averages::{Mean, single};
use super::conversation::role;
use super::phrases::whole;
use super::words::beginning;

/// How many channels of the customer are told of; calls have two channels in all.
const MAX_CHANNELS: usize = 16;

/// The sentiment of each segment: its score from -1 to 1, and the size of that as its magnitude.
pub(crate) fn of_segments(transcript: &Transcript) -> Vec<SentimentData> {
    let analyzer = SentimentIntensityAnalyzer::new();
    let segments = transcript.transcript_segments.iter();
    let scores = segments.map(|segment| single(analyzer.polarity_scores(beginning(&segment.text)).compound));
    scores.map(|score| SentimentData { magnitude: score.abs(), score }).collect()
}

/// Whether a segment has a sentiment of its own: the service gives one to the customer alone.
pub(crate) fn is_felt(segment: &TranscriptSegment) -> bool {
    role(segment) == Role::EndUser
}

/// For each channel of the customer, in order: the mean of its segments' scores, and the sum of their magnitudes.
pub(crate) fn of_channels(
    transcript: &Transcript,
    sentiments: &[SentimentData],
) -> Vec<ConversationLevelSentiment> {
    let mut channels: BTreeMap<i32, (Mean, Mean)> = BTreeMap::new();
    let felt = transcript.transcript_segments.iter().zip(sentiments).filter(|(segment, _)| is_felt(segment));
    for (segment, sentiment) in felt {
        let (score, magnitude) = channels.entry(segment.channel_tag).or_default();
        score.add(sentiment.score.into());
        magnitude.add(sentiment.magnitude.into());
    }
    let level = |(channel_tag, (score, magnitude)): (i32, (Mean, Mean))| {
        let sentiment_data = SentimentData {
            magnitude: single(magnitude.sum()),
            score: single(score.get().unwrap_or_default()),
        };
        ConversationLevelSentiment { channel_tag, sentiment_data: Some(sentiment_data) }
    };
    channels.into_iter().take(MAX_CHANNELS).map(level).collect()
}

/// An annotation for each of the customer's segments that is not neutral; it is about the segment, not about words.
pub(crate) fn annotations(transcript: &Transcript, sentiments: &[SentimentData]) -> Vec<CallAnnotation> {
    let segments = transcript.transcript_segments.iter().zip(sentiments).enumerate();
    let annotated =
        segments.filter(|(_, (segment, sentiment))| is_felt(segment) && sentiment.magnitude > 0.0);
    annotated
        .map(|(index, (segment, sentiment))| CallAnnotation {
            channel_tag: segment.channel_tag,
            annotation_start_boundary: Some(whole(index)),
            annotation_end_boundary: Some(whole(index)),
            data: Some(Data::SentimentData(*sentiment)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::content::conversation::tests::chat;

    #[test]
    fn sentiments_have_a_sign_and_a_channel() {
        let lines = [
            "agent: Wonderful, I am happy to help!",
            "customer: This is terrible, I hate it",
            "agent: The box",
        ];
        let transcript = chat(&lines).transcript.unwrap();
        let sentiments = of_segments(&transcript);
        assert!(
            sentiments[0].score > 0.5 && sentiments[1].score < -0.5 && sentiments[2].score == 0.0,
            "{sentiments:?}"
        );
        let levels = of_channels(&transcript, &sentiments);
        assert_eq!(levels.iter().map(|level| level.channel_tag).collect::<Vec<_>>(), [1], "the customer's");
        assert!((levels[0].sentiment_data.unwrap().score - sentiments[1].score).abs() < 1e-6);
        let [annotation] = &annotations(&transcript, &sentiments)[..] else { panic!() };
        let boundary = annotation.annotation_start_boundary.unwrap();
        assert_eq!((boundary.transcript_index, boundary.detailed_boundary), (1, None));
        assert_eq!(annotation.annotation_end_boundary, Some(boundary));
    }

    proptest! {
        #[test]
        fn any_text_has_a_mood(text in "\\PC{0,60}|[a-zA-Z!?.' ]{0,60}|(not |never |so |very |good |least |kind |of |but ){0,9}") {
            let mut transcript = Transcript::default();
            transcript.transcript_segments.push(TranscriptSegment::default());
            transcript.transcript_segments[0].text = text;
            let sentiment = of_segments(&transcript)[0];
            prop_assert!((-1.0..=1.0).contains(&sentiment.score));
        }
    }
}
