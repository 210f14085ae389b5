//! `cci operations watch`: what runs, live: a table that is drawn over on a terminal, elsewhere a document for each change.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use contact_center_insights::Error;
use contact_center_insights::proto::longrunning::{ListOperationsRequest, Operation};
use tokio::time::{Instant, sleep_until};

use super::patience::{ANSWERS_AGAIN, MAX_OUTAGE, Patience, no_answer};
use super::stop;
use crate::escape::counted;
use crate::failure::Failure;
use crate::output::{Format, Frame, ListPrinter};
use crate::session::Session;
use crate::terminal::{Screen, eprint_line, print_while_read, reader_has_left, stdout_redraws};

/// A page of a list tells of a thousand operations: so seldom that an hour costs no more than 720 calls.
const INTERVAL: Duration = Duration::from_secs(5);
/// A list of more pages is asked for more seldom, so that it costs no more than one a second.
const A_PAGE: Duration = Duration::from_secs(1);
const PAGE: i32 = 1000;
/// How often it is looked whether the reader has left.
const LOOK: Duration = Duration::from_secs(1);

/// What is watched, and how.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) parent: String,
    pub(super) filter: String,
    pub(super) interval: Option<Duration>,
}

/// Shows what there is, until a signal comes, or until nobody reads any more.
pub(super) async fn run(session: &Session, watched: Watched, output: Format) -> Result<(), Failure> {
    let mut view = View::new(session, watched, output);
    let exit = tokio::select! {
        ended = view.watch() => return ended,
        exit = stop::asked() => exit,
    };
    view.screen = None;
    if view.is_live {
        // The last picture stays where it can be scrolled to.
        print_while_read(&view.frame(None))?;
    }
    Err(Failure::new(exit, format!("{}; the operations go on", stop::reason(exit))))
}

struct View<'a> {
    session: &'a Session,
    watched: Watched,
    /// Drawn over.
    is_live: bool,
    screen: Option<Screen>,
    format: Format,
    list: Option<ListPrinter>,
    /// As last seen, in the order of the list.
    seen: Vec<Operation>,
    started: Instant,
    /// When the service answered last; `None` before it did.
    answered: Option<Instant>,
    /// Why it does not answer now.
    lost: Option<String>,
}

/// A call that failed, and the name that it was about.
struct Missed {
    error: Error,
    about: String,
}

impl<'a> View<'a> {
    fn new(session: &'a Session, watched: Watched, output: Format) -> Self {
        let is_live = stdout_redraws() && matches!(output, Format::Json | Format::Table | Format::Wide);
        // An array has no end here.
        let format = if output == Format::Json { Format::Jsonl } else { output };
        Self {
            session,
            watched,
            is_live,
            screen: is_live.then(Screen::enter),
            format,
            list: (!is_live).then(|| ListPrinter::new(format)),
            seen: Vec::new(),
            started: Instant::now(),
            answered: None,
            lost: None,
        }
    }

    async fn watch(&mut self) -> Result<(), Failure> {
        loop {
            let interval = self.watched.interval.unwrap_or(INTERVAL);
            let wait = match self.turn().await {
                Ok((changed, pages)) => {
                    self.answered();
                    if !self.show(changed)? {
                        return Ok(());
                    }
                    interval.max(A_PAGE.saturating_mul(pages))
                }
                Err(missed) => {
                    self.missed(missed)?;
                    interval
                }
            };
            let until = Instant::now().checked_add(wait);
            while until.is_none_or(|until| Instant::now() < until) {
                let next = Instant::now().checked_add(LOOK);
                let next = [next, until].into_iter().flatten().min();
                sleep_until(next.unwrap_or_else(Instant::now)).await;
                if reader_has_left() {
                    return Ok(());
                }
                // The terminal may have another size by now, and ages grow.
                if self.is_live {
                    self.draw();
                }
            }
        }
    }

    fn answered(&mut self) {
        self.answered = Some(Instant::now());
        if self.lost.take().is_some() && !self.is_live {
            eprint_line(ANSWERS_AGAIN);
        }
    }

