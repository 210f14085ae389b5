//! What follows a failed attempt, as a state that is stepped from outside: time and chance are arguments.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use super::failure::Failure;
use super::retry::{Past, RetryPolicy};
use crate::error::ServerEffect;
use crate::time::later;
use crate::transport::Resends;

/// The attempts of one call so far.
#[derive(Debug)]
pub(super) struct Attempts {
    started: Instant,
    /// When the whole call ends; `None` if only attempts are bounded.
    deadline: Option<Instant>,
    made: u32,
    /// The wait before the last attempt.
    waited: Option<Duration>,
    resends: Resends,
    has_renewed_token: bool,
    may_have_acted: bool,
}

/// What comes after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The same request at once: the server has not seen it. Neither waited for nor counted.
    Resend,
    /// The same request with a new token, if one can be had; the error otherwise.
    RenewToken,
    /// A look at the resource that an earlier attempt may have created; the error if it is another one.
    FetchExisting,
    /// The same request after this wait.
    RetryAfter(Duration),
    /// The error.
    GiveUp,
}

/// What a call may do to be retried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permission {
    /// The request may be applied twice without harm.
    pub(super) is_idempotent: bool,
    /// What a creation made can be looked at, which makes it as good as idempotent.
    pub(super) is_reconciled: bool,
}

impl Attempts {
    /// Of a call that begins now, and may last `timeout`.
    pub(super) fn new(now: Instant, timeout: Option<Duration>) -> Self {
        Self {
            started: now,
            deadline: timeout.map(|timeout| later(now, timeout)),
            made: 0,
            waited: None,
            resends: Resends::default(),
            has_renewed_token: false,
            may_have_acted: false,
        }
    }

    /// A poll has waited this long for its turn: that is its client's time, and not the call's.
    pub(super) fn hold(&mut self, waited: Duration) {
        self.started = later(self.started, waited);
        self.deadline = self.deadline.map(|deadline| later(deadline, waited));
    }

    /// Counts an attempt that is sent now, and says when it ends.
    pub(super) fn begin(&mut self, now: Instant, policy: &RetryPolicy) -> Instant {
        self.made = self.made.saturating_add(1);
        let end = later(now, policy.attempt_timeout());
        self.deadline.map_or(end, |deadline| deadline.min(end))
    }

    /// Decides after an attempt failed; `jitter` is drawn from 0 to 1.
    pub(super) fn next(
        &mut self,
        failure: &Failure,
        permission: Permission,
        policy: &RetryPolicy,
        now: Instant,
        jitter: f64,
    ) -> Next {
        if failure.unprocessed.is_some_and(|how| self.resends.allow(how)) {
            return Next::Resend;
        }
        if failure.is_refused_token() && !std::mem::replace(&mut self.has_renewed_token, true) {
            return Next::RenewToken;
        }
        let Permission { is_idempotent, is_reconciled } = permission;
        if is_reconciled && self.may_have_acted && failure.status.code() == Code::AlreadyExists {
            return Next::FetchExisting;
        }
        self.may_have_acted |= failure.fault.effect == ServerEffect::Unknown;
        // Fetches of a token have been retried already, for as long as the credentials have patience.
        if failure.is_without_token() {
            return Next::GiveUp;
        }
        let attempts = self.made.saturating_sub(self.resends.made());
        let past = Past { attempts, waited: self.waited, asked: failure.asked() };
        let wait = policy.wait(past, failure.fault, is_idempotent || is_reconciled, jitter);
        match wait.filter(|wait| self.deadline.is_none_or(|deadline| later(now, *wait) < deadline)) {
            Some(wait) => {
                self.waited = Some(wait);
                Next::RetryAfter(wait)
            }
            None => Next::GiveUp,
        }
    }

    /// How many attempts were sent.
    pub(super) fn made(&self) -> u32 {
        self.made
    }

    /// When the whole call ends.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Since the call began.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prost_types::Duration as WireDuration;
    use tonic::Code;

    use super::*;
    use crate::error::{ClosedBeforeSend, FromServer, TransportFault};
    use crate::proto::rpc::RetryInfo;
    use crate::status::Status;

    const READ: Permission = Permission { is_idempotent: true, is_reconciled: false };
    const MUTATION: Permission = Permission { is_idempotent: false, is_reconciled: false };
    const CREATION: Permission = Permission { is_idempotent: false, is_reconciled: true };

    /// A status that the server itself sent.
    fn said(status: Status) -> Failure {
        let mut status = tonic::Status::from(status);
        status.set_source(std::sync::Arc::new(FromServer { is_after_data: false }));
        Failure::of(status)
    }

    fn coded(code: Code) -> Failure {
        said(Status::new(code, "scripted"))
    }

    fn unprocessed() -> Failure {
        let closed = ClosedBeforeSend(h2::Reason::CANCEL.into());
        Failure::of(TransportFault::new(closed.into()).into())
    }

    /// Steps through attempts that each fail at once.
    struct Steps(Attempts, Instant, Permission);

    impl Steps {
        fn new(permission: Permission, timeout: Option<Duration>) -> Self {
            let now = Instant::now();
            Self(Attempts::new(now, timeout), now, permission)
        }

        fn fail(&mut self, failure: &Failure) -> Next {
            let policy = RetryPolicy::default();
            self.0.begin(self.1, &policy);
            self.0.next(failure, self.2, &policy, self.1, 0.0)
        }
    }

    const FIRST: Next = Next::RetryAfter(Duration::from_secs(1));

