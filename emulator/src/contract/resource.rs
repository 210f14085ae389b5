//! The API's resources, from `google.api.resource`: what their names look like, and what they are called.

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use super::options::{option, text, texts};

/// The domain of the API's own resource types; others are only referred to.
pub(super) const OWN: &str = "contactcenterinsights.googleapis.com/";

/// A resource type.
#[derive(Debug)]
pub(crate) struct ResourceType {
    /// Its place among all.
    pub(crate) index: usize,
    pub(crate) message: MessageDescriptor,
    /// What errors call it, such as `issue model`.
    pub(crate) kind: String,
    /// What many of it are called, such as `issueModels`.
    pub(crate) plural: String,
    /// What its names look like, such as `projects/{project}/locations/{location}/views/{view}`; the first is usual.
    pub(crate) patterns: Vec<String>,
    /// The field that says when one of it expires, if the type has one (AIP-214).
    pub(crate) expire_time: Option<u32>,
    /// The field that says when one of it was made, if the type has one (AIP-148).
    pub(crate) create_time: Option<u32>,
    /// How many segments each of the forms has.
    depths: Vec<usize>,
}

impl ResourceType {
    /// An empty one.
    pub(crate) fn message_of(&self) -> DynamicMessage {
        DynamicMessage::new(self.message.clone())
    }

    /// The usual form of its names.
    pub(crate) fn pattern(&self) -> &str {
        self.patterns.first().map_or("", String::as_str)
    }

    /// Whether `name` is of one of its forms.
    pub(crate) fn matches(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| fits(pattern, name))
    }

    /// Whether a name with this many segments can be one of its own at all.
    pub(super) fn may_match(&self, depth: usize) -> bool {
        self.depths.contains(&depth)
    }

    /// Whether there is one in each location: then its name has no id at the end.
    pub(crate) fn is_singleton(&self) -> bool {
        !self.pattern().ends_with('}')
    }

    /// What the names of its parents look like.
    pub(crate) fn parent_pattern(&self) -> &str {
        let mut pattern = self.pattern();
        for _ in 0..(if self.is_singleton() { 1 } else { 2 }) {
            pattern = pattern.rsplit_once('/').map_or("", |(before, _)| before);
        }
        pattern
    }

    /// The segment between the parent's name and the id, such as `revisions`.
    pub(crate) fn collection(&self) -> &str {
        let rest = self.pattern().get(self.parent_pattern().len() + 1..).unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    /// Whether resources of the other type lie directly below those of this one.
    pub(crate) fn is_parent_of(&self, other: &Self) -> bool {
        self.pattern() == other.parent_pattern()
    }
}

/// Whether `name` follows a pattern, segment by segment. One in braces may be anything that is not empty.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let mut segments = name.split('/');
    let all =
        pattern.split('/').all(|wanted| {
            segments.next().is_some_and(|found| {
                if wanted.starts_with('{') { !found.is_empty() } else { found == wanted }
            })
        });
    all && segments.next().is_none()
}

pub(super) fn read(pool: &DescriptorPool) -> Vec<ResourceType> {
    let mut found: Vec<ResourceType> = pool.all_messages().filter_map(|message| one(pool, message)).collect();
    found.sort_by(|a, b| a.message.name().cmp(b.message.name()));
    for (index, resource) in found.iter_mut().enumerate() {
        resource.index = index;
    }
    found
}

fn one(pool: &DescriptorPool, message: MessageDescriptor) -> Option<ResourceType> {
    let stated = option(pool, &message.options(), "google.api.resource")?;
    if !text(&stated, "type").starts_with(OWN) {
        return None;
    }
    let (kind, patterns) = (spaced(message.name()), texts(&stated, "pattern"));
    let depths = patterns.iter().map(|pattern| pattern.split('/').count()).collect();
    let number = |field: &str| message.get_field_by_name(field).map(|field| field.number());
    let (expire_time, create_time) = (number("expire_time"), number("create_time"));
    let plural = text(&stated, "plural");
    let mut resource =
        ResourceType { index: 0, message, kind, plural, patterns, expire_time, create_time, depths };
    if resource.plural.is_empty() {
        // Of one that has no plural, the collection is all there is to call it by.
        resource.plural = resource.collection().to_owned();
    }
    Some(resource)
}

/// `IssueModel` as `issue model`.
fn spaced(name: &str) -> String {
    let mut spaced = String::with_capacity(name.len() + 4);
    for (at, character) in name.char_indices() {
        if at > 0 && character.is_uppercase() {
            spaced.push(' ');
        }
        spaced.extend(character.to_lowercase());
    }
    spaced
}

#[cfg(test)]
mod tests {
    use crate::contract::Contract;

    use super::*;

    #[test]
    fn all_fourteen_are_read() {
        let all = Contract::get().resources();
        let plurals: Vec<&str> = all.iter().map(|resource| resource.plural.as_str()).collect();
        let wanted = "analyses analysisRules conversations encryptionSpec feedbackLabels issues issueModels \
                      phraseMatchers qaQuestions qaScorecards qaScorecardResults qaScorecardRevisions settings views";
        assert_eq!(plurals.join(" "), wanted);
        assert!(all.iter().enumerate().all(|(place, resource)| place == resource.index));
    }

    #[test]
    fn parents_and_collections_come_from_the_pattern() {
        let of = |message: &str| Contract::get().resource(message).unwrap();
        let (card, revision) = (of("QaScorecard"), of("QaScorecardRevision"));
        assert!(card.is_parent_of(revision) && !card.is_parent_of(of("QaQuestion")));
        assert_eq!((revision.collection(), revision.kind.as_str()), ("revisions", "qa scorecard revision"));
        assert_eq!(of("Settings").parent_pattern(), "projects/{project}/locations/{location}");
        assert!(of("Settings").is_singleton() && of("Settings").collection() == "settings");
        assert!(
            of("Conversation")
                .matches("projects/p/locations/l/authorizedViewSets/s/authorizedViews/v/conversations/c")
        );
    }

    #[test]
    fn patterns_match_segment_by_segment() {
        let pattern = "projects/{project}/locations/{location}/operations/{operation}";
        for good in
            ["projects/p/locations/l/operations/1", "projects/a.com:b/locations/eu/operations/OPERATION_ID"]
        {
            assert!(fits(pattern, good), "{good}");
        }
        for bad in [
            "",
            "projects/p/locations/l",
            "projects//locations/l/operations/1",
            "projects/p/locations/l/operations/",
            "projects/p/locations/l/operations/1/x",
            "/projects/p/locations/l/operations/1",
            "folders/p/locations/l/operations/1",
        ] {
            assert!(!fits(pattern, bad), "{bad}");
        }
    }
}