    /// What may pass is waited for, as long as `cci operations wait` does.
    fn missed(&mut self, Missed { error, about }: Missed) -> Result<(), Failure> {
        let patience = Patience { timeout: None, interval: None, max_outage: MAX_OUTAGE };
        let is_over = patience.is_over(self.started, self.answered, self.session.is_local());
        if is_over || !error.is_transient() {
            return Err(self.session.failure(&about)(error));
        }
        let note = no_answer(&error);
        if self.lost.is_none() && !self.is_live {
            eprint_line(&note);
        }
        self.lost = Some(note);
        self.draw();
        Ok(())
    }

    /// What has changed, and how many pages the list has. If it fails, nothing is taken as seen.
    async fn turn(&mut self) -> Result<(Vec<Operation>, u32), Missed> {
        let (now, pages) = self.look().await?;
        Ok((self.changed(now).await?, pages))
    }

    /// What the list has now, and how many pages it had.
    async fn look(&self) -> Result<(Vec<Operation>, u32), Missed> {
        let request = ListOperationsRequest {
            name: self.watched.parent.clone(),
            filter: self.watched.filter.clone(),
            page_size: PAGE,
            ..Default::default()
        };
        let missed = |error| Missed { error, about: self.watched.parent.clone() };
        let mut pages = self.session.client().list_operations(request).into_pages();
        let (mut found, mut count) = (Vec::new(), 0_u32);
        while let Some(page) = pages.next_page().await.map_err(missed)? {
            count = count.saturating_add(1);
            found.extend(page.operations);
        }
        Ok((found, count))
    }

    /// What is new or different; of what is gone from the list, how it ended.
    async fn changed(&mut self, mut now: Vec<Operation>) -> Result<Vec<Operation>, Missed> {
        let known: HashMap<&str, &Operation> =
            self.seen.iter().map(|operation| (operation.name.as_str(), operation)).collect();
        let mut changed: Vec<Operation> = now
            .iter()
            .filter(|operation| known.get(operation.name.as_str()).is_none_or(|before| before != operation))
            .cloned()
            .collect();
        let listed: HashSet<&str> = now.iter().map(|operation| operation.name.as_str()).collect();
        let gone: Vec<Operation> =
            self.seen.iter().filter(|operation| !listed.contains(operation.name.as_str())).cloned().collect();
        for before in gone {
            // What had ended has been told.
            if before.done {
                now.push(before);
                continue;
            }
            match self.session.client().get_operation(before.name.as_str()).await {
                Ok(operation) => {
                    let operation = operation.raw().clone();
                    if operation != before {
                        changed.push(operation.clone());
                    }
                    now.push(operation);
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(Missed { error, about: before.name }),
            }
        }
        self.seen = now;
        Ok(changed)
    }

    /// Whether anybody still reads.
    fn show(&mut self, changed: Vec<Operation>) -> Result<bool, Failure> {
        if let Format::Jq(_) = self.format {
            // An expression is applied to each: a list has no end here.
            let each = changed.iter().map(|operation| self.format.one(operation));
            return print_while_read(&each.collect::<Result<String, Failure>>()?);
        }
        if let Some(list) = &mut self.list {
            return print_while_read(&list.operations(changed)?);
        }
        self.draw();
        Ok(true)
    }

    fn draw(&mut self) {
        let rows = self.screen.as_ref().and_then(Screen::rows);
        let frame = self.frame(rows);
        if let Some(screen) = &self.screen {
            screen.draw(&frame);
        }
    }

    /// A picture of what was last seen, within so many rows.
    fn frame(&self, rows: Option<usize>) -> String {
        let running = self.seen.iter().filter(|operation| !operation.done).count();
        let title = format!(
            "{} in {}, {running} running",
            counted(self.seen.len(), "operation", "operations"),
            self.watched.parent
        );
        let title = self.lost.as_ref().map_or(title.clone(), |lost| format!("{lost}; {title}"));
        Frame { title: &title, operations: &self.seen, rows }.text()
    }
}