    #[test]
    fn a_read_is_retried_up_to_the_policys_number() {
        let mut steps = Steps::new(READ, None);
        for _ in 0..4 {
            assert_eq!(steps.fail(&coded(Code::Unavailable)), FIRST);
        }
        assert_eq!(steps.fail(&coded(Code::Unavailable)), Next::GiveUp);
        assert_eq!(steps.0.made(), 5);
    }

    #[test]
    fn a_mutation_is_retried_only_where_the_server_did_not_act() {
        assert_eq!(Steps::new(MUTATION, None).fail(&coded(Code::Unavailable)), FIRST);
        assert_eq!(Steps::new(MUTATION, None).fail(&coded(Code::Internal)), Next::GiveUp);
        assert_eq!(Steps::new(READ, None).fail(&coded(Code::Internal)), FIRST);
        assert_eq!(Steps::new(READ, None).fail(&coded(Code::NotFound)), Next::GiveUp);
    }

    #[test]
    fn what_the_server_has_not_seen_is_resent_three_times_and_not_counted() {
        let mut steps = Steps::new(MUTATION, None);
        for _ in 0..3 {
            assert_eq!(steps.fail(&unprocessed()), Next::Resend);
        }
        assert_eq!(steps.fail(&unprocessed()), FIRST, "then the policy decides");
        let never = RetryPolicy::never();
        let mut steps = Steps::new(READ, None);
        for _ in 0..3 {
            steps.0.begin(steps.1, &never);
            assert_eq!(steps.0.next(&unprocessed(), READ, &never, steps.1, 0.0), Next::Resend);
        }
        for failure in [unprocessed(), coded(Code::Unavailable)] {
            steps.0.begin(steps.1, &never);
            assert_eq!(steps.0.next(&failure, READ, &never, steps.1, 0.0), Next::GiveUp);
        }
    }

    #[test]
    fn a_refused_token_is_renewed_once() {
        let mut steps = Steps::new(MUTATION, None);
        assert_eq!(steps.fail(&coded(Code::Unauthenticated)), Next::RenewToken);
        assert_eq!(steps.fail(&coded(Code::Unauthenticated)), Next::GiveUp);
    }

    #[test]
    fn a_creation_looks_at_what_is_there_only_if_it_may_be_its_own() {
        let mut steps = Steps::new(CREATION, None);
        assert_eq!(steps.fail(&coded(Code::AlreadyExists)), Next::GiveUp, "somebody else's");
        let mut steps = Steps::new(CREATION, None);
        assert_eq!(steps.fail(&coded(Code::Internal)), FIRST);
        assert_eq!(steps.fail(&coded(Code::AlreadyExists)), Next::FetchExisting);
        let mut steps = Steps::new(CREATION, None);
        assert_eq!(steps.fail(&coded(Code::Unavailable)), FIRST, "refused: nothing was created");
        assert_eq!(steps.fail(&coded(Code::AlreadyExists)), Next::GiveUp);
    }

    #[test]
    fn no_wait_reaches_beyond_the_deadline() {
        let timeout = |millis| Some(Duration::from_millis(millis));
        assert_eq!(Steps::new(READ, timeout(1001)).fail(&coded(Code::Unavailable)), FIRST);
        assert_eq!(Steps::new(READ, timeout(1000)).fail(&coded(Code::Unavailable)), Next::GiveUp);
        let mut steps = Steps::new(READ, Some(Duration::MAX));
        assert_eq!(steps.fail(&coded(Code::Unavailable)), FIRST);
    }

    #[test]
    fn an_attempt_ends_at_its_own_time_or_at_that_of_the_call() {
        let (now, policy) = (Instant::now(), RetryPolicy::default());
        let end = |timeout| Attempts::new(now, timeout).begin(now, &policy).duration_since(now).as_secs();
        assert_eq!([end(None), end(Some(Duration::from_secs(7))), end(Some(Duration::MAX))], [60, 7, 60]);
    }

    #[test]
    fn the_time_that_a_poll_is_held_is_not_its_own() {
        let (now, held) = (Instant::now(), Duration::from_mins(5));
        let mut attempts = Attempts::new(now, Some(Duration::from_secs(7)));
        attempts.hold(held);
        let end = attempts.begin(now + held, &RetryPolicy::default());
        assert_eq!(end - now, held + Duration::from_secs(7));
        attempts.hold(Duration::MAX);
        assert_eq!(attempts.elapsed(), Duration::ZERO);
    }

    #[test]
    fn a_delay_that_the_server_asks_for_is_obeyed_or_ends_the_call() {
        let asking = |seconds, nanos| {
            let info = RetryInfo { retry_delay: Some(WireDuration { seconds, nanos }) };
            said(Status::new(Code::ResourceExhausted, "slow down").with_detail(&info))
        };
        let next = |failure| Steps::new(READ, None).fail(&failure);
        assert_eq!(next(asking(42, 0)), Next::RetryAfter(Duration::from_secs(42)));
        for (seconds, nanos) in [(601, 0), (i64::MAX, 0), (i64::MAX, i32::MAX)] {
            assert_eq!(next(asking(seconds, nanos)), Next::GiveUp, "{seconds}");
        }
        for (seconds, nanos) in [(-1, 0), (i64::MIN, i32::MIN), (0, -1)] {
            assert_eq!(next(asking(seconds, nanos)), Next::RetryAfter(Duration::from_secs(2)), "{seconds}");
        }
    }
}
