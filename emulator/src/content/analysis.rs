//! One analysis: the annotators that were asked for, over one conversation.

use contact_center_insights::proto::insights::analysis_result::CallAnalysisMetadata;
use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::{
    AnnotatorSelector, CallAnnotation, Conversation, ConversationSummarizationSuggestionData, FeedbackLabel,
    Issue, IssueModelResult, PhraseMatcher, SentimentData,
};

use super::phrases::MAX_ANNOTATIONS;
use super::quality::{self, Scorecard};
use super::topics::{Classifier, customer_text};
use super::{entities, phrases, sentiment, silence, summary};

/// What annotators work with: what the selector named, or what is in use where it named nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tools {
    pub(crate) matchers: Vec<PhraseMatcher>,
    /// The issue model to run, and its issues.
    pub(crate) issue_model: Option<(String, Vec<Issue>)>,
    pub(crate) scorecards: Vec<Scorecard>,
    /// Those of the conversation.
    pub(crate) labels: Vec<FeedbackLabel>,
}

/// What came of it. The last two belong to the conversation, not to the analysis.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Findings {
    pub(crate) metadata: CallAnalysisMetadata,
    pub(crate) summary: Option<ConversationSummarizationSuggestionData>,
    /// The sentiment of each segment that has one; empty if that was not asked for.
    pub(crate) sentiments: Vec<Option<SentimentData>>,
}

/// Every annotator; for calls that select none.
pub(crate) fn all() -> AnnotatorSelector {
    AnnotatorSelector {
        run_interruption_annotator: true,
        run_silence_annotator: true,
        run_phrase_matcher_annotator: true,
        run_sentiment_annotator: true,
        run_entity_annotator: true,
        run_intent_annotator: true,
        run_issue_model_annotator: true,
        run_summarization_annotator: true,
        run_qa_annotator: true,
        ..AnnotatorSelector::default()
    }
}

/// Runs the annotators. A conversation without transcript has nothing to be found in, and gets an empty result.
pub(crate) fn run(conversation: &Conversation, selector: &AnnotatorSelector, tools: &Tools) -> Findings {
    let nothing = Transcript::default();
    let transcript = conversation.transcript.as_ref().unwrap_or(&nothing);
    let sentiments = sentiment::of_segments(transcript);
    let mut found = Findings::default();
    let metadata = &mut found.metadata;
    if selector.run_interruption_annotator {
        metadata.annotations.extend(silence::interruptions(transcript).into_iter().take(MAX_ANNOTATIONS));
    }
    if selector.run_silence_annotator {
        metadata.annotations.extend(silence::annotations(transcript).into_iter().take(MAX_ANNOTATIONS));
        metadata.silence = Some(silence::level(transcript));
    }
    if selector.run_phrase_matcher_annotator {
        let matches = phrases::run(&tools.matchers, transcript);
        metadata.annotations.extend(matches.annotations);
        metadata.phrase_matchers = matches.matchers;
    }
    if selector.run_sentiment_annotator {
        let felt = sentiment::annotations(transcript, &sentiments);
        metadata.annotations.extend(felt.into_iter().take(MAX_ANNOTATIONS));
        metadata.sentiments = sentiment::of_channels(transcript, &sentiments);
    }
    if selector.run_entity_annotator {
        let found = entities::entities(transcript, &sentiments);
        metadata.annotations.extend(found.annotations);
        metadata.entities = found.all;
    }
    if selector.run_intent_annotator {
        let found = entities::intents(transcript);
        metadata.annotations.extend(found.annotations);
        metadata.intents = found.all;
    }
    if let Some((issue_model, issues)) =
        tools.issue_model.as_ref().filter(|_| selector.run_issue_model_annotator)
    {
        let assigned = Classifier::new(issues).assign(&customer_text(conversation));
        metadata.issue_model_result = Some(IssueModelResult {
            issue_model: issue_model.clone(),
            issues: assigned.into_iter().collect(),
        });
    }
    if selector.run_qa_annotator {
        let results = tools.scorecards.iter().map(|card| quality::score(conversation, card, &tools.labels));
        metadata.qa_scorecard_results = results.collect();
    }
    metadata.annotations.sort_by_key(place);
    if selector.run_summarization_annotator {
        found.summary = summary::summarise(transcript, &sentiments);
    }
    if selector.run_sentiment_annotator {
        let segments = transcript.transcript_segments.iter().zip(sentiments);
        found.sentiments =
            segments.map(|(segment, sentiment)| sentiment::is_felt(segment).then_some(sentiment)).collect();
    }
    found
}

