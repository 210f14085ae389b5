//! What the command of a method is called: a group by the resource, and a verb. `BulkAnalyzeConversations` is
//! `cci conversations bulk-analyze`, `GetQaScorecardRevision` is `cci scorecards revisions get`.

/// The groups, and what they are about. They stand here so that `cci --help` need not read the descriptors; a test
/// compares them.
pub(crate) const GROUPS: [(&str, &str); 14] = [
    ("analyses", "Analyses of conversations"),
    ("analysis-rules", "Rules by which new conversations are analysed"),
    ("conversations", "Conversations: upload, ingest, analyse in bulk"),
    ("encryption-spec", "The key that data of a location is encrypted with"),
    ("feedback-labels", "Labels by which people judge what was found"),
    ("insights-data", "Export of what was found, to BigQuery"),
    ("issue-models", "Models that find the issues in conversations: train, deploy, export"),
    ("issues", "The issues of a model"),
    ("metrics", "Figures over many conversations"),
    ("phrase-matchers", "Phrases to look for"),
    ("scorecards", "Quality scorecards, their revisions and questions"),
    ("settings", "The settings of a location"),
    ("stats", "Statistics over conversations"),
    ("views", "Saved filters over conversations"),
];

/// Where the command of a method stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The group, and the group within it if there is one.
    pub(crate) group: Vec<&'static str>,
    /// Such as `list`.
    pub(crate) verb: String,
}

/// Methods whose names do not end in a resource.
const OTHERS: [(&str, &[&str], &str); 4] = [
    ("CalculateIssueModelStats", &["issue-models"], "stats"),
    ("CalculateStats", &["stats"], "calculate"),
    ("ExportInsightsData", &["insights-data"], "export"),
    ("QueryMetrics", &["metrics"], "query"),
];
/// What names end in, one or many of it, the longer first where one ends in another.
const NOUNS: [(&str, &str, &[&str]); 13] = [
    ("AnalysisRule", "AnalysisRules", &["analysis-rules"]),
    ("Analysis", "Analyses", &["analyses"]),
    ("Conversation", "Conversations", &["conversations"]),
    ("EncryptionSpec", "EncryptionSpecs", &["encryption-spec"]),
    ("FeedbackLabel", "FeedbackLabels", &["feedback-labels"]),
    ("IssueModel", "IssueModels", &["issue-models"]),
    ("Issue", "Issues", &["issues"]),
    ("PhraseMatcher", "PhraseMatchers", &["phrase-matchers"]),
    ("QaScorecardRevision", "QaScorecardRevisions", &["scorecards", "revisions"]),
    ("QaScorecard", "QaScorecards", &["scorecards"]),
    ("QaQuestion", "QaQuestions", &["scorecards", "questions"]),
    ("Settings", "Settings", &["settings"]),
    ("View", "Views", &["views"]),
];

impl Place {
    /// Where the command of a method of this name stands; none for one of operations, which have commands of their own.
    pub(crate) fn of(method: &str) -> Option<Self> {
        if let Some((_, group, verb)) = OTHERS.iter().find(|(name, ..)| *name == method) {
            return Some(Self { group: group.to_vec(), verb: (*verb).to_owned() });
        }
        NOUNS.iter().find_map(|(one, many, group)| {
            let verb = method.strip_suffix(many).or_else(|| method.strip_suffix(one))?;
            Some(Self { group: group.to_vec(), verb: kebab(verb) })
        })
    }
}

/// `BulkAnalyze` and `bulkAnalyze` as `bulk-analyze`, `page_size` as `page-size`.
pub(crate) fn kebab(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(if letter == '_' { '-' } else { letter.to_ascii_lowercase() });
    }
    words
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Api;
    use super::*;

    #[test]
    fn every_method_has_a_command_of_its_own() {
        let api = Api::get();
        let mut taken = BTreeSet::new();
        let mut groups = BTreeSet::new();
        for rpc in api.rpcs().iter().filter(|rpc| !rpc.is_of_operations()) {
            let place = Place::of(rpc.name()).unwrap_or_else(|| panic!("{} has no command", rpc.name()));
            assert!(!place.verb.is_empty(), "{}", rpc.name());
            groups.insert(place.group[0]);
            assert!(taken.insert((place.group, place.verb)), "{} is there twice", rpc.name());
        }
        let known: BTreeSet<_> = GROUPS.iter().map(|(name, _)| *name).collect();
        assert_eq!(groups, known);
        assert!(OTHERS.iter().all(|(name, ..)| api.rpc(name).is_some()));
    }

    #[test]
    fn commands_are_called_as_people_would() {
        for (method, command) in [
            ("ListConversations", "conversations list"),
            ("BulkAnalyzeConversations", "conversations bulk-analyze"),
            ("CreateAnalysis", "analyses create"),
            ("DeployIssueModel", "issue-models deploy"),
            ("TuneQaScorecardRevision", "scorecards revisions tune"),
            ("ListAllFeedbackLabels", "feedback-labels list-all"),
            ("InitializeEncryptionSpec", "encryption-spec initialize"),
            ("CalculateStats", "stats calculate"),
            ("GetSettings", "settings get"),
        ] {
            let place = Place::of(method).unwrap();
            assert_eq!(format!("{} {}", place.group.join(" "), place.verb), command);
        }
        assert_eq!(kebab("page_size"), "page-size");
    }
}
