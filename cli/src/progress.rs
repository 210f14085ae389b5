//! How far an operation is, read from its typed metadata: pure functions.

use std::fmt;

use contact_center_insights::Payload;
use contact_center_insights::proto::rpc;
use serde_json::{Value, json};

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Done well.
    pub(crate) completed: u64,
    /// Done, but in vain.
    pub(crate) failed: u64,
    /// To be done in all, where that is known.
    pub(crate) total: Option<u64>,
    unit: &'static str,
}

impl Progress {
    fn new(unit: &'static str, completed: i32, failed: i32, total: i32) -> Self {
        let total = Some(count(total)).filter(|total| *total > 0);
        Self { completed: count(completed), failed: count(failed), total, unit }
    }

    /// Reads the metadata of the methods that count; `None` for the others.
    pub(crate) fn of(metadata: &Payload) -> Option<Self> {
        Some(match metadata {
            Payload::BulkAnalyzeConversationsMetadata(m) => Self::new(
                "analyses",
                m.completed_analyses_count,
                m.failed_analyses_count,
                m.total_requested_analyses_count,
            ),
            Payload::IngestConversationsMetadata(m) => {
                let stats = m.ingest_conversations_stats?;
                let completed = stats.successful_ingest_count.saturating_add(stats.duplicates_skipped_count);
                Self::new("objects", completed, stats.failed_ingest_count, 0)
            }
            Payload::BulkUploadFeedbackLabelsMetadata(m) => {
                let stats = m.upload_stats?;
                Self::new("labels", stats.successful_upload_count, stats.failed_validation_count, 0)
            }
            Payload::BulkDownloadFeedbackLabelsMetadata(m) => {
                Self::new("labels", m.download_stats.as_ref()?.successful_download_count, 0, 0)
            }
            Payload::TuneQaScorecardRevisionMetadata(m) => {
                Self::new("%", percent(m.tuning_completion_ratio), 0, 100)
            }
            Payload::CreateIssueModelMetadata(m) => {
                let config = m.request.as_ref()?.issue_model.as_ref()?.input_data_config.as_ref()?;
                let completed = config.training_conversations_count.try_into().unwrap_or(0);
                Self { completed, failed: 0, total: None, unit: "conversations" }
            }
            _ => return None,
        })
    }

    /// Of several operations, how many have ended.
    pub(crate) fn of_operations(completed: u64, failed: u64, total: u64) -> Self {
        Self { completed, failed, total: Some(total), unit: "operations" }
    }

    /// For programs.
    pub(crate) fn to_json(self) -> Value {
        let Self { completed, failed, total, unit } = self;
        json!({"completed": completed, "failed": failed, "total": total, "unit": unit})
    }

    /// For a cell of a table: `40%` where the total is known, else how many.
    pub(crate) fn short(&self) -> String {
        match self.total.filter(|total| *total > 0) {
            Some(total) => {
                let percent = u128::from(self.position()).saturating_mul(100) / u128::from(total);
                format!("{}%", percent.min(100))
            }
            // Before the first is done, nothing is known.
            None if self.position() == 0 => String::new(),
            None => self.position().to_string(),
        }
    }

    /// The same, for one who knows how much is to be done.
    pub(crate) fn with_total(mut self, total: u64) -> Self {
        self.total = Some(total);
        self
    }

    fn unit_of(&self, count: u64) -> &'static str {
        match self.unit {
            _ if count != 1 => self.unit,
            "analyses" => "analysis",
            unit => unit.strip_suffix('s').unwrap_or(unit),
        }
    }

    /// Done, well or in vain.
    pub(crate) fn position(&self) -> u64 {
        self.completed.saturating_add(self.failed)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.position())?;
        match self.total {
            Some(_) if self.unit == "%" => f.write_str("%")?,
            Some(total) => write!(f, "/{total} {}", self.unit_of(total))?,
            None => write!(f, " {}", self.unit_of(self.position()))?,
        }
        if self.failed > 0 { write!(f, ", {} failed", self.failed) } else { Ok(()) }
    }
}

/// What went wrong with parts of a bulk operation.
pub(crate) fn partial_errors(metadata: &Payload) -> &[rpc::Status] {
    match metadata {
        Payload::BulkAnalyzeConversationsMetadata(m) => &m.partial_errors,
        Payload::BulkDeleteConversationsMetadata(m) => &m.partial_errors,
        Payload::BulkDownloadFeedbackLabelsMetadata(m) => &m.partial_errors,
        Payload::BulkUploadFeedbackLabelsMetadata(m) => &m.partial_errors,
        Payload::ExportInsightsDataMetadata(m) => &m.partial_errors,
        Payload::IngestConversationsMetadata(m) => &m.partial_errors,
        Payload::InitializeEncryptionSpecMetadata(m) => &m.partial_errors,
        _ => &[],
    }
}

