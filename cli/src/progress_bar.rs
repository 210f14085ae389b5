//! Shows progress on stderr while an operation runs, if a person is looking.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::progress::Progress;
use crate::terminal::{Shown, can_redraw, is_utf8};

const SPINNER: &str = "{spinner} {wide_msg} {elapsed}";
/// Most of what is not known to be long is given to the words: 40 columns are enough.
const BAR: &str = "{spinner} [{bar:12}] {wide_msg} {elapsed}";

/// A line with a spinner, which becomes a bar once the total is known. Dropping it clears the line.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    bar: Option<ProgressBar>,
    /// Whoever writes to the terminal meanwhile writes above it.
    _shown: Option<Shown>,
}

impl ProgressLine {
    /// Starts at zero. Where stderr cannot be redrawn, nothing is ever shown.
    pub(crate) fn start() -> Self {
        let bar = can_redraw().then(|| {
            let bar = ProgressBar::new_spinner().with_style(style(SPINNER));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.set_message("waiting");
            bar
        });
        let shown = bar.clone().map(|bar| Shown::new(move |write| bar.suspend(write)));
        Self { bar, _shown: shown }
    }

    /// Writes a line above.
    pub(crate) fn say(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.println(text);
        }
    }

    /// Shows how far it is; `None` if the operation does not tell.
    pub(crate) fn show(&self, progress: Option<Progress>) {
        let (Some(bar), Some(progress)) = (&self.bar, progress) else { return };
        if let Some(total) = progress.total
            && bar.length() != Some(total)
        {
            bar.set_length(total);
            bar.set_style(style(BAR).progress_chars("=> "));
        }
        bar.set_position(progress.position());
        bar.set_message(progress.to_string());
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The templates are constants; the tests parse them.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    if is_utf8() { style } else { style.tick_chars("|/-\\ ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_parse_and_a_hidden_line_takes_everything() {
        for template in [SPINNER, BAR] {
            ProgressStyle::with_template(template).unwrap();
        }
        ProgressLine { bar: None, _shown: None }.show(None);
        let bar = ProgressBar::hidden();
        let line = ProgressLine { bar: Some(bar.clone()), _shown: None };
        let metadata = contact_center_insights::proto::insights::TuneQaScorecardRevisionMetadata::default();
        line.show(Progress::of(&metadata.into()));
        assert_eq!((bar.length(), bar.message().as_str()), (Some(100), "0%"));
        drop(line);
        assert!(bar.is_finished());
    }
}
