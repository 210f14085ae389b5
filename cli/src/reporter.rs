//! What is said on stderr while operations are waited for: a bar, lines for a log, JSON lines, or nothing.

use std::convert::Infallible;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::escape::{line, lines};
use crate::progress::Progress;
use crate::progress_bar::ProgressLine;
use crate::terminal::can_redraw;

/// A log shows life at least this often: CI systems end jobs that are silent for minutes.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// How waiting is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// A bar on a terminal, and lines elsewhere.
    #[default]
    Auto,
    /// A line for each change.
    Plain,
    /// A line of JSON for each change.
    Json,
    /// Nothing.
    None,
}

/// One of several operations that has ended.
#[derive(Debug)]
pub(crate) struct End<'a> {
    pub(crate) name: &'a str,
    /// Such as `SUCCEEDED`.
    pub(crate) state: &'a str,
    /// Why it failed; empty if it did not.
    pub(crate) error: &'a str,
    /// How far all of them are.
    pub(crate) all: Progress,
}

/// Says how far operations are.
pub(crate) struct Reporter {
    form: Form,
    /// What is waited for: a name, or how many.
    subject: String,
    log: Mutex<Log>,
}

enum Form {
    Bar(ProgressLine),
    Plain,
    Json,
    None,
}

struct Log {
    out: Box<dyn Write + Send>,
    started: Instant,
    /// When something was last written.
    spoke: Instant,
    /// What was last said of how far it is; `None` before anything was.
    #[allow(clippy::option_option, reason = "whether it was told is one thing, whether it counts another")]
    last: Option<Option<Progress>>,
}

impl Reporter {
    /// Says nothing before it is told of something that runs.
    pub(crate) fn start(mode: Mode, subject: impl Into<String>) -> Self {
        let form = match mode {
            Mode::Auto if can_redraw() => Form::Bar(ProgressLine::start()),
            Mode::Auto | Mode::Plain => Form::Plain,
            Mode::Json => Form::Json,
            Mode::None => Form::None,
        };
        Self::with(form, subject.into(), Box::new(io::stderr()))
    }

    fn with(form: Form, subject: String, out: Box<dyn Write + Send>) -> Self {
        let started = Instant::now();
        let log = Mutex::new(Log { out, started, spoke: started, last: None });
        Self { form, subject, log }
    }

    /// Whether a bar is drawn.
    pub(crate) fn is_bar(&self) -> bool {
        matches!(self.form, Form::Bar(_))
    }

    /// It runs, and is so far; `None` if it does not tell.
    pub(crate) fn running(&self, progress: Option<Progress>) {
        if let Form::Bar(bar) = &self.form {
            return bar.show(progress);
        }
        let mut log = self.log();
        let before = log.last.replace(progress);
        if before == Some(progress) {
            return;
        }
        let how_far =
            progress.filter(|progress| progress.position() > 0).map(|progress| progress.to_string());
        let text = match (before, &how_far) {
            (None, None) => format!("waiting for {}", self.subject),
            (None, Some(how_far)) => format!("waiting for {}: {how_far}", self.subject),
            (Some(_), how_far) => how_far.clone().unwrap_or_else(|| "running".to_owned()),
        };
        let event = if before.is_none() { "waiting" } else { "progress" };
        log.say(&self.form, &text, || self.event(event, progress));
    }

    /// One of several has ended.
    pub(crate) fn ended(&self, end: &End<'_>) {
        let mut text = format!("{} {} ({})", end.state, end.name, end.all);
        if !end.error.is_empty() {
            text = format!("{text}: {}", end.error);
        }
        match &self.form {
            Form::Bar(bar) => {
                bar.show(Some(end.all));
                // What went well shows in the bar.
                if !end.error.is_empty() {
                    bar.say(&line(&format!("{} {}: {}", end.state, end.name, end.error)));
                }
            }
            form => {
                let mut log = self.log();
                log.last = Some(Some(end.all));
                log.say(form, &text, || {
                    let mut event = self.event("ended", Some(end.all));
                    set(&mut event, "operation", end.name);
                    set(&mut event, "state", end.state);
                    if !end.error.is_empty() {
                        set(&mut event, "error", end.error);
                    }
                    event
                });
            }
        }
    }

    /// Says something beside how far it is.
    pub(crate) fn note(&self, text: &str) {
        match &self.form {
            Form::Bar(bar) => bar.say(&line(text)),
            Form::Json => self.log().say(&self.form, text, || json!({"event": "note", "text": text})),
            Form::Plain | Form::None => {
                let _ = writeln!(self.log().out, "{}", lines(text));
            }
        }
    }