/// Counts do not go below zero, whatever a server says.
fn count(number: i32) -> u64 {
    number.try_into().unwrap_or(0)
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "it is from 0 to 100, and what is not a number casts to 0"
)]
fn percent(ratio: f64) -> i32 {
    (ratio * 100.0).clamp(0.0, 100.0) as i32
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::insights::{
        BulkAnalyzeConversationsMetadata, BulkDownloadFeedbackLabelsMetadata,
        BulkUploadFeedbackLabelsMetadata, CreateIssueModelMetadata, CreateIssueModelRequest,
        DeployIssueModelMetadata, IngestConversationsMetadata, IssueModel, TuneQaScorecardRevisionMetadata,
        bulk_download_feedback_labels_metadata::DownloadStats,
        bulk_upload_feedback_labels_metadata::UploadStats,
        ingest_conversations_metadata::IngestConversationsStats, issue_model::InputDataConfig,
    };

    use super::*;

    fn analyze(completed: i32, failed: i32, total: i32) -> Payload {
        Payload::from(BulkAnalyzeConversationsMetadata {
            completed_analyses_count: completed,
            failed_analyses_count: failed,
            total_requested_analyses_count: total,
            ..Default::default()
        })
    }

    fn tune(ratio: f64) -> Payload {
        TuneQaScorecardRevisionMetadata { tuning_completion_ratio: ratio, ..Default::default() }.into()
    }

    #[test]
    fn every_method_that_counts_is_read() {
        let ingest = IngestConversationsStats {
            processed_object_count: 9,
            duplicates_skipped_count: 2,
            successful_ingest_count: 5,
            failed_ingest_count: 1,
        };
        let upload =
            UploadStats { successful_upload_count: 4, failed_validation_count: 2, ..Default::default() };
        let download = DownloadStats { successful_download_count: 7, ..Default::default() };
        let config = InputDataConfig { training_conversations_count: 12, ..Default::default() };
        let model = IssueModel { input_data_config: Some(config), ..Default::default() };
        let request = CreateIssueModelRequest { issue_model: Some(model), ..Default::default() };
        let cases: [(Payload, &str); 10] = [
            (analyze(1, 0, 1), "1/1 analysis"),
            (analyze(0, 1, 2), "1/2 analyses, 1 failed"),
            (analyze(1, 0, 0), "1 analysis"),
            (analyze(3, 1, 10), "4/10 analyses, 1 failed"),
            (analyze(0, 0, 0), "0 analyses"),
            (
                IngestConversationsMetadata {
                    ingest_conversations_stats: Some(ingest),
                    ..Default::default()
                }
                .into(),
                "8 objects, 1 failed",
            ),
            (
                BulkUploadFeedbackLabelsMetadata { upload_stats: Some(upload), ..Default::default() }.into(),
                "6 labels, 2 failed",
            ),
            (
                BulkDownloadFeedbackLabelsMetadata { download_stats: Some(download), ..Default::default() }
                    .into(),
                "7 labels",
            ),
            (tune(0.427), "42%"),
            (
                CreateIssueModelMetadata { request: Some(request), ..Default::default() }.into(),
                "12 conversations",
            ),
        ];
        assert_eq!(
            [(3, 1, 10), (1, 0, 0)].map(|(a, b, c)| Progress::of(&analyze(a, b, c)).unwrap().short()),
            ["40%", "1"]
        );
        for (metadata, shown) in cases {
            assert_eq!(Progress::of(&metadata).unwrap().to_string(), shown);
        }
        assert_eq!(Progress::of(&DeployIssueModelMetadata::default().into()), None);
        assert_eq!(Progress::of(&CreateIssueModelMetadata::default().into()), None);
    }

    #[test]
    fn absurd_numbers_are_tolerated() {
        for (ratio, shown) in [(f64::NAN, "0%"), (f64::INFINITY, "100%"), (-1.0, "0%"), (7.0, "100%")] {
            assert_eq!(Progress::of(&tune(ratio)).unwrap().to_string(), shown);
        }
        assert_eq!(Progress::of(&analyze(-5, i32::MIN, -1)).unwrap().position(), 0);
        let known = Progress::of(&analyze(i32::MAX, i32::MAX, 1)).unwrap().with_total(36);
        assert_eq!((known.position(), known.total), (4_294_967_294, Some(36)));
    }

    #[test]
    fn partial_errors_are_found() {
        let partial_errors = vec![rpc::Status { code: 3, ..Default::default() }];
        let metadata = BulkAnalyzeConversationsMetadata { partial_errors, ..Default::default() };
        assert_eq!(super::partial_errors(&metadata.into()).len(), 1);
        assert!(super::partial_errors(&tune(0.0)).is_empty());
    }
}
