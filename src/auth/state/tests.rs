//! Every order of events, tried: callers that ask, go away or are refused, a fetch that ends in each way or not at
//! all, and time that passes.

use std::time::SystemTime;

use super::*;

const CALLERS: usize = 3;
/// So many events in a row; what is asked at the end is asked after every shorter row too.
const DEPTH: usize = 7;

/// What a caller is doing. Callers are alike, so that only how many there are of each kind makes a difference.
#[derive(Clone, Copy, PartialEq)]
enum Caller {
    Idle,
    /// Waits; has the number of the token that it will get.
    Waits(u64),
    /// Has sent a call with the token of that number.
    Sent(u64),
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Ask,
    /// The caller drops its future.
    Leave,
    /// The server answers, or says UNAUTHENTICATED.
    Accept,
    Refuse,
    /// The fetch in flight ends.
    Give,
    GiveTheSame,
    Fail,
    FailForGood,
    /// Its runtime stands still: nothing comes of it.
    Overdue,
    /// A backoff ends; a token ends; a machine sleeps.
    Seconds,
    Hour,
    Sleep,
}

const EVENTS: [Event; 12] = [
    Event::Ask,
    Event::Leave,
    Event::Accept,
    Event::Refuse,
    Event::Give,
    Event::GiveTheSame,
    Event::Fail,
    Event::FailForGood,
    Event::Overdue,
    Event::Seconds,
    Event::Hour,
    Event::Sleep,
];

#[derive(Clone)]
struct World {
    state: State,
    now: Moment,
    callers: [Caller; CALLERS],
    /// The fetch that was started and has not ended, and when. One that stands still counts no more.
    running: Option<(u64, Instant)>,
    tokens: u32,
    has_end: bool,
}

impl World {
    fn new(has_end: bool) -> Self {
        let now = Moment { at: Instant::now(), wall: SystemTime::UNIX_EPOCH + Duration::from_hours(1) };
        let timing = Timing { patience: Duration::from_secs(3), ..Timing::default() };
        Self {
            state: State::new("model", timing),
            now,
            callers: [Caller::Idle; CALLERS],
            running: None,
            tokens: 0,
            has_end,
        }
    }

    /// Applies the event; `false` if it cannot happen now.
    fn apply(&mut self, event: Event) -> bool {
        match event {
            Event::Ask => match self.position(|caller| caller == Caller::Idle) {
                Some(caller) => {
                    let generation = self.state.next_generation(self.now);
                    self.ask(caller, generation);
                }
                None => return false,
            },
            Event::Leave => return self.change(|caller| matches!(caller, Caller::Waits(_)), Caller::Idle),
            Event::Accept => return self.change(|caller| matches!(caller, Caller::Sent(_)), Caller::Idle),
            Event::Refuse => {
                let Some(caller) = self.position(|caller| matches!(caller, Caller::Sent(_))) else {
                    return false;
                };
                let Caller::Sent(generation) = self.callers[caller] else { unreachable!("just found") };
                self.callers[caller] = Caller::Idle;
                if self.state.refuse(generation, self.now) {
                    let generation = self.state.next_generation(self.now);
                    self.ask(caller, generation);
                }
            }
            Event::Give => return self.end_fetch(Ok(true)),
            Event::GiveTheSame if self.tokens == 0 => return false,
            Event::GiveTheSame => return self.end_fetch(Ok(false)),
            Event::Fail => return self.end_fetch(Err(CredentialsError::transient("model", "no".into()))),
            Event::FailForGood => {
                return self.end_fetch(Err(CredentialsError::permanent("model", "never".into())));
            }
            Event::Overdue if self.running.is_none() => return false,
            Event::Overdue => {
                self.running = None;
                self.pass(Duration::from_secs(11), Duration::from_secs(11));
            }
            Event::Seconds => self.pass(Duration::from_secs(2), Duration::from_secs(2)),
            Event::Hour => self.pass(Duration::from_hours(1), Duration::from_hours(1)),
            Event::Sleep => self.pass(Duration::ZERO, Duration::from_hours(1)),
        }
        true
    }

