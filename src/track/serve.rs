//! Looks after one location of a tracker: sweeps it or asks one by one, and hands over what has ended.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::ask::{Told, ask};
use super::ended::{Ended, How};
use super::kept::{Kept, Names};
use super::location::Location;
use super::plan::Round;
use super::tally::{Tally, add};
use super::window::Created;
use crate::lro::{Operation, PollPolicy};
use crate::time::later;

/// How many operations of a location are asked about at the same time.
const ASKED_AT_ONCE: usize = 16;
/// How many are taken out of the book to be asked about one by one, which looks through all of it, and how often at most.
const TAKEN_AT_ONCE: usize = 256;
const LOOK: Duration = Duration::from_millis(250);
/// With nothing to do, it looks again after this at the latest.
const IDLE: Duration = Duration::from_hours(1);

/// Told of a parent, and of how answers spell it.
pub(super) type OnSpelling = Box<dyn Fn(&str, &str) + Send + Sync>;

pub(super) struct Serving {
    pub(super) location: Arc<Location<Kept>>,
    pub(super) polls: PollPolicy,
    pub(super) names: Arc<Names>,
    pub(super) tally: Arc<Tally>,
    pub(super) sender: mpsc::Sender<Ended>,
    pub(super) on_spelling: OnSpelling,
}

/// Which operation was asked about and why, what was told, and how the answer spells its parent.
type Answer = (Box<str>, How, (Told, Option<String>));

/// What is under way.
struct Work {
    gets: JoinSet<Answer>,
    sweeps: JoinSet<(Round, Option<String>)>,
    queue: VecDeque<(Box<str>, How)>,
    missed: mpsc::UnboundedReceiver<Vec<Box<str>>>,
    tell_missed: mpsc::UnboundedSender<Vec<Box<str>>>,
    /// When the book is looked through again for what is due.
    look_at: Instant,
    /// Whether sweeps stood for most questions when it was last looked through.
    was_swept: bool,
    /// When something is due that a sweep would find; `None` if that is to be looked up.
    sweep_from: Option<Instant>,
}

impl Work {
    /// Something was added, and is due at some time.
    fn changed(&mut self) {
        self.look_at = self.look_at.min(later(Instant::now(), LOOK));
        self.sweep_from = None;
    }

    /// Something is due at that time.
    fn comes(&mut self, due: Instant) {
        self.look_at = self.look_at.min(due.max(later(Instant::now(), LOOK)));
        self.sweep_from = self.sweep_from.map(|from| from.min(due));
    }
}

impl Serving {
    /// Works until the operations move to another spelling of the location, or the tracker is dropped.
    pub(super) async fn run(self) {
        let (tell_missed, missed) = mpsc::unbounded_channel();
        let mut work = Work {
            gets: JoinSet::new(),
            sweeps: JoinSet::new(),
            queue: VecDeque::new(),
            missed,
            tell_missed,
            look_at: Instant::now(),
            was_swept: false,
            sweep_from: None,
        };
        while !self.location.lock().is_moved {
            let next = self.start(&mut work);
            tokio::select! {
                Some(told) = work.gets.join_next() => {
                    if let Ok((id, how, (told, spelling))) = told {
                        if let Some(due) = self.told(&id, how, told).await {
                            work.comes(due);
                        }
                        self.learn(spelling);
                    }
                }
                Some(missed) = work.missed.recv() => {
                    work.queue.extend(missed.into_iter().map(|id| (id, How::Sweep)));
                }
                Some(swept) = work.sweeps.join_next() => {
                    work.sweep_from = None;
                    if let Ok((round, spelling)) = swept {
                        self.swept(round, spelling);
                    }
                }
                () = self.location.changed.notified() => work.changed(),
                () = sleep_until(next) => {}
            }
        }
    }

