//! Phrase matchers, by the rules of their message: groups of rules, each rule a phrase that must be there, or must not.
//!
//! Rules are about one segment of the transcript, so that a match has a place in it. A phrase is compared word by
//! word: case and punctuation make no difference, unless the rule asks for case.

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::annotation_boundary::DetailedBoundary;
use contact_center_insights::proto::insights::call_annotation::Data;
use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::conversation_participant::Role;
use contact_center_insights::proto::insights::phrase_match_rule_config::Config;
use contact_center_insights::proto::insights::phrase_match_rule_group::PhraseMatchRuleGroupType;
use contact_center_insights::proto::insights::phrase_matcher::PhraseMatcherType;
use contact_center_insights::proto::insights::{
    AnnotationBoundary, CallAnnotation, PhraseMatchData, PhraseMatchRule, PhraseMatchRuleGroup, PhraseMatcher,
};

use super::conversation::{is_agent, role};
use super::words::{beginning, places, words};

/// How many annotations an analysis has of one kind, in order of the transcript: a call of an hour has some hundreds.
pub(crate) const MAX_ANNOTATIONS: usize = 2000;

/// Where phrases matched, and which matchers did, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Matches {
    pub(crate) annotations: Vec<CallAnnotation>,
    pub(crate) matchers: BTreeMap<String, PhraseMatchData>,
}

/// Runs the matchers that are active over a transcript.
pub(crate) fn run(matchers: &[PhraseMatcher], transcript: &Transcript) -> Matches {
    let mut found = Matches::default();
    let active = matchers.iter().filter(|matcher| matcher.active).map(|matcher| {
        let data = PhraseMatchData {
            phrase_matcher: matcher.name.clone(),
            display_name: matcher.display_name.clone(),
        };
        (matcher, data)
    });
    let active: Vec<_> = active.collect();
    if active.is_empty() {
        return found;
    }
    for (index, segment) in transcript.transcript_segments.iter().enumerate() {
        let said = beginning(&segment.text);
        let text = Words::of(said);
        for (matcher, data) in &active {
            if !is_heard(matcher.role_match(), role(segment)) {
                continue;
            }
            let Some(hit) = matcher_hit(matcher, &text) else { continue };
            if found.annotations.len() < MAX_ANNOTATIONS {
                let (start, end) = hit.unwrap_or((0, text.exact.len()));
                let bounds = places(said, start, end);
                found.annotations.push(CallAnnotation {
                    channel_tag: segment.channel_tag,
                    annotation_start_boundary: Some(boundary(index, bounds.0)),
                    annotation_end_boundary: Some(boundary(index, bounds.1)),
                    data: Some(Data::PhraseMatchData(data.clone())),
                });
            }
            found.matchers.entry(matcher.name.clone()).or_insert_with(|| data.clone());
        }
    }
    found
}

/// Whether what this role says is looked at.
fn is_heard(wanted: Role, said_by: Role) -> bool {
    match wanted {
        Role::Unspecified => true,
        Role::AnyAgent => is_agent(said_by),
        wanted => wanted == said_by,
    }
}

/// A place in a transcript; the word after the last one is where an annotation ends.
pub(crate) fn boundary(segment: usize, word: usize) -> AnnotationBoundary {
    AnnotationBoundary {
        transcript_index: i32::try_from(segment).unwrap_or(i32::MAX),
        detailed_boundary: Some(DetailedBoundary::WordIndex(i32::try_from(word).unwrap_or(i32::MAX))),
    }
}

/// A whole segment of a transcript.
pub(crate) fn whole(segment: usize) -> AnnotationBoundary {
    AnnotationBoundary {
        transcript_index: i32::try_from(segment).unwrap_or(i32::MAX),
        detailed_boundary: None,
    }
}

/// The words of a segment, as written and without case.
struct Words<'a> {
    exact: Vec<&'a str>,
    folded: Vec<String>,
}

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Self {
        let exact: Vec<&str> = words(text).collect();
        let folded = exact.iter().map(|word| word.to_lowercase()).collect();
        Self { exact, folded }
    }
}

/// From this word to before that one; `None` for a rule that holds because a phrase is absent.
type Hit = Option<(usize, usize)>;

