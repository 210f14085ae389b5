//! One location: the operations that are looked for in it, the plan for that, and a round of walks through its list.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::book::Book;
use super::key;
use super::plan::{Lists, Plan, Round, Trouble};
use super::policy::TrackPolicy;
use super::walk::Walk;
use super::window::{Created, Window};
use crate::call::Caller;
use crate::proto::longrunning::Operation;

/// Who waits for an operation.
pub(super) trait Member: Send + 'static {
    /// A list has the operation, which runs.
    fn seen(&mut self, operation: Operation);
    /// A list that should have it has not.
    fn missed(&mut self);
}

pub(super) struct Location<M> {
    pub(super) caller: Caller,
    /// Names start with it; empty for those that no list has.
    pub(super) parent: String,
    policy: TrackPolicy,
    state: Mutex<State<M>>,
    /// Something was entered, or moved away.
    pub(super) changed: Notify,
}

pub(super) struct State<M> {
    pub(super) book: Book<M>,
    pub(super) plan: Plan,
    /// A task looks after it.
    pub(super) is_served: bool,
    /// Everything was moved to the same location under another spelling.
    pub(super) is_moved: bool,
}

impl<M> Location<M> {
    pub(super) fn new(caller: Caller, parent: String, policy: TrackPolicy) -> Self {
        let lists = if parent.is_empty() { Lists::None } else { Lists::Windows };
        let plan = Plan::new(&policy, lists);
        let book = Book::new(Instant::now());
        let state = Mutex::new(State { book, plan, is_served: false, is_moved: false });
        Self { caller, parent, policy, state, changed: Notify::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The full name of the operation with this id.
    pub(super) fn name(&self, id: &str) -> String {
        if self.parent.is_empty() { id.to_owned() } else { format!("{}/operations/{id}", self.parent) }
    }
}

impl<M: Member> Location<M> {
    /// Walks the whole list once, by windows, of which `walks` at the same time. `missed` is given the ids of what was
    /// missed, as soon as a walk has ended; they count as being asked about from then on.
    ///
    /// Also gives the parent of what was listed, if that is spelled otherwise: by the project's number.
    ///
    /// Cancel safe: the walks end, and nothing is concluded from them.
    pub(super) async fn sweep(
        self: &Arc<Self>,
        windows: Option<Vec<Window>>,
        mut missed: impl FnMut(Vec<Box<str>>),
    ) -> (Round, Option<String>) {
        let started = Instant::now();
        let windows = windows.unwrap_or_else(|| self.windows());
        self.lock().book.begin_round();
        let is_alone = windows.iter().all(Window::is_all);
        let mut round = Round { started, pages: 0, trouble: None };
        let mut spelling = None;
        let mut left = VecDeque::from(windows);
        let mut walks = JoinSet::new();
        loop {
            while walks.len() < self.policy.walks.max(1)
                && round.trouble.is_none()
                && let Some(window) = left.pop_front()
            {
                walks.spawn(walk(self.clone(), window));
            }
            let Some(ended) = walks.join_next().await else { break };
            // One that panicked or was cancelled tells nothing.
            let (window, walked) = ended.unwrap_or((Window::ALL, Walked::nothing()));
            round.pages = round.pages.saturating_add(walked.pages);
            spelling = spelling.or(walked.spelling);
            match walked.trouble {
                Some(trouble) => round.trouble = Some(trouble),
                None => missed(self.missed(window, is_alone, started)),
            }
        }
        if round.trouble.is_none() && !is_alone {
            missed(self.missed(Window::NONE, true, started));
        }
        (round, spelling)
    }

    fn windows(&self) -> Vec<Window> {
        let state = self.lock();
        let count = if state.book.is_mostly_undated() { 1 } else { state.plan.windows() };
        if count > 1 { Window::parts(state.book.sample(), count) } else { vec![Window::ALL] }
    }

    fn missed(&self, window: Window, has_walked_all: bool, started: Instant) -> Vec<Box<str>> {
        let mut state = self.lock();
        let missed = state.book.missed(window, has_walked_all, started);
        let tell = |(id, member): (Box<str>, &mut M)| {
            member.missed();
            id
        };
        missed.into_iter().map(tell).collect()
    }

    /// Enters what a page lists; the parent that its names have, if it is another.
    fn saw(&self, operations: Vec<Operation>) -> Option<String> {
        let mut state = self.lock();
        let mut spelling = None;
        for operation in operations {
            // What is done is not what was asked for: it counts as missed, and is asked about.
            let Some((parent, id)) = key::split(&operation.name).filter(|_| !operation.done) else {
                continue;
            };
            if parent != self.parent && spelling.is_none() {
                spelling = Some(parent.to_owned());
            }
            if let Some(member) = state.book.saw(id, Created::of(&operation)) {
                member.seen(operation);
            }
        }
        spelling
    }
}

struct Walked {
    pages: u32,
    trouble: Option<Trouble>,
    spelling: Option<String>,
}

impl Walked {
    fn nothing() -> Self {
        Self { pages: 0, trouble: Some(Trouble::Failed), spelling: None }
    }
}

async fn walk<M: Member>(location: Arc<Location<M>>, window: Window) -> (Window, Walked) {
    let page_size = location.policy.page_size.max(1);
    let walk = Walk { caller: location.caller.clone(), parent: location.parent.clone(), window, page_size };
    let mut spelling = None;
    let (pages, trouble) = walk
        .run(|operations| {
            let other = location.saw(operations);
            spelling = spelling.take().or(other);
        })
        .await;
    (window, Walked { pages, trouble, spelling })
}

impl<M> fmt::Debug for Location<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Location")
            .field("parent", &self.parent)
            .field("operations", &self.lock().book.len())
            .finish_non_exhaustive()
    }
}
