//! The headers of a request: those that every call has, made once and copied, and those of this one.

use std::ptr;
use std::sync::Mutex;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Method;
use super::routing::{self, Recent};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What the requests of a caller begin with.
#[derive(Debug)]
pub(super) struct Head {
    /// With a place for what differs from call to call, so that no copy of it grows.
    constant: HeaderMap,
    recent: Recent,
    /// The time that an attempt mostly has, which the constant ones say.
    usual: Duration,
    /// The method that was called last, which is mostly the next one too, and its path as it travels.
    last: Mutex<Option<(&'static Method, PathAndQuery)>>,
}

impl Head {
    /// Over the headers of a transport, for attempts that mostly have `usual` time.
    pub(super) fn new(mut constant: HeaderMap, usual: Duration) -> Self {
        constant.insert(routing::HEADER, HeaderValue::from_static(""));
        constant.insert(GRPC_TIMEOUT, grpc_timeout(usual));
        Self { constant, recent: Recent::default(), usual, last: Mutex::default() }
    }

    /// Parsed once for calls of the same method in a row; others do not wait for the lock.
    pub(super) fn path(&self, method: &'static Method) -> PathAndQuery {
        let Ok(mut last) = self.last.try_lock() else { return PathAndQuery::from_static(method.path()) };
        match &*last {
            Some((known, path)) if ptr::eq(*known, method) => path.clone(),
            _ => last.insert((method, PathAndQuery::from_static(method.path()))).1.clone(),
        }
    }

    /// The headers of one attempt; the caller's own replace what has their name.
    pub(super) fn of_call(
        &self,
        routing: Option<&HeaderValue>,
        own: Option<&HeaderMap>,
        time_left: Duration,
        traceparent: Option<HeaderValue>,
    ) -> HeaderMap {
        let mut headers = self.constant.clone();
        match routing {
            Some(value) => drop(headers.insert(routing::HEADER, self.recent.mark(value.clone()))),
            None => drop(headers.remove(routing::HEADER)),
        }
        for (name, value) in own.into_iter().flatten() {
            headers.insert(name, value.clone());
        }
        if time_left != self.usual || own.is_some() {
            headers.insert(GRPC_TIMEOUT, grpc_timeout(time_left));
        }
        if let Some(value) = traceparent {
            headers.insert(TRACEPARENT, value);
        }
        headers
    }
}

/// At most 8 digits and a unit: milliseconds reach a day, seconds three years. Rounded up, so that our own
/// clock, which knows what happened, is the first to end the call.
fn grpc_timeout(left: Duration) -> HeaderValue {
    let text = match u32::try_from(left.as_millis()) {
        Ok(millis @ ..99_999_999) => format!("{}m", millis.saturating_add(1)),
        _ => format!("{}S", left.as_secs().saturating_add(1).min(99_999_999)),
    };
    // Digits and a letter are always valid.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("99999999S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_timeout_has_at_most_eight_digits() {
        let cases = [(0, "1m"), (1_500, "1501m"), (99_999_998, "99999999m"), (100_000_000, "100001S")];
        for (millis, text) in cases {
            assert_eq!(grpc_timeout(Duration::from_millis(millis)), text);
        }
        assert_eq!(grpc_timeout(Duration::MAX), "99999999S");
    }

    #[test]
    fn what_a_call_brings_is_put_in_its_place_and_nothing_else_stays() {
        let constant: HeaderMap = [("te", "trailers"), ("user-agent", "ours")]
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .into_iter()
            .collect();
        let head = Head::new(constant, Duration::from_mins(1));
        let route = HeaderValue::from_static("name=a%2Fb");
        let own: HeaderMap =
            [(HeaderName::from_static("user-agent"), HeaderValue::from_static("mine"))].into_iter().collect();
        let time_left = Duration::from_secs(1);
        let all =
            head.of_call(Some(&route), Some(&own), time_left, Some(HeaderValue::from_static("00-1-2-01")));
        let shown = |headers: &HeaderMap| {
            let mut shown: Vec<_> =
                headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
            shown.sort();
            shown.join(", ")
        };
        assert_eq!(
            shown(&all),
            "grpc-timeout: 1001m, te: trailers, traceparent: 00-1-2-01, user-agent: mine, \
             x-goog-request-params: name=a%2Fb"
        );
        let none = head.of_call(None, None, Duration::from_mins(1), None);
        assert_eq!(shown(&none), "grpc-timeout: 60001m, te: trailers, user-agent: ours");
    }

    #[test]
    fn a_name_gets_into_the_connections_table_when_it_comes_again() {
        let head = Head::new(HeaderMap::new(), Duration::from_mins(1));
        let is_kept_out = |name: String| {
            let route = HeaderValue::from_str(&name).unwrap();
            let headers = head.of_call(Some(&route), None, Duration::ZERO, None);
            headers.get(routing::HEADER).unwrap().is_sensitive()
        };
        assert!(is_kept_out("name=operations%2F1".into()), "seen for the first time");
        assert!(!is_kept_out("name=operations%2F1".into()), "and again");
        // Names that come by turns, and are more than are remembered, all stay out.
        for _ in 0..3 {
            let kept_out = (0..1_000).filter(|i| is_kept_out(format!("name=operations%2F{i:09}"))).count();
            assert_eq!(kept_out, 1_000);
        }
    }
}
