//! Several operations are followed together: each is printed as it ends, and one exit code stands for all.

use std::time::Duration;

use contact_center_insights::proto::longrunning::ListOperationsRequest;
use contact_center_insights::track::{Ended, Sweep, TrackPolicy, Tracker};
use contact_center_insights::{Client, Handle};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::patience::{ANSWERS_AGAIN, LAST_LOOK, Patience, no_answer, until};
use super::stop;
use super::tally::{Found, Tally, once_each};
use crate::duration;
use crate::escape::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::name::parent;
use crate::output::{Format, ListPrinter};
use crate::reporter::{Mode, Reporter};
use crate::session::Session;
use crate::terminal::{print, stdout_redraws};

/// Up to so many are asked about one by one at first; of more, the list tells.
const FEW: usize = 16;
/// Sweeps come as often as this for each operation that is followed, within these bounds: what 500 operations cost in the
/// hours that they take stays below the calls that it takes to start them.
const FOR_EACH: Duration = Duration::from_millis(100);
const SHORTEST: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_secs(30);
/// How often it is looked whether calls about operations fail, and how often the reason is asked for.
const LOOK: Duration = Duration::from_secs(1);
const PROBE: Duration = Duration::from_secs(5);

/// Several operations that are followed.
pub(super) struct Many<'a> {
    session: &'a Session,
    tally: Tally<'a>,
}

/// Why the following ended.
enum Stop {
    Done,
    Deadline,
    Signal(Exit),
}

impl<'a> Many<'a> {
    /// Those of these names.
    pub(super) fn named(session: &'a Session, names: Vec<String>) -> Self {
        Self { session, tally: Tally::new(session, names, None) }
    }

    /// Those that run and match.
    pub(super) async fn found(session: &'a Session, found: Found) -> Result<Self, Failure> {
        let request = ListOperationsRequest {
            name: found.parent.clone(),
            filter: found.running(),
            page_size: 1000,
            ..Default::default()
        };
        let mut pages = session.client().list_operations(request).into_pages();
        let mut names = Vec::new();
        while let Some(page) = pages.next_page().await.map_err(session.failure(&found.parent))? {
            names.extend(page.operations.into_iter().map(|operation| operation.name));
        }
        once_each(&mut names);
        let mut tally = Tally::new(session, names, Some(found));
        tally.answered = Some(Instant::now());
        Ok(Self { session, tally })
    }

    /// Follows them to their ends, or to the first of those, or until time is over.
    pub(super) async fn follow(
        mut self,
        any: bool,
        patience: Patience,
        mode: Mode,
        output: Format,
    ) -> Result<(), Failure> {
        let reporter = Reporter::start(mode, counted(self.tally.total(), "operation", "operations"));
        let mut list = ListPrinter::new(output);
        if output == Format::Json && reporter.is_bar() && stdout_redraws() {
            list = list.held();
        }
        let stop = tokio::select! {
            done = self.until_the_deadline(any, &patience, &reporter, &mut list) => done,
            exit = stop::asked() => Ok(Stop::Signal(exit)),
            never = reporter.beat() => match never {},
        };
        drop(reporter);
        // Whatever ended it, what is printed is whole.
        print(&list.end()?)?;
        match stop? {
            Stop::Done => self.tally.done(),
            Stop::Deadline => {
                let waited = patience.timeout.map(duration::print).unwrap_or_default();
                Err(self.tally.timed_out(&waited, any))
            }
            Stop::Signal(exit) => Err(self.tally.stopped(exit, stop::reason(exit), any)),
        }
    }

    /// Follows them until time is over, whatever call is on its way then, and looks once more.
    async fn until_the_deadline(
        &mut self,
        any: bool,
        patience: &Patience,
        reporter: &Reporter,
        list: &mut ListPrinter,
    ) -> Result<Stop, Failure> {
        tokio::select! {
            done = self.all_the_way(any, patience, reporter, list) => return done,
            _ = until(patience.deadline()) => {}
        }
        if let Ok(looked) = timeout(LAST_LOOK, self.look(any, reporter, list)).await {
            looked?;
        }
        Ok(if self.tally.is_over(any) { Stop::Done } else { Stop::Deadline })
    }

    async fn all_the_way(
        &mut self,
        any: bool,
        patience: &Patience,
        reporter: &Reporter,
        list: &mut ListPrinter,
    ) -> Result<Stop, Failure> {
        if !self.tally.is_found() {
            self.look(any, reporter, list).await?;
        }
        if self.tally.is_over(any) {
            return Ok(Stop::Done);
        }
        reporter.running(Some(self.tally.progress()));
        let tracker = self.tracker(patience).await?;
        let mut watch = Watch::start();
        loop {
            tokio::select! {
                ended = tracker.next_ended() => match ended {
                    Some(ended) => self.took(&ended, reporter, list)?,
                    None => return Ok(Stop::Done),
                },
                () = sleep_until(watch.next) => self.check(&tracker, &mut watch, patience, reporter).await?,
            }
            if self.tally.is_over(any) {
                return Ok(Stop::Done);
            }
        }
    }

