//! Makes attempts until one succeeds, the policy gives up, or the time is over.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::time::Duration;

use prost::Message;
use tokio::time::{Instant, sleep, timeout_at};
use tower::retry::budget::Budget as _;

use super::attempts::{Attempts, Next, Permission};
use super::budget::Turn;
use super::failure::Failure;
use super::send::{Outgoing, send};
#[cfg(feature = "gzip")]
use super::{Gzip, compressed};
use super::{Plan, Reconcile, trace};
use crate::error::Error;
use crate::transport::ProgressCell;

/// Runs the plan to its end.
pub(super) async fn run<W: Message + Default + Send + 'static>(plan: &mut Plan) -> Result<W, Error> {
    if let Err(error) = &mut plan.body {
        // Taken once: a call is awaited once.
        return Err(std::mem::replace(error, refused_before()));
    }
    let span = trace::call_span(plan.method, plan.caller.transport().endpoint());
    let mut attempts = Attempts::new(Instant::now(), plan.timeout);
    let result = {
        let mut all = pin!(attempt_all(plan, &mut attempts));
        poll_fn(|cx| {
            let _entered = span.enter();
            all.as_mut().poll(cx)
        })
        .await
    };
    let result = result.map_err(|error| error.with_advice(|| plan.misplaced()));
    let ended = trace::CallEnd { method: plan.method, attempts: &attempts, is_poll: plan.is_poll() };
    span.in_scope(|| trace::call_ended(&span, ended, result.as_ref().err()));
    result
}

/// Makes attempts until one succeeds, or there is a reason to stop.
async fn attempt_all<W: Message + Default + Send + 'static>(
    plan: &Plan,
    attempts: &mut Attempts,
) -> Result<W, Error> {
    plan.caller.retry_budget().deposit();
    loop {
        let wait = match attempt(plan, attempts).await {
            Attempted::Ended(result) => return result,
            Attempted::Failed { wait } => wait,
        };
        if let Some(wait) = wait {
            sleep(wait).await;
        }
    }
}

/// What came of an attempt.
enum Attempted<W> {
    Ended(Result<W, Error>),
    /// Another follows: at once, or after this wait.
    Failed {
        wait: Option<Duration>,
    },
}

/// Makes one attempt. What is rare is in boxes: the future of every call has space for all that it may wait for.
async fn attempt<W: Message + Default + Send + 'static>(
    plan: &Plan,
    attempts: &mut Attempts,
) -> Attempted<W> {
    let Ok(body) = &plan.body else { return Attempted::Ended(Err(refused_before())) };
    let rates = plan.caller.rate_budgets();
    if let Some(turn) = rates.and_then(|rates| rates.turn(plan.project(), plan.priority))
        && !Box::pin(take_turn(turn, attempts, plan.is_poll())).await
    {
        let failure = Failure::out_of_turn(attempts.elapsed());
        return Attempted::Ended(Err(given_up(failure, plan, attempts)));
    }
    let sent = Instant::now();
    let end = attempts.begin(sent, plan.retry());
    let progress = ProgressCell::default();
    let outgoing = Outgoing {
        caller: &plan.caller,
        method: plan.method,
        routing: plan.routing.as_ref(),
        headers: plan.headers.as_deref(),
        body,
        time_left: end.saturating_duration_since(sent),
        progress: &progress,
    };
    // Pinned here, for it is large to be moved.
    let failure = match timeout_at(end, pin!(exchange(&outgoing))).await {
        Ok(Ok(wire)) => return Attempted::Ended(Ok(wire)),
        Ok(Err(status)) => told(status, sent, end, &progress),
        Err(_) => timed_out(plan, sent, &progress),
    };
    match (next(plan, attempts, &failure, &progress), plan.reconcile.as_deref()) {
        (Step::Again, _) => Attempted::Failed { wait: None },
        (Step::Wait(wait), _) => Attempted::Failed { wait: Some(wait) },
        (Step::FetchExisting, Some(reconcile)) => {
            let found = Box::pin(fetch_existing(plan, reconcile, end)).await;
            Attempted::Ended(found.ok_or_else(|| given_up(failure, plan, attempts)))
        }
        (Step::FetchExisting | Step::GiveUp, _) => Attempted::Ended(Err(given_up(failure, plan, attempts))),
    }
}

