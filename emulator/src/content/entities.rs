//! Entities and intents: stand-ins by pattern and by phrase, in place of the service's models.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use contact_center_insights::proto::insights::call_annotation::Data;
use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::entity::Type;
use contact_center_insights::proto::insights::entity_mention_data::MentionType;
use contact_center_insights::proto::insights::{
    CallAnnotation, Entity, EntityMentionData, Intent, IntentMatchData, SentimentData,
};
use regex::Regex;

use super::averages::{Mean, real, share, single};
use super::phrases::{MAX_ANNOTATIONS, boundary};
use super::words::{beginning, place, words};

/// What was found, by id, and where.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    pub(crate) all: BTreeMap<String, T>,
    pub(crate) annotations: Vec<CallAnnotation>,
}

/// In order of precedence: what one pattern has taken, the next ones do not see.
const PATTERNS: [(Type, &str); 5] = [
    (Type::Price, r"[$€£]\s?\d[\d,]*(?:\.\d{1,2})?|\b\d[\d,]*(?:\.\d{1,2})?\s(?:dollars|euros|pounds)\b"),
    (Type::PhoneNumber, r"(?:\+\d{1,3}[ .-]?)?(?:\(\d{3}\)\s?|\b\d{3}[ .-])\d{3}[ .-]\d{4}\b"),
    (
        Type::Date,
        r"(?i)\b\d{4}-\d{2}-\d{2}\b|\b(?:january|february|march|april|june|july|august|september|october|november|december)\s\d{1,2}(?:st|nd|rd|th)?\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b",
    ),
    (Type::Number, r"\b\d+(?:[.,]\d+)*\b"),
    // Two words or more that begin with a capital, as names do.
    (Type::Other, r"\b[A-Z][a-z]+(?:\s[A-Z][a-z]+)+\b"),
];

/// How many entities a conversation is about, how many mentions there are in one segment, of one kind, and how long a name
/// is, in bytes. Beyond that, a text is made of them and says nothing.
const MAX_ENTITIES: usize = 500;
const MAX_MENTIONS: usize = 50;
const MAX_NAME: usize = 100;

/// Entities: prices, telephone numbers, dates, numbers, and names of two words or more.
pub(crate) fn entities(transcript: &Transcript, sentiments: &[SentimentData]) -> Found<Entity> {
    let mut ids: BTreeMap<(i32, String), String> = BTreeMap::new();
    let mut mentions: BTreeMap<String, Mean> = BTreeMap::new();
    let mut found = Found { all: BTreeMap::new(), annotations: Vec::new() };
    for (index, segment) in transcript.transcript_segments.iter().enumerate() {
        let sentiment = sentiments.get(index).copied().unwrap_or_default();
        for (kind, start, text) in mentions_in(beginning(&segment.text)) {
            let key = (kind as i32, text.to_lowercase());
            let next = ids.len() + 1;
            if found.annotations.len() == MAX_ANNOTATIONS || (next > MAX_ENTITIES && !ids.contains_key(&key))
            {
                continue;
            }
            let id = ids.entry(key).or_insert_with(|| format!("entity-{next}")).clone();
            mentions.entry(id.clone()).or_default().add(sentiment.score.into());
            found.all.entry(id.clone()).or_insert_with(|| Entity {
                display_name: text.to_owned(),
                r#type: kind.into(),
                ..Entity::default()
            });
            let first = place(&segment.text, start);
            let ends = text.char_indices().next_back().map_or(start, |(last, _)| start + last);
            let mention = EntityMentionData {
                entity_unique_id: id,
                r#type: if kind == Type::Other { MentionType::Proper } else { MentionType::Common }.into(),
                sentiment: Some(sentiment),
            };
            found.annotations.push(CallAnnotation {
                channel_tag: segment.channel_tag,
                annotation_start_boundary: Some(boundary(index, first)),
                annotation_end_boundary: Some(boundary(index, place(&segment.text, ends) + 1)),
                data: Some(Data::EntityMentionData(mention)),
            });
        }
    }
    let total = real(super::averages::long(found.annotations.len()));
    for (id, entity) in &mut found.all {
        let own = mentions.get(id).copied().unwrap_or_default();
        entity.salience = single(share(own.count(), total));
        let score = own.get().unwrap_or_default();
        entity.sentiment = Some(SentimentData { magnitude: single(score.abs()), score: single(score) });
    }
    found
}