    /// Starts what is due, and says when to look again.
    fn start(&self, work: &mut Work) -> Instant {
        let now = Instant::now();
        let mut state = self.location.lock();
        let operations = state.book.len();
        let is_swept = state.plan.sweeps(operations, now);
        if std::mem::replace(&mut work.was_swept, is_swept) != is_swept {
            work.look_at = now;
        }
        // While there is enough to ask about, the book is looked through when that is done.
        let mut next = later(now, IDLE);
        if work.queue.is_empty() && work.gets.len() < ASKED_AT_ONCE {
            if work.look_at <= now {
                let (ids, due) = state.book.take_due(is_swept, TAKEN_AT_ONCE, now);
                work.queue.extend(ids.into_iter().map(|id| (id, How::Get)));
                work.look_at = due.unwrap_or(next).max(later(now, LOOK));
            }
            next = work.look_at;
        }
        if is_swept && work.sweeps.is_empty() {
            let first_due = || state.book.first_due().unwrap_or(later(now, IDLE));
            let from = *work.sweep_from.get_or_insert_with(first_due);
            let at = state.plan.next_round(now).max(from);
            if at <= now {
                work.sweeps.spawn(sweep(self.location.clone(), work.tell_missed.clone()));
            } else {
                next = next.min(at);
            }
        }
        drop(state);
        while work.gets.len() < ASKED_AT_ONCE
            && let Some((id, how)) = work.queue.pop_front()
        {
            let (caller, name) = (self.location.caller.clone(), self.location.name(&id));
            work.gets.spawn(async move {
                let told = ask(&caller, name).await;
                (id, how, told)
            });
        }
        next
    }

    fn swept(&self, round: Round, spelling: Option<String>) {
        add(&self.tally.pages, round.pages.into());
        add(if round.trouble.is_none() { &self.tally.sweeps } else { &self.tally.failed_sweeps }, 1);
        self.location.lock().plan.ended(round, Instant::now());
        self.learn(spelling);
    }

    fn learn(&self, spelling: Option<String>) {
        if let Some(spelling) = spelling {
            (self.on_spelling)(&self.location.parent, &spelling);
        }
    }

    /// Hands over what has ended, which waits while nobody takes it, and everything with it. When what runs is due again.
    async fn told(&self, id: &str, how: How, told: Told) -> Option<Instant> {
        let counter =
            if matches!(told, Told::Failed(_)) { &self.tally.failed_gets } else { &self.tally.gets };
        add(counter, 1);
        match told {
            Told::Running { created, metadata } => {
                Some(self.put_back(id, created, &metadata, Duration::ZERO))
            }
            Told::Failed(error) => {
                let asked = error.retry_after().unwrap_or_default();
                let max = self.location.caller.max_retry_delay();
                tracing::warn!(name = self.location.name(id), %error, "an operation cannot be asked about now");
                Some(self.put_back(id, Created::UNKNOWN, "", asked.min(max)))
            }
            Told::Done(operation) => {
                self.hand_over(id, Some((*operation).into()), how, None).await;
                None
            }
            Told::Lost(error) => {
                self.hand_over(id, None, How::Lost, Some(error)).await;
                None
            }
        }
    }

    fn put_back(&self, id: &str, created: Created, metadata: &str, at_least: Duration) -> Instant {
        let mut state = self.location.lock();
        let wait =
            self.polls.wait_after(metadata, state.book.asked(id).into(), self.location.caller.jitter());
        let due = later(Instant::now(), wait.max(at_least));
        state.book.put_back(id, created, due);
        due
    }

    async fn hand_over(
        &self,
        id: &str,
        operation: Option<Operation>,
        how: How,
        lost: Option<crate::error::Error>,
    ) {
        // It may have moved meanwhile, and is asked about again there.
        let Some(kept) = self.location.lock().book.remove(id) else { return };
        let handle = self.names.handle(kept, id);
        let ended = Ended { name: handle.name.clone(), handle, operation, how, lost };
        add(&self.tally.ended, 1);
        add(&self.tally.lost, u64::from(how == How::Lost));
        // There is a receiver as long as this task is there.
        let _ = self.sender.send(ended).await;
        self.tally.forget();
    }
}

async fn sweep(
    location: Arc<Location<Kept>>,
    missed: mpsc::UnboundedSender<Vec<Box<str>>>,
) -> (Round, Option<String>) {
    location
        .sweep(None, |ids| {
            if !ids.is_empty() {
                // Its receiver ends together with this task.
                let _ = missed.send(ids);
            }
        })
        .await
}
