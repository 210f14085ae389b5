//! The admin API as JSON: its replies look like those of the API itself.

use std::sync::Arc;

use http::Response;

use super::reply::{self, JsonStyle};
use super::request::RestRequest;
use super::stream::JsonBody;
use crate::admin::{self, Found};
use crate::apart::LARGE;
use crate::outbox::Outbox;
use crate::pipeline::Pipeline;

/// How long a request of this path may be, in bytes, where others may have `usual`: what the admin API gives out it takes
/// back.
pub(crate) fn limit(path: &str, usual: usize) -> usize {
    match admin::find("POST", path) {
        Found::Method(method) if admin::takes_state(method) => admin::MAX_STATE,
        _ => usual,
    }
}

/// Answers, if the path is one of the admin API: apart from other calls where it is about the whole state,
/// and no more than the connection reads.
pub(crate) async fn answer(
    pipeline: &Arc<Pipeline>,
    call: RestRequest<'_>,
    outbox: &Outbox,
) -> Response<JsonBody> {
    let style = JsonStyle::default();
    let error = |status| reply::error(style, &pipeline.shown(status));
    let response = match admin::find(call.verb, call.path) {
        Found::Method(method) => {
            let (own, query, body) = (Arc::clone(pipeline), call.query.to_owned(), call.body);
            let is_long = body.len() > LARGE || admin::gives_state(method);
            let act = move || {
                let answer = admin::answer(&own, method, &query, &body);
                answer.map(|value| reply::json(style, 200, &value))
            };
            let answer =
                if is_long { pipeline.apart.run(outbox, act).await.and_then(|answer| answer) } else { act() };
            answer.unwrap_or_else(error)
        }
        Found::WrongVerb(allowed) => {
            let refusal = pipeline.shown(reply::wrong_verb(call.verb, call.path, &allowed));
            reply::with_allowed(style, &refusal, &allowed)
        }
        Found::Nothing(all) => error(reply::unknown_path(call.path, &all)),
    };
    let bytes = response.body().len();
    let mut response = response.map(JsonBody::from);
    if bytes > LARGE {
        response.extensions_mut().insert(outbox.hold(bytes));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;
    use crate::clock::ManualClock;
    use crate::dispatch::Service;
    use crate::outbox::Held;
    use crate::state::State;

    #[test]
    fn what_is_the_whole_state_may_be_larger() {
        for (path, wanted) in [("seed", admin::MAX_STATE), ("restore", admin::MAX_STATE), ("faults", 7)] {
            assert_eq!(limit(&format!("/_emulator/v1/{path}"), 7), wanted, "{path}");
        }
        assert_eq!(limit("/v1/seed", 7), 7);
    }

    #[tokio::test]
    async fn the_state_is_given_out_to_connections_that_read_it() {
        let clock = Arc::new(ManualClock::default());
        let service = Service::new(State::default(), clock);
        let seed = serde_json::json!({ "views": [{
            "name": "projects/p/locations/us/views/1", "value": "v".repeat(LARGE),
        }] });
        let pipeline = Pipeline::of(service, ManualClock::default());
        let headers = HeaderMap::new();
        let call = |verb, path, body: String| RestRequest {
            verb,
            path,
            query: "",
            headers: &headers,
            body: Bytes::from(body),
        };
        let (outbox, other) = (Outbox::default(), Outbox::default());
        let full = outbox.hold(usize::MAX);
        let taken = answer(&pipeline, call("POST", "/_emulator/v1/seed", seed.to_string()), &other);
        assert_eq!(taken.await.status(), 200);
        let mut given =
            std::pin::pin!(answer(&pipeline, call("GET", "/_emulator/v1/export", String::new()), &outbox));
        let waits = std::future::poll_fn(|cx| Poll::Ready(given.as_mut().poll(cx).is_pending()));
        assert!(waits.await);
        drop(full);
        assert!(given.await.extensions().get::<Held>().is_some());
    }
}