fn matcher_hit(matcher: &PhraseMatcher, text: &Words<'_>) -> Option<Hit> {
    let groups = matcher.phrase_match_rule_groups.iter().map(|group| group_hit(group, text));
    combine(groups, matcher.r#type() == PhraseMatcherType::AllOf)
}

fn group_hit(group: &PhraseMatchRuleGroup, text: &Words<'_>) -> Option<Hit> {
    let rules = group.phrase_match_rules.iter().map(|rule| rule_hit(rule, text));
    combine(rules, group.r#type() == PhraseMatchRuleGroupType::AllOf)
}

/// Whether all, or any, of the parts hold, and where: the place of the first that has one. Nothing holds of no parts.
fn combine(parts: impl Iterator<Item = Option<Hit>>, all: bool) -> Option<Hit> {
    let mut result = None;
    for part in parts {
        match part {
            None if all => return None,
            None => {}
            Some(Some(place)) => result = Some(result.flatten().or(Some(place))),
            Some(None) => result = Some(result.flatten()),
        }
    }
    result
}

fn rule_hit(rule: &PhraseMatchRule, text: &Words<'_>) -> Option<Hit> {
    let config = rule.config.as_ref().and_then(|config| config.config.as_ref());
    let by_case = matches!(config, Some(Config::ExactMatchConfig(exact)) if exact.case_sensitive);
    let phrase: Vec<&str> = words(&rule.query).collect();
    let place = if by_case {
        find(&text.exact, &phrase)
    } else {
        let folded: Vec<String> = phrase.iter().map(|word| word.to_lowercase()).collect();
        find(&text.folded, &folded)
    };
    match (place, rule.negated) {
        (Some(start), false) => Some(Some((start, start + phrase.len()))),
        (None, true) => Some(None),
        _ => None,
    }
}

fn find<T: PartialEq>(text: &[T], phrase: &[T]) -> Option<usize> {
    if phrase.is_empty() {
        return None;
    }
    text.windows(phrase.len()).position(|window| window == phrase)
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::insights::{ExactMatchConfig, PhraseMatchRuleConfig};

    use super::*;
    use crate::content::conversation::tests::chat;

    fn rule(query: &str) -> PhraseMatchRule {
        let (negated, query) = query.strip_prefix('-').map_or((false, query), |query| (true, query));
        let (case_sensitive, query) = query.strip_prefix('=').map_or((false, query), |query| (true, query));
        let config = Config::ExactMatchConfig(ExactMatchConfig { case_sensitive });
        let config = Some(PhraseMatchRuleConfig { config: Some(config) });
        PhraseMatchRule { query: query.into(), negated, config }
    }

    fn group(all: bool, rules: &[&str]) -> PhraseMatchRuleGroup {
        let kind = if all { PhraseMatchRuleGroupType::AllOf } else { PhraseMatchRuleGroupType::AnyOf };
        PhraseMatchRuleGroup {
            r#type: kind.into(),
            phrase_match_rules: rules.iter().copied().map(rule).collect(),
        }
    }

    fn matcher(all: bool, groups: Vec<PhraseMatchRuleGroup>) -> PhraseMatcher {
        let kind = if all { PhraseMatcherType::AllOf } else { PhraseMatcherType::AnyOf };
        PhraseMatcher {
            name: "m".into(),
            display_name: "M".into(),
            r#type: kind.into(),
            active: true,
            phrase_match_rule_groups: groups,
            ..PhraseMatcher::default()
        }
    }

    /// Segment, first word, and the word after the last, of each match.
    fn places(matcher: &PhraseMatcher, lines: &[&str]) -> Vec<(i32, i32, i32)> {
        let transcript = chat(lines).transcript.unwrap();
        let word = |boundary: Option<AnnotationBoundary>| {
            let boundary = boundary.unwrap();
            let Some(DetailedBoundary::WordIndex(word)) = boundary.detailed_boundary else { panic!() };
            (boundary.transcript_index, word)
        };
        let found =
            run(std::slice::from_ref(matcher), &transcript).annotations.into_iter().map(|annotation| {
                let (start, end) =
                    (word(annotation.annotation_start_boundary), word(annotation.annotation_end_boundary));
                assert_eq!(start.0, end.0);
                (start.0, start.1, end.1)
            });
        found.collect()
    }

    const LINES: [&str; 3] =
        ["agent: Thank you for calling!", "customer: Thank-you, the PHONE is broken", "agent: A phone?"];

    #[test]
    fn phrases_are_compared_word_by_word() {
        let any = |query: &str| matcher(false, vec![group(false, &[query])]);
        assert_eq!(places(&any("thank you"), &LINES), [(0, 0, 2), (1, 0, 1)]);
        assert_eq!(places(&any("phone"), &LINES), [(1, 2, 3), (2, 1, 2)]);
        assert_eq!(places(&any("=PHONE"), &LINES), [(1, 2, 3)]);
        assert_eq!(places(&any("hone"), &LINES), []);
        assert_eq!(places(&any("!?"), &LINES), []);
    }

    #[test]
    fn groups_and_rules_are_all_or_any() {
        let all_rules = matcher(true, vec![group(true, &["phone", "broken"])]);
        assert_eq!(places(&all_rules, &LINES), [(1, 2, 3)]);
        let any_rule = matcher(true, vec![group(false, &["calling", "broken"])]);
        assert_eq!(places(&any_rule, &LINES), [(0, 3, 4), (1, 4, 5)]);
        let both_groups = matcher(true, vec![group(false, &["thank you"]), group(false, &["phone"])]);
        assert_eq!(places(&both_groups, &LINES), [(1, 0, 1)]);
        let either_group = matcher(false, vec![group(false, &["calling"]), group(false, &["broken"])]);
        assert_eq!(places(&either_group, &LINES).len(), 2);
    }

    #[test]
    fn a_negated_rule_holds_where_the_phrase_is_absent() {
        let phone_not_broken = matcher(true, vec![group(true, &["phone", "-broken"])]);
        assert_eq!(places(&phone_not_broken, &LINES), [(2, 1, 2)]);
        let only_absence = matcher(true, vec![group(true, &["-phone"])]);
        assert_eq!(places(&only_absence, &LINES), [(0, 0, 4)], "the whole segment");
    }

    #[test]
    fn only_active_matchers_hear_only_their_role() {
        let mut one = matcher(false, vec![group(false, &["phone"])]);
        for (role, segments) in [
            (Role::EndUser, vec![1]),
            (Role::HumanAgent, vec![2]),
            (Role::AnyAgent, vec![2]),
            (Role::AutomatedAgent, vec![]),
        ] {
            one.role_match = role.into();
            let found: Vec<i32> = places(&one, &LINES).into_iter().map(|place| place.0).collect();
            assert_eq!(found, segments, "{role:?}");
        }
        one.active = false;
        one.role_match = 0;
        assert_eq!(places(&one, &LINES), []);
    }

    #[test]
    fn nothing_matches_without_rules() {
        assert_eq!(places(&matcher(true, vec![]), &LINES), []);
        assert_eq!(places(&matcher(true, vec![group(true, &[])]), &LINES), []);
    }
}
