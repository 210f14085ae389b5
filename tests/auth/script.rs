//! What a token server answers, by script, and what it notes meanwhile.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;
use tokio::sync::Notify;

use crate::grants;

/// What a token server does with a request for a token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    Good,
    Status(u16),
    /// An OAuth error that only other credentials end.
    InvalidGrant,
    Page,
    Torn,
    Empty,
    Negative,
    Zero,
    /// Good for more seconds than any clock counts.
    Endless,
    /// Good for 20 seconds more, and always the same.
    NearlyOver,
    Slow,
    /// 503, after the same while.
    SlowFailure,
    Hang,
    Reset,
    /// An error that repeats the request, secrets and all.
    Echo,
    /// A token of a type that nobody knows.
    Odd,
    /// On to another server.
    Redirect(SocketAddr),
}

/// One connection, which a handler can break.
#[derive(Clone, Default)]
pub struct Break(pub Arc<Notify>);

/// What the servers share with the test.
pub struct Desk {
    pub first: Answer,
    answers: Mutex<VecDeque<Answer>>,
    pub requests: AtomicUsize,
    in_flight: AtomicUsize,
    pub most_in_flight: AtomicUsize,
    /// Requests that break the protocol, and why.
    pub wrong: Mutex<Vec<String>>,
    /// Everything that came, for tests of where secrets go.
    pub seen: Mutex<Vec<String>>,
    /// The path and query of every request.
    pub addresses: Mutex<Vec<String>>,
}

impl Desk {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = answers.into_iter().collect::<VecDeque<_>>();
        Self {
            first: answers[0],
            answers: Mutex::new(answers),
            requests: AtomicUsize::default(),
            in_flight: AtomicUsize::default(),
            most_in_flight: AtomicUsize::default(),
            wrong: Mutex::default(),
            seen: Mutex::default(),
            addresses: Mutex::default(),
        }
    }

    /// After the last answer, the last again.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        *self.answers.lock().unwrap() = answers.into_iter().collect();
        self.requests.store(0, SeqCst);
        self.most_in_flight.store(0, SeqCst);
    }

    fn next(&self) -> Answer {
        let mut answers = self.answers.lock().unwrap();
        let first = answers.front().copied().expect("a script");
        if answers.len() > 1 {
            answers.pop_front();
        }
        first
    }
}

#[derive(Clone, Copy, PartialEq)]
pub enum Shape {
    OAuth,
    Exchange,
    Iam,
}

/// Counts a request for as long as it is answered, also if the client goes away meanwhile.
struct InFlight<'a>(&'a Desk);

impl<'a> InFlight<'a> {
    fn new(desk: &'a Desk) -> Self {
        desk.requests.fetch_add(1, SeqCst);
        let now = desk.in_flight.fetch_add(1, SeqCst) + 1;
        desk.most_in_flight.fetch_max(now, SeqCst);
        Self(desk)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

/// JSON knows no limit, and `serde_json` that of either 64-bit type.
fn number(seconds: i128) -> serde_json::Number {
    serde_json::Number::from_i128(seconds).expect("64 bits")
}

pub async fn scripted(desk: &Desk, hatchet: Break, shape: Shape, request: &str) -> Response {
    let _counted = InFlight::new(desk);
    let token = |secret: &str, seconds: i128, kind: &str| {
        Json(match shape {
            Shape::OAuth => {
                json!({"access_token": secret, "expires_in": number(seconds), "token_type": kind})
            }
            Shape::Exchange => json!({
                "access_token": secret,
                "expires_in": number(seconds),
                "token_type": kind,
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            }),
            Shape::Iam => json!({"accessToken": secret, "expireTime": grants::rfc3339_in(seconds)}),
        })
        .into_response()
    };
    match desk.next() {
        Answer::Good => token(grants::GOOD_TOKEN, 3599, "Bearer"),
        Answer::Status(code) => (StatusCode::from_u16(code).unwrap(), "no").into_response(),
        Answer::InvalidGrant => {
            let error = json!({"error": "invalid_grant", "error_description": "Account has been deleted."});
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
        Answer::Page => Html("<html>Log in to the network</html>").into_response(),
        Answer::Torn => {
            ([(header::CONTENT_TYPE, "application/json")], r#"{"access_token":"ha"#).into_response()
        }
        Answer::Empty => token("", 3599, "Bearer"),
        Answer::Negative => token(grants::GOOD_TOKEN, -60, "Bearer"),
        Answer::Zero => token(grants::GOOD_TOKEN, 0, "Bearer"),
        Answer::Endless => token(grants::GOOD_TOKEN, u64::MAX.into(), "Bearer"),
        Answer::NearlyOver => token(grants::GOOD_TOKEN, 20, "Bearer"),
        Answer::Odd => token(grants::GOOD_TOKEN, 3599, "Odd"),
        Answer::Slow => {
            // As long as any network may take, and less than our timeout.
            tokio::time::sleep(Duration::from_millis(300)).await;
            token(grants::GOOD_TOKEN, 3599, "Bearer")
        }
        Answer::SlowFailure => {
            tokio::time::sleep(Duration::from_millis(300)).await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Answer::Hang => std::future::pending().await,
        Answer::Reset => {
            hatchet.0.notify_one();
            std::future::pending().await
        }
        Answer::Echo => {
            let error =
                json!({"error": "invalid_request", "error_description": "see error", "echo": request});
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
        Answer::Redirect(to) => {
            let to = format!("http://localhost:{}/elsewhere", to.port());
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
    }
}