    fn pass(&mut self, at: Duration, wall: Duration) {
        self.now = Moment { at: self.now.at + at, wall: self.now.wall + wall };
        // A fetch that runs is timed out by the cache.
        if self.running.is_some_and(|(_, started)| self.now.at - started >= Duration::from_secs(10)) {
            self.end_fetch(Err(CredentialsError::transient("model", "timeout".into())));
        }
        self.wake();
    }

    fn position(&self, is_wanted: impl Fn(Caller) -> bool) -> Option<usize> {
        self.callers.iter().position(|caller| is_wanted(*caller))
    }

    fn change(&mut self, is_wanted: impl Fn(Caller) -> bool, to: Caller) -> bool {
        let Some(caller) = self.position(is_wanted) else { return false };
        self.callers[caller] = to;
        true
    }

    fn ask(&mut self, caller: usize, generation: u64) {
        let (answer, start) = self.state.ask(self.now);
        if let Some(start) = start {
            assert!(self.running.is_none(), "two fetches in flight");
            self.running = Some((start.id, self.now.at));
        }
        self.callers[caller] = match answer {
            Answer::Serve(token) => {
                assert!(!token.has_ended(self.now), "an ended token is served");
                assert_eq!(token.has_known_end(), self.has_end);
                Caller::Sent(generation)
            }
            Answer::Fail(_) => Caller::Idle,
            Answer::Wait(until) => {
                // Either a fetch will report, or the wait has an end that comes.
                assert!(until > self.now.at, "a caller would spin");
                Caller::Waits(generation)
            }
        };
    }

    /// All who wait ask again, as they do when a fetch ends, or their time comes.
    fn wake(&mut self) {
        for caller in 0..CALLERS {
            if let Caller::Waits(generation) = self.callers[caller] {
                self.ask(caller, generation);
            }
        }
    }

    /// `Ok(true)` is a token that is new.
    fn end_fetch(&mut self, result: Result<bool, CredentialsError>) -> bool {
        let Some((id, _)) = self.running.take() else { return false };
        let result = result.map(|is_new| {
            self.tokens += u32::from(is_new);
            let token = Token::new(format!("t{}", self.tokens)).unwrap();
            // By the clocks of the model, not those of the machine.
            if self.has_end { token.ends_at(self.now, Duration::from_mins(30)) } else { token }
        });
        self.state.finish(id, result, self.now, 0.5);
        // A report that comes twice, as from a task that is dropped after it spoke, changes nothing.
        let before = self.state.next_generation(self.now);
        self.state.finish(id, Err(CredentialsError::transient("model", "dropped".into())), self.now, 0.5);
        assert_eq!(self.state.next_generation(self.now), before);
        self.wake();
        true
    }

    /// From here on the source gives tokens: everyone is served within the longest backoff.
    fn heal(mut self, path: &[Event]) {
        for caller in 0..CALLERS {
            self.callers[caller] = Caller::Idle;
        }
        for _ in 0..4 {
            for caller in 0..CALLERS {
                if self.callers[caller] == Caller::Idle {
                    let generation = self.state.next_generation(self.now);
                    self.ask(caller, generation);
                }
            }
            if !self.end_fetch(Ok(true)) {
                self.pass(MAX_BACKOFF, MAX_BACKOFF);
            }
        }
        let served = self.callers.iter().all(|caller| matches!(caller, Caller::Sent(_)));
        assert!(served, "after {path:?} not all are served");
    }
}

fn explore(world: &World, path: &mut Vec<Event>, seen: &mut usize) {
    *seen += 1;
    world.clone().heal(path);
    if path.len() == DEPTH {
        return;
    }
    for event in EVENTS {
        let mut next = world.clone();
        path.push(event);
        if next.apply(event) {
            explore(&next, path, seen);
        }
        path.pop();
    }
}

#[test]
fn in_every_order_of_events_one_fetch_at_most_and_nobody_is_left_behind() {
    for has_end in [true, false] {
        let mut seen = 0;
        explore(&World::new(has_end), &mut Vec::new(), &mut seen);
        println!("{seen} orders of up to {DEPTH} events");
        assert!(seen > 100_000, "{seen}");
    }
}
