//! How long operations of a kind are waited for between polls: a small table with its reasons.

use std::time::Duration;

use crate::any::type_name;
use crate::time::scaled;

/// The waits between polls: the first, how each grows over the one before, and the longest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Schedule {
    pub(super) first: Duration,
    pub(super) growth: f64,
    pub(super) longest: Duration,
    /// How much of a wait that still grows is certain; the rest is drawn.
    pub(super) certain: f64,
}

/// Of an operation whose kind is not known, or that is over in seconds as often as not: an analysis, an upload, a
/// deployment. The first answer may come after a second, and what takes longer is soon asked about seldom.
pub(super) const QUICK: Schedule = Schedule {
    first: Duration::from_secs(1),
    growth: 1.5,
    longest: Duration::from_secs(30),
    certain: 1.0 / 3.0,
};

/// Of an operation that goes over many conversations, or trains on them: minutes at least, often hours. Polls in the
/// first seconds find nothing. Over operations that end after 30 to 90 s this makes 6 polls each, and notices the end 6 s
/// late in the mean (`cargo bench --bench pollers`, line `schedule`).
pub(super) const LASTING: Schedule = Schedule {
    first: Duration::from_secs(10),
    growth: 1.05,
    longest: Duration::from_secs(30),
    certain: CERTAIN_OF_LONGEST,
};

/// Once waits have grown, pollers are spread already, and shall not ask much more often than the longest wait says.
const CERTAIN_OF_LONGEST: f64 = 0.9;

/// The metadata of operations that last. Every other kind is `QUICK`.
const LASTING_KINDS: [&str; 10] = [
    // Training reads every conversation, and takes hours; so does an import with training on top.
    "CreateIssueModelMetadata",
    "TuneQaScorecardRevisionMetadata",
    "ImportIssueModelMetadata",
    // These write or read files and tables of any size.
    "ExportIssueModelMetadata",
    "ExportInsightsDataMetadata",
    "IngestConversationsMetadata",
    "BulkAnalyzeConversationsMetadata",
    "BulkDeleteConversationsMetadata",
    // Labels are written by the hundred thousand.
    "BulkUploadFeedbackLabelsMetadata",
    "BulkDownloadFeedbackLabelsMetadata",
];

impl Schedule {
    /// Of the operations whose metadata has this type URL.
    pub(super) fn of_metadata(type_url: &str) -> Self {
        let name = type_name(type_url);
        let own = name.strip_prefix("google.cloud.contactcenterinsights.v1.").unwrap_or_default();
        if LASTING_KINDS.contains(&own) { LASTING } else { QUICK }
    }

    /// The wait after the `polls`-th poll (from 0: the call that started the operation); `jitter` is drawn from 0 to 1.
    pub(super) fn wait(&self, polls: u32, jitter: f64) -> Duration {
        let has_grown = polls.checked_sub(1).is_some_and(|before| self.full(before) == self.longest);
        let certain = if has_grown { CERTAIN_OF_LONGEST } else { self.certain };
        scaled(self.full(polls), certain + (1.0 - certain) * jitter.clamp(0.0, 1.0))
    }

    fn full(&self, polls: u32) -> Duration {
        let growth = self.growth.powf(f64::from(polls.min(10_000)));
        scaled(self.first, growth).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::FILE_DESCRIPTOR_SET;

    #[test]
    fn waits_grow_by_half_up_to_thirty_seconds() {
        let waits: Vec<_> = (0..200).map(|polls| QUICK.wait(polls, 1.0)).collect();
        assert_eq!(waits[..3], [1000, 1500, 2250].map(Duration::from_millis));
        assert!(waits.is_sorted());
        assert_eq!(waits[199], Duration::from_secs(30));
    }

    #[test]
    fn waits_are_drawn_widely_until_they_have_grown() {
        assert_eq!(QUICK.wait(0, 0.0).as_millis(), 333);
        assert_eq!(QUICK.wait(9, 0.0), Duration::from_secs(10), "the first of 30 s still spreads");
        assert_eq!(QUICK.wait(10, 0.0), Duration::from_secs(27));
        let steady = Schedule { first: Duration::from_secs(30), ..QUICK };
        assert_eq!([0, 1].map(|polls| steady.wait(polls, 0.0).as_secs()), [10, 27]);
    }

    #[test]
    fn what_lasts_is_asked_about_late_and_evenly() {
        let waits = [0, 1, 2, 50].map(|polls| LASTING.wait(polls, 1.0).as_millis());
        assert_eq!(waits, [10_000, 10_500, 11_025, 30_000]);
        assert_eq!(LASTING.wait(0, 0.0), Duration::from_secs(9));
    }

    #[test]
    fn every_kind_of_the_table_is_one_of_the_contract() {
        let of = |kind: &str| {
            Schedule::of_metadata(&format!(
                "type.googleapis.com/google.cloud.contactcenterinsights.v1.{kind}"
            ))
        };
        let contract = String::from_utf8_lossy(FILE_DESCRIPTOR_SET);
        for kind in LASTING_KINDS {
            assert!(contract.contains(kind), "{kind}");
            assert_eq!(of(kind), LASTING);
        }
        for kind in
            ["CreateAnalysisOperationMetadata", "UploadConversationMetadata", "DeployIssueModelMetadata"]
        {
            assert!(contract.contains(kind), "{kind}");
            assert_eq!(of(kind), QUICK);
        }
        for foreign in
            ["", "type.googleapis.com/a.B", "CreateIssueModelMetadata", "x/other.v1.CreateIssueModelMetadata"]
        {
            assert_eq!(Schedule::of_metadata(foreign), QUICK, "{foreign}");
        }
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let minute = Duration::from_mins(1);
        let endless = Schedule { first: Duration::MAX, longest: minute, ..QUICK };
        assert!(endless.wait(u32::MAX, 0.5) <= minute);
        let both = Schedule { first: Duration::MAX, longest: Duration::MAX, ..QUICK };
        assert_eq!(both.wait(u32::MAX, 1.0), Duration::MAX);
        let none = Schedule { first: Duration::ZERO, ..QUICK };
        assert_eq!(none.wait(9, f64::NAN), Duration::ZERO);
    }
}
