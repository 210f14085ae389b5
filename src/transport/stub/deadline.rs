//! The deadline that a request carries in `grpc-timeout`, as `tonic::Request::set_timeout` writes it.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::auth::TokenCache;
use crate::error::{BoxError, CredentialsError, DeadlinePassed, TransportFault, find};
use crate::time::{earlier, later};
use crate::transport::pool::Progress;

/// Timers tick in milliseconds, and the server's clock may be so much ahead.
const ROUNDING: Duration = Duration::from_millis(2);
/// gRPC over HTTP/2, "Timeout": at most so many digits, and a unit.
const MAX_DIGITS: usize = 8;

/// When a request ends.
#[derive(Debug)]
pub(super) struct Deadline {
    started: Instant,
    after: Duration,
    end: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    /// Of a request that is made now; `None` if it has none, or one that cannot be read. Without a runtime there are no
    /// timers.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let after = parse(headers.get("grpc-timeout")?)?;
        let _runtime = Handle::try_current().ok()?;
        let started = Instant::now();
        let end = later(started, after);
        Some(Self { started, after, end, timer: Box::pin(sleep_until(end)) })
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.as_mut().poll(cx)
    }

    /// Why there was no token in all this time, if there was none.
    pub(super) fn starving(&self, tokens: &TokenCache) -> Option<CredentialsError> {
        tokens.starving(self.started)
    }

    /// The error of a request whose time is over.
    pub(super) fn passed(&self, progress: Progress, cause: Option<CredentialsError>) -> BoxError {
        self.error(progress, cause.map(Into::into))
    }

    /// The same error; or, if it is the server that broke the request off when its time was over, that. Some servers reset
    /// the stream just before our own timer fires.
    pub(super) fn judge(&self, error: BoxError, progress: Progress) -> BoxError {
        let is_cancelled =
            find::<TransportFault>(error.as_ref()).is_some_and(TransportFault::is_cancelled_by_server);
        if is_cancelled && Instant::now() >= earlier(self.end, ROUNDING) {
            self.error(progress, Some(error))
        } else {
            error
        }
    }

    fn error(&self, progress: Progress, cause: Option<BoxError>) -> BoxError {
        let (text, fault) = progress.at_the_deadline(self.after);
        let fault = TransportFault::out_of_time(text, fault, DeadlinePassed(cause).into());
        tonic::Status::from(fault).into()
    }
}

fn parse(value: &HeaderValue) -> Option<Duration> {
    let (digits, unit) = value.to_str().ok()?.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number.saturating_mul(3600)),
        "M" => Duration::from_secs(number.saturating_mul(60)),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_protocol_allows_is_read() {
        let read = |text: &'static str| parse(&HeaderValue::from_static(text));
        for (text, time) in [
            ("1H", Duration::from_hours(1)),
            ("2M", Duration::from_mins(2)),
            ("3S", Duration::from_secs(3)),
            ("500m", Duration::from_millis(500)),
            ("00000500u", Duration::from_micros(500)),
            ("99999999n", Duration::from_nanos(99_999_999)),
            ("99999999H", Duration::from_hours(99_999_999)),
            ("0S", Duration::ZERO),
        ] {
            assert_eq!(read(text), Some(time), "{text}");
        }
        for text in ["", "S", "1", "1s", "100000000S", "-1S", "+1S", "1.5S", "1 S", "１S"] {
            assert_eq!(HeaderValue::from_str(text).ok().and_then(|value| parse(&value)), None, "{text:?}");
        }
    }
}