/// Annotations come in the order of the transcript.
fn place(annotation: &CallAnnotation) -> (i32, i32) {
    use contact_center_insights::proto::insights::annotation_boundary::DetailedBoundary::WordIndex;
    let start = annotation.annotation_start_boundary.as_ref();
    start.map_or((0, 0), |start| {
        let WordIndex(word) = start.detailed_boundary.unwrap_or(WordIndex(0));
        (start.transcript_index, word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::conversation::tests::chat;

    fn matcher(phrases: &[&str]) -> PhraseMatcher {
        use contact_center_insights::proto::insights::{PhraseMatchRule, PhraseMatchRuleGroup};

        let rule =
            |query: &&str| PhraseMatchRule { query: (*query).to_owned(), ..PhraseMatchRule::default() };
        let rules = phrases.iter().map(rule).collect();
        let group = PhraseMatchRuleGroup { r#type: 2, phrase_match_rules: rules };
        PhraseMatcher {
            name: "m".into(),
            r#type: 2,
            active: true,
            phrase_match_rule_groups: vec![group],
            ..PhraseMatcher::default()
        }
    }

    fn tools() -> Tools {
        let issue = Issue { name: "m/issues/1".into(), display_name: "Refund".into(), ..Issue::default() };
        let card = Scorecard { revision: "r".into(), questions: Vec::new() };
        Tools { issue_model: Some(("m".into(), vec![issue])), scorecards: vec![card], ..Tools::default() }
    }

    #[test]
    fn every_annotator_finds_its_own() {
        let made = chat(&["agent: How can I help?", "customer: I hate it. A refund of $20, please"]);
        let found = run(&made, &all(), &tools());
        let metadata = &found.metadata;
        assert_eq!(metadata.intents.len(), 2);
        assert_eq!(metadata.entities.len(), 1);
        assert_eq!(metadata.sentiments.len(), 1);
        assert!(metadata.silence.is_some());
        assert_eq!(metadata.issue_model_result.as_ref().unwrap().issues[0].display_name, "Refund");
        assert_eq!(metadata.qa_scorecard_results.len(), 1);
        assert!(found.summary.is_some() && found.sentiments.len() == 2);
        assert!(metadata.annotations.is_sorted_by_key(place));
        assert_eq!(found, run(&made, &all(), &tools()), "the same each time");
    }

    #[test]
    fn nothing_is_found_that_was_not_asked_for() {
        let made = chat(&["agent: How can I help?", "customer: I hate it. A refund of $20, please"]);
        assert_eq!(run(&made, &AnnotatorSelector::default(), &tools()), Findings::default());
        let only = AnnotatorSelector { run_entity_annotator: true, ..AnnotatorSelector::default() };
        let found = run(&made, &only, &tools()).metadata;
        assert_eq!((found.entities.len(), found.annotations.len(), found.intents.len()), (1, 1, 0));
    }

    #[test]
    fn what_is_found_is_less_than_what_was_said_however_it_was_said() {
        use prost::Message as _;

        let tools = Tools { matchers: vec![matcher(&["1", "hate", "a"])], ..tools() };
        let numbers =
            |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
        for (what, lines) in [
            ("one text of numbers", vec![format!("customer: {}", numbers(100_000))]),
            ("many texts of numbers", vec![format!("customer: {}", numbers(100)); 1000]),
            ("one name", vec![format!("customer: {}", "Acme Shipping ".repeat(20_000))]),
            ("many names", (0..2000).map(|n| format!("agent: Aa Bb{} Cc", "x".repeat(n % 90))).collect()),
            (
                "short texts",
                (0..20_000).map(|n| format!("{}: I hate 1", ["agent", "customer"][n % 2])).collect(),
            ),
        ] {
            let made = chat(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            let found = run(&made, &all(), &tools);
            let (said, size) = (made.encoded_len(), found.metadata.encoded_len());
            let summary = found.summary.map_or(0, |summary| summary.encoded_len());
            assert!(size + summary < said.max(1_000_000), "{what}: {size} and {summary} of {said}");
            assert!(found.metadata.annotations.len() <= 6 * MAX_ANNOTATIONS, "{what}");
        }
    }

    #[test]
    fn a_conversation_without_transcript_has_an_empty_result() {
        let found = run(&Conversation::default(), &all(), &Tools::default());
        assert!(found.metadata.annotations.is_empty() && found.summary.is_none());
    }
}