/// What is done after a failed attempt.
enum Step {
    Again,
    Wait(Duration),
    FetchExisting,
    GiveUp,
}

/// What failed with a status.
fn told(status: tonic::Status, sent: Instant, end: Instant, progress: &ProgressCell) -> Failure {
    let now = Instant::now();
    Failure::of(status).or_timed_out(now, end, now.saturating_duration_since(sent), progress.get())
}

/// What did not end in time.
fn timed_out(plan: &Plan, sent: Instant, progress: &ProgressCell) -> Failure {
    let took = sent.elapsed();
    // Without a token it waited for one, and was not sent.
    match plan.caller.transport().tokens().and_then(|tokens| tokens.starving(sent)) {
        Some(error) => Failure::without_token(error, took),
        None => Failure::timed_out(took, progress.get()),
    }
}

/// What follows, and what others learn of the failure: the rate budget, and the cache of tokens.
fn next(plan: &Plan, attempts: &mut Attempts, failure: &Failure, progress: &ProgressCell) -> Step {
    if let Some(rates) = plan.caller.rate_budgets()
        && failure.asks_for_fewer_calls()
    {
        rates.refused(plan.project());
    }
    let permission =
        Permission { is_idempotent: plan.is_idempotent, is_reconciled: plan.reconcile.is_some() };
    match attempts.next(failure, permission, plan.retry(), Instant::now(), plan.caller.jitter()) {
        Next::Resend => Step::Again,
        Next::RenewToken => {
            let tokens = plan.caller.transport().tokens();
            let is_renewed =
                tokens.zip(progress.token()).is_some_and(|(tokens, generation)| tokens.refuse(generation));
            if is_renewed { Step::Again } else { Step::GiveUp }
        }
        Next::FetchExisting => Step::FetchExisting,
        Next::RetryAfter(wait) if plan.caller.retry_budget().withdraw() => {
            trace::attempt_failed(attempts.made(), failure.status.code(), failure.fault, wait);
            Step::Wait(wait)
        }
        Next::RetryAfter(_) | Next::GiveUp => Step::GiveUp,
    }
}

fn given_up(failure: Failure, plan: &Plan, attempts: &Attempts) -> Error {
    failure.into_error(plan.method.full_name(), attempts.made(), attempts.elapsed())
}

/// Waits for the turn of an attempt; false if the call's time is over before. A poll waits as long as it takes, which is
/// not an outage of the service, and has all its time afterwards.
async fn take_turn(turn: Turn, attempts: &mut Attempts, is_poll: bool) -> bool {
    match attempts.deadline() {
        Some(_) if is_poll => {
            let asked = Instant::now();
            turn.await;
            attempts.hold(asked.elapsed());
            true
        }
        Some(deadline) => timeout_at(deadline, turn).await.is_ok(),
        None => {
            turn.await;
            true
        }
    }
}

/// Gets the resource that a creation found to be there; `None` if it is not what was asked for, or cannot be got.
async fn fetch_existing<W: Message + Default + Send + 'static>(
    plan: &Plan,
    reconcile: &Reconcile,
    end: Instant,
) -> Option<W> {
    let get = Outgoing {
        caller: &plan.caller,
        method: reconcile.get,
        routing: reconcile.routing.as_ref(),
        headers: plan.headers.as_deref(),
        body: &reconcile.request,
        time_left: end.saturating_duration_since(Instant::now()),
        progress: &ProgressCell::default(),
    };
    timeout_at(end, exchange(&get)).await.ok()?.ok().filter(|found| reconcile.accepts(found))
}

async fn exchange<W: Message + Default + Send + 'static>(
    outgoing: &Outgoing<'_>,
) -> Result<W, tonic::Status> {
    #[cfg(feature = "gzip")]
    if outgoing.caller.settings().gzip != Gzip::Off {
        // In a box, so that calls that compress nothing do not carry its state.
        return Box::pin(compressed::send(outgoing)).await;
    }
    send(outgoing).await
}

fn refused_before() -> Error {
    Error::protocol("the call was refused before")
}