    /// Shows life whenever nothing was said for a while.
    ///
    /// Cancel safe: what was said is said.
    pub(crate) async fn beat(&self) -> Infallible {
        loop {
            let due = self.log().spoke.checked_add(HEARTBEAT);
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
            let mut log = self.log();
            if log.spoke.elapsed() < HEARTBEAT {
                continue;
            }
            let progress = log.last.flatten();
            let how_far = progress.map(|progress| format!(", {progress}")).unwrap_or_default();
            let text = format!("still waiting for {}{how_far}", self.subject);
            log.say(&self.form, &text, || self.event("heartbeat", progress));
        }
    }

    fn event(&self, event: &str, progress: Option<Progress>) -> Value {
        let mut value = json!({"event": event, "waitingFor": self.subject});
        if let Some(progress) = progress {
            set(&mut value, "progress", progress.to_json());
        }
        value
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Writes a line; if nobody reads it, there is no one to tell.
    fn say(&mut self, form: &Form, text: &str, event: impl FnOnce() -> Value) {
        self.spoke = Instant::now();
        let elapsed = self.spoke.saturating_duration_since(self.started);
        let _ = match form {
            Form::Plain => writeln!(self.out, "{:>6}  {}", clock(elapsed), line(text)),
            Form::Json => {
                let mut event = event();
                set(&mut event, "elapsedSeconds", elapsed.as_secs());
                writeln!(self.out, "{}", line(&event.to_string()))
            }
            Form::Bar(_) | Form::None => Ok(()),
        };
    }
}

fn set(event: &mut Value, field: &str, value: impl Into<Value>) {
    if let Some(fields) = event.as_object_mut() {
        fields.insert(field.to_owned(), value.into());
    }
}

/// `42s`, `1m30s`, `2h05m`.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("subject", &self.subject).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::timeout;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn reporter(form: Form) -> (Reporter, Page) {
        let page = Page::default();
        (Reporter::with(form, "operations/1".to_owned(), Box::new(page.clone())), page)
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_shows_life_every_thirty_seconds() {
        let (reporter, page) = reporter(Form::Plain);
        reporter.running(None);
        timeout(Duration::from_secs(100), reporter.beat()).await.unwrap_err();
        reporter.running(Some(Progress::of_operations(1, 0, 4)));
        reporter.running(Some(Progress::of_operations(1, 0, 4)));
        timeout(Duration::from_secs(29), reporter.beat()).await.unwrap_err();
        reporter.running(Some(Progress::of_operations(2, 1, 4)));
        timeout(Duration::from_secs(31), reporter.beat()).await.unwrap_err();
        let said = page.text();
        let said: Vec<&str> = said.lines().collect();
        assert_eq!(
            said,
            [
                "    0s  waiting for operations/1",
                "   30s  still waiting for operations/1",
                " 1m00s  still waiting for operations/1",
                " 1m30s  still waiting for operations/1",
                " 1m40s  1/4 operations",
                " 2m09s  3/4 operations, 1 failed",
                " 2m39s  still waiting for operations/1, 3/4 operations, 1 failed",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_reads_events() {
        let (reporter, page) = reporter(Form::Json);
        reporter.running(None);
        let all = Progress::of_operations(0, 1, 2);
        reporter.ended(&End { name: "o/7", state: "FAILED", error: "ABORTED: \u{1b}[2J", all });
        timeout(Duration::from_secs(31), reporter.beat()).await.unwrap_err();
        let text = page.text();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events[0]["event"], "waiting");
        assert_eq!((&events[1]["operation"], &events[1]["state"]), (&json!("o/7"), &json!("FAILED")));
        assert_eq!(
            events[1]["progress"],
            json!({"completed": 0, "failed": 1, "total": 2, "unit": "operations"})
        );
        assert_eq!((&events[2]["event"], &events[2]["elapsedSeconds"]), (&json!("heartbeat"), &json!(30)));
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn quiet_is_quiet() {
        let (reporter, page) = reporter(Form::None);
        reporter.running(None);
        timeout(Duration::from_secs(100), reporter.beat()).await.unwrap_err();
        assert_eq!(page.text(), "");
        reporter.note("note: a partial error");
        assert_eq!(page.text(), "note: a partial error\n");
    }

    #[test]
    fn times_are_short() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1m00s"), (3599, "59m59s"), (7500, "2h05m")] {
            assert_eq!(clock(Duration::from_secs(seconds)), text);
        }
    }
}