/// Kind, place and text of each, in order of place.
fn mentions_in(text: &str) -> Vec<(Type, usize, &str)> {
    static COMPILED: OnceLock<Vec<(Type, Regex)>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        // A test compiles them all, so that none is left out.
        PATTERNS.iter().filter_map(|(kind, pattern)| Some((*kind, Regex::new(pattern).ok()?))).collect()
    });
    let mut taken: Vec<(Type, usize, &str)> = Vec::new();
    for (kind, pattern) in compiled {
        for found in pattern.find_iter(text).filter(|found| found.len() <= MAX_NAME).take(MAX_MENTIONS) {
            let free = taken
                .iter()
                .all(|(_, start, other)| found.end() <= *start || found.start() >= start + other.len());
            if free {
                taken.push((*kind, found.start(), found.as_str()));
            }
        }
    }
    taken.sort_by_key(|(_, start, _)| *start);
    taken
}

/// What customers and agents are after, and the phrases that give them away.
const INTENTS: [(&str, &str, &[&str]); 8] = [
    ("cancel", "Cancel", &["cancel my", "cancel the", "want to cancel", "close my account"]),
    ("complaint", "Complaint", &["complain", "complaint", "unacceptable", "not happy"]),
    ("escalate", "Escalate", &["your manager", "supervisor", "someone else"]),
    ("greeting", "Greeting", &["thank you for calling", "how can i help", "how may i help"]),
    ("hold", "Hold", &["please hold", "put you on hold", "one moment"]),
    ("payment", "Payment", &["pay my", "make a payment", "my bill", "invoice"]),
    ("refund", "Refund", &["refund", "money back"]),
    ("resolved", "Resolved", &["that solved", "it works now", "that helps", "all set"]),
];

/// Intents, by the phrases above.
pub(crate) fn intents(transcript: &Transcript) -> Found<Intent> {
    let mut found = Found { all: BTreeMap::new(), annotations: Vec::new() };
    for (index, segment) in transcript.transcript_segments.iter().enumerate() {
        if found.annotations.len() >= MAX_ANNOTATIONS {
            break;
        }
        let text: Vec<String> = words(beginning(&segment.text)).map(str::to_lowercase).collect();
        for (id, display_name, phrases) in INTENTS {
            let place = phrases.iter().find_map(|phrase| {
                let phrase: Vec<&str> = phrase.split(' ').collect();
                let place = text.windows(phrase.len()).position(|window| window == phrase)?;
                Some((place, place + phrase.len()))
            });
            let Some((start, end)) = place else { continue };
            let intent = Intent { id: id.to_owned(), display_name: display_name.to_owned() };
            found.all.insert(id.to_owned(), intent);
            found.annotations.push(CallAnnotation {
                channel_tag: segment.channel_tag,
                annotation_start_boundary: Some(boundary(index, start)),
                annotation_end_boundary: Some(boundary(index, end)),
                data: Some(Data::IntentMatchData(IntentMatchData { intent_unique_id: id.to_owned() })),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::conversation::tests::chat;
    use crate::content::sentiment;

    #[test]
    fn every_pattern_compiles() {
        for (_, pattern) in PATTERNS {
            Regex::new(pattern).unwrap();
        }
    }

    #[test]
    fn entities_have_a_kind_a_salience_and_a_place() {
        let transcript = chat(&[
            "customer: I paid $20.50 on Monday to Acme Shipping",
            "agent: Was it $20.50? Call 555 123 4567, order 77",
        ])
        .transcript
        .unwrap();
        let found = entities(&transcript, &sentiment::of_segments(&transcript));
        let names: Vec<(&str, Type)> =
            found.all.values().map(|entity| (entity.display_name.as_str(), entity.r#type())).collect();
        assert_eq!(
            names,
            [
                ("$20.50", Type::Price),
                ("Monday", Type::Date),
                ("Acme Shipping", Type::Other),
                ("555 123 4567", Type::PhoneNumber),
                ("77", Type::Number)
            ]
        );
        assert_eq!(found.annotations.len(), 6);
        assert!((found.all["entity-1"].salience - 2.0 / 6.0).abs() < 1e-6);
        let salience: f32 = found.all.values().map(|entity| entity.salience).sum();
        assert!((salience - 1.0).abs() < 1e-5);
        assert_eq!(found.annotations[0].annotation_start_boundary, Some(boundary(0, 2)));
    }

    #[test]
    fn intents_are_found_by_their_phrases() {
        let transcript =
            chat(&["agent: How can I help?", "customer: I want my MONEY back", "agent: A moneyback"])
                .transcript
                .unwrap();
        let found = intents(&transcript);
        assert_eq!(found.all.keys().collect::<Vec<_>>(), ["greeting", "refund"]);
        assert_eq!(found.annotations[1].annotation_start_boundary, Some(boundary(1, 3)));
    }
}
