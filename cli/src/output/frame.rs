//! A picture of operations for a terminal that is drawn over: what runs first, as many as there are rows for.

use contact_center_insights::json::Printer;
use contact_center_insights::proto::longrunning::Operation;

use super::layout::{Look, cut};
use super::summary::Summary;
use super::table::many_for;
use super::to_value;
use crate::escape::line;

/// What is shown, below its title.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) operations: &'a [Operation],
    /// Without them, all is shown.
    pub(crate) rows: Option<usize>,
}

impl Frame<'_> {
    /// The lines for stdout as it is now.
    pub(crate) fn text(&self) -> String {
        self.text_for(Look::of_stdout())
    }

    fn text_for(&self, look: Look) -> String {
        let mut summaries: Vec<Summary> = self
            .operations
            .iter()
            .map(|operation| {
                Summary::new(operation, &to_value(Printer::new(), operation).unwrap_or_default())
            })
            .collect();
        // What runs comes first, and what is new before what is old.
        summaries.sort_by(|a, b| a.is_done().cmp(&b.is_done()).then_with(|| b.created.cmp(&a.created)));
        // The title, the header, and a line for what there is no row for.
        let most = self.rows.map_or(usize::MAX, |rows| rows.saturating_sub(4).max(1));
        let shown: Vec<&Summary> = summaries.iter().take(most).collect();
        let left_out = summaries.len().saturating_sub(shown.len());
        let mut lines = vec![cut(&line(self.title), look.width.unwrap_or(usize::MAX), look.is_utf8)];
        lines.extend(many_for(&shown, look));
        if left_out > 0 {
            lines.push(format!("and {left_out} more"));
        }
        lines.into_iter().map(|line| line + "\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use contact_center_insights::any::pack;
    use contact_center_insights::prost_types::Timestamp;
    use contact_center_insights::proto::insights::CreateIssueModelMetadata;

    use super::*;

    #[test]
    fn a_picture_fits_the_screen_with_what_runs_on_top() {
        let operation = |id: i64, done: bool| Operation {
            name: format!("projects/p/locations/l/operations/{id}"),
            metadata: Some(pack(&CreateIssueModelMetadata {
                create_time: Some(Timestamp { seconds: id * 60, nanos: 0 }),
                ..Default::default()
            })),
            done,
            result: None,
        };
        let operations: Vec<_> = (1..=9).map(|id| operation(id, id % 2 == 1)).collect();
        let frame =
            Frame { title: &"9 operations in projects/p".repeat(4), operations: &operations, rows: Some(8) };
        let look = Look { width: Some(40), has_colors: false, is_utf8: true, now: 600 };
        assert_eq!(
            frame.text_for(look),
            "9 operations in projects/p9 operations…\n\
             NAME  TYPE              STATE    AGE\n\
             8     CreateIssueModel  RUNNING  2m\n\
             6     CreateIssueModel  RUNNING  4m\n\
             4     CreateIssueModel  RUNNING  6m\n\
             2     CreateIssueModel  RUNNING  8m\n\
             and 5 more\n"
        );
    }
}
