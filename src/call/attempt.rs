//! Makes attempts until one succeeds, the policy gives up, or the time is over.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

use prost::Message;
use tokio::time::{Instant, sleep, timeout_at};
use tower::retry::budget::Budget as _;

use super::attempts::{Attempts, Next, Permission};
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
        return Err(std::mem::replace(error, Error::protocol("the call was refused before")));
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
    let permission =
        Permission { is_idempotent: plan.is_idempotent, is_reconciled: plan.reconcile.is_some() };
    loop {
        let rates = plan.caller.rate_budgets().map(|rates| (rates, plan.project()));
        if let Some((rates, project)) = rates
            && !take_turn(rates.enter(project, plan.priority), attempts, plan.is_poll()).await
        {
            let elapsed = attempts.elapsed();
            let failure = Failure::out_of_turn(elapsed);
            return Err(failure.into_error(plan.method.full_name(), attempts.made(), elapsed));
        }
        let sent = Instant::now();
        let policy = plan.retry.as_ref().unwrap_or(&plan.caller.settings().retry);
        let end = attempts.begin(sent, policy);
        let tokens = plan.caller.transport().tokens();
        let progress = ProgressCell::default();
        // Pinned here, for it is large to be moved.
        let result =
            timeout_at(end, pin!(attempt(plan, end.saturating_duration_since(sent), &progress))).await;
        let result = match result {
            Ok(Ok(wire)) => return Ok(wire),
            Ok(Err(status)) => Some(status),
            Err(_) => None,
        };
        let now = Instant::now();
        let took = now.saturating_duration_since(sent);
        let failure = match result {
            Some(status) => Failure::of(status).or_timed_out(now, end, took, progress.get()),
            // Without a token it waited for one, and was not sent.
            None => match tokens.and_then(|tokens| tokens.starving(sent)) {
                Some(error) => Failure::without_token(error, took),
                None => Failure::timed_out(took, progress.get()),
            },
        };
        if let Some((rates, project)) = rates
            && failure.asks_for_fewer_calls()
        {
            rates.refused(project);
        }
        match attempts.next(&failure, permission, policy, now, plan.caller.jitter()) {
            Next::Resend => continue,
            Next::RenewToken => {
                if let Some((tokens, generation)) = tokens.zip(progress.token())
                    && tokens.refuse(generation)
                {
                    continue;
                }
            }
            Next::FetchExisting => {
                if let Some(reconcile) = plan.reconcile.as_deref()
                    && let Some(wire) = fetch_existing(plan, reconcile, end).await
                {
                    return Ok(wire);
                }
            }
            Next::RetryAfter(wait) if plan.caller.retry_budget().withdraw() => {
                trace::attempt_failed(attempts.made(), failure.status.code(), failure.fault, wait);
                sleep(wait).await;
                continue;
            }
            Next::RetryAfter(_) | Next::GiveUp => {}
        }
        let elapsed = attempts.elapsed();
        return Err(failure.into_error(plan.method.full_name(), attempts.made(), elapsed));
    }
}

/// Waits for the turn of an attempt; false if the call's time is over before. A poll waits as long as it takes, which is
/// not an outage of the service, and has all its time afterwards.
async fn take_turn(turn: impl Future<Output = ()>, attempts: &mut Attempts, is_poll: bool) -> bool {
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
        headers: &plan.headers,
        body: &reconcile.request,
    };
    let left = end.saturating_duration_since(Instant::now());
    timeout_at(end, exchange(get, left, &ProgressCell::default()))
        .await
        .ok()?
        .ok()
        .filter(|found| reconcile.accepts(found))
}

async fn attempt<W: Message + Default + Send + 'static>(
    plan: &Plan,
    time_left: Duration,
    progress: &ProgressCell,
) -> Result<W, tonic::Status> {
    // A call that was refused has ended before.
    let Ok(body) = &plan.body else { return Err(tonic::Status::internal("the call was refused before")) };
    let outgoing = Outgoing {
        caller: &plan.caller,
        method: plan.method,
        routing: plan.routing.as_ref(),
        headers: &plan.headers,
        body,
    };
    exchange(outgoing, time_left, progress).await
}

async fn exchange<W: Message + Default + Send + 'static>(
    outgoing: Outgoing<'_>,
    time_left: Duration,
    progress: &ProgressCell,
) -> Result<W, tonic::Status> {
    #[cfg(feature = "gzip")]
    if outgoing.caller.settings().gzip != Gzip::Off {
        // In a box, so that calls that compress nothing do not carry its state.
        return Box::pin(compressed::send(outgoing, time_left, progress)).await;
    }
    send(outgoing, time_left, progress).await
}