    async fn tracker(&self, patience: &Patience) -> Result<Tracker, Failure> {
        // How often the list is asked for says nothing of how often each is asked about alone.
        let policy = Patience { interval: None, ..*patience }.policy(self.session.is_local());
        let operations = self.session.client().operations().clone().with_policy(policy);
        let pending = self.tally.pending().count();
        let by_number = FOR_EACH.saturating_mul(u32::try_from(pending).unwrap_or(u32::MAX));
        let interval = patience.interval.unwrap_or(by_number.clamp(SHORTEST, LONGEST));
        let policy = TrackPolicy::default().with_interval(interval).with_capacity(pending);
        let tracker = operations.tracker(policy);
        for name in self.tally.pending() {
            tracker.add(name).await.map_err(self.session.failure(name))?;
        }
        tracker.close();
        Ok(tracker)
    }

    /// Looks once at each that is pending.
    async fn look(&mut self, any: bool, reporter: &Reporter, list: &mut ListPrinter) -> Result<(), Failure> {
        let pending: Vec<String> = self.tally.pending().map(str::to_owned).collect();
        if pending.len() > FEW {
            return self.sweep(pending, reporter, list).await;
        }
        let mut asked = JoinSet::new();
        for name in pending {
            let client: Client = self.session.client().clone();
            asked.spawn(async move { (client.get_operation(&name).await, name) });
        }
        while let Some(joined) = asked.join_next().await {
            // One that panicked has told so.
            let Ok((answer, name)) = joined else { continue };
            match answer {
                Ok(operation) if operation.is_done() => {
                    self.tally.ended(&name, Some(&operation), reporter, list)?;
                }
                Ok(_) => self.tally.answered = Some(Instant::now()),
                Err(error) => self.tally.failed(&name, error, reporter)?,
            }
            if self.tally.is_over(any) {
                break;
            }
        }
        Ok(())
    }

    async fn sweep(
        &mut self,
        pending: Vec<String>,
        reporter: &Reporter,
        list: &mut ListPrinter,
    ) -> Result<(), Failure> {
        let mut places: Vec<String> = pending.iter().map(|name| parent(name)).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            let of_place: Vec<Handle> = pending
                .iter()
                .filter(|name| parent(name) == place)
                .map(|name| Handle::from(name.as_str()))
                .collect();
            let swept = self.session.client().operations().sweep(Sweep::of(place.as_str()), of_place).await;
            let swept = swept.map_err(self.session.failure(&place))?;
            if swept.running > 0 || swept.pages > 0 {
                self.tally.answered = Some(Instant::now());
            }
            for ended in swept.ended {
                self.took(&ended, reporter, list)?;
            }
            for (handle, error) in swept.failed {
                self.tally.failed(&handle.name, error, reporter)?;
            }
        }
        Ok(())
    }

    fn took(&mut self, ended: &Ended, reporter: &Reporter, list: &mut ListPrinter) -> Result<(), Failure> {
        self.tally.ended(&ended.name, ended.operation.as_ref(), reporter, list)
    }

    /// The tracker goes on whatever fails: whether there is still sense in it is found out here.
    async fn check(
        &mut self,
        tracker: &Tracker,
        watch: &mut Watch,
        patience: &Patience,
        reporter: &Reporter,
    ) -> Result<(), Failure> {
        let now = Instant::now();
        watch.next = now.checked_add(LOOK).unwrap_or(now);
        let statistics = tracker.statistics();
        let answers = statistics.gets.saturating_add(statistics.pages);
        if answers > watch.answers {
            watch.answers = answers;
            self.answered(watch, reporter);
        }
        let failures = statistics.failed_gets.saturating_add(statistics.failed_sweeps);
        let is_soon = watch.probed.is_some_and(|probed| now.saturating_duration_since(probed) < PROBE);
        if failures <= watch.failures || is_soon {
            return Ok(());
        }
        (watch.failures, watch.probed) = (failures, Some(now));
        let Some(name) = self.tally.pending().next().map(str::to_owned) else { return Ok(()) };
        match self.session.client().get_operation(&name).await {
            Ok(_) => self.answered(watch, reporter),
            Err(error) => {
                let is_over = patience.is_over(watch.started, self.tally.answered, self.session.is_local());
                if is_over || !(error.is_transient() || error.is_not_found()) {
                    return Err(self.session.failure(&name)(error));
                }
                if error.is_transient() && !std::mem::replace(&mut watch.is_lost, true) {
                    reporter.note(&no_answer(&error));
                }
            }
        }
        Ok(())
    }

    fn answered(&mut self, watch: &mut Watch, reporter: &Reporter) {
        self.tally.answered = Some(Instant::now());
        if std::mem::take(&mut watch.is_lost) {
            reporter.note(ANSWERS_AGAIN);
        }
    }
}

/// What was last seen of a tracker.
struct Watch {
    started: Instant,
    next: Instant,
    probed: Option<Instant>,
    answers: u64,
    failures: u64,
    /// Whether it was told that the service does not answer.
    is_lost: bool,
}

impl Watch {
    fn start() -> Self {
        let started = Instant::now();
        let next = started.checked_add(LOOK).unwrap_or(started);
        Self { started, next, probed: None, answers: 0, failures: 0, is_lost: false }
    }
}
