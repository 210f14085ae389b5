//! Token servers that speak the documented protocols, and misbehave by script: a metadata server, an OAuth token
//! endpoint, a security token service, and the one that impersonates service accounts.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::grants::{self, Grant};
use crate::script::{Answer, Break, Desk, Shape, scripted};

/// Serves until the test ends.
#[derive(Clone)]
pub struct TokenServer {
    pub address: SocketAddr,
    pub desk: Arc<Desk>,
}

impl TokenServer {
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let desk = Arc::new(Desk::new(answers));
        let address = Self::listen(desk.clone(), None).await;
        Self { address, desk }
    }

    /// The same desk behind TLS.
    pub async fn also_with_tls(&self, tls: TlsAcceptor) -> SocketAddr {
        Self::listen(self.desk.clone(), Some(tls)).await
    }

    async fn listen(desk: Arc<Desk>, tls: Option<TlsAcceptor>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = router(desk);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (router, tls) = (router.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => match tls.accept(socket).await {
                            Ok(socket) => serve(socket, router).await,
                            Err(error) => eprintln!("no TLS: {error}"),
                        },
                        None => serve(socket, router).await,
                    }
                });
            }
        });
        address
    }
}

async fn serve(socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let hatchet = Break::default();
    let service = TowerToHyperService::new(router.layer(Extension(hatchet.clone())));
    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    tokio::select! {
        _ = server.serve_connection(TokioIo::new(socket), service) => {}
        () = hatchet.0.notified() => {}
    }
}

fn router(desk: Arc<Desk>) -> Router {
    const ACCOUNT: &str = "/computeMetadata/v1/instance/service-accounts/default";
    Router::new()
        .route("/", get(|| async { [("metadata-flavor", "Google")] }))
        .route(&format!("{ACCOUNT}/token"), get(metadata_token))
        .route(&format!("{ACCOUNT}/"), get(metadata_account))
        .route("/computeMetadata/v1/universe/universe-domain", get(|| async { "googleapis.com" }))
        .route("/computeMetadata/v1/project/project-id", get(|| async { "p" }))
        .route("/token", post(oauth_token))
        .route("/source", post(source_token))
        .route("/sts", post(exchanged_token))
        .route("/v1/projects/-/serviceAccounts/{call}", post(impersonated_token))
        .route("/elsewhere", post(elsewhere))
        .route("/script/{name}", get(change_script))
        .layer(middleware::from_fn_with_state(desk.clone(), note_address))
        .with_state(desk)
}

async fn note_address(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    desk.addresses.lock().unwrap().push(request.uri().to_string());
    next.run(request).await
}

/// The child says what comes next: `good`, or `twice`: two times what came first, then good.
async fn change_script(State(desk): State<Arc<Desk>>, Path(name): Path<String>) {
    match name.as_str() {
        "good" => desk.script([Answer::Good]),
        _ => desk.script([desk.first, desk.first, Answer::Good]),
    }
}

async fn metadata_token(
    State(desk): State<Arc<Desk>>,
    Extension(hatchet): Extension<Break>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    if headers.get("metadata-flavor").is_none_or(|value| value != "Google") {
        desk.wrong.lock().unwrap().push("a request for a token without Metadata-Flavor".into());
        return StatusCode::FORBIDDEN.into_response();
    }
    if query != [("scopes".to_owned(), grants::SCOPE.to_owned())] {
        desk.wrong.lock().unwrap().push(format!("scopes: {query:?}"));
    }
    let mut response = scripted(&desk, hatchet, Shape::OAuth, "").await;
    response.headers_mut().insert("metadata-flavor", "Google".parse().unwrap());
    response
}

/// What `?recursive=true` asks for.
async fn metadata_account(Query(query): Query<Vec<(String, String)>>) -> Response {
    if query != [("recursive".to_owned(), "true".to_owned())] {
        return "aliases\nemail\nscopes\ntoken\n".into_response();
    }
    let account =
        json!({"aliases": ["default"], "email": "sa@p.iam.gserviceaccount.com", "scopes": [grants::SCOPE]});
    Json(account).into_response()
}

async fn oauth_token(
    State(desk): State<Arc<Desk>>,
    Extension(hatchet): Extension<Break>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer_grant(&desk, hatchet, &headers, &body, &[Grant::Refresh, Grant::SignedJwt]).await
}

async fn exchanged_token(
    State(desk): State<Arc<Desk>>,
    Extension(hatchet): Extension<Break>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer_grant(&desk, hatchet, &headers, &body, &[Grant::Exchange]).await
}

async fn answer_grant(
    desk: &Arc<Desk>,
    hatchet: Break,
    headers: &HeaderMap,
    body: &Bytes,
    allowed: &[Grant],
) -> Response {
    let body = String::from_utf8_lossy(body);
    match grants::check(headers, &body) {
        Ok(grant) if allowed.contains(&grant) => {
            let shape = if grant == Grant::Exchange { Shape::Exchange } else { Shape::OAuth };
            scripted(desk, hatchet, shape, &body).await
        }
        wrong => {
            desk.wrong.lock().unwrap().push(format!("{wrong:?}"));
            (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response()
        }
    }
}

/// The token of the account that impersonates another: always good, so that the script is about the second step.
async fn source_token(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8_lossy(&body);
    if grants::check(&headers, &body) != Ok(Grant::Refresh) {
        desk.wrong.lock().unwrap().push("source".into());
    }
    Json(json!({"access_token": grants::SOURCE_TOKEN, "expires_in": 3599, "token_type": "Bearer"}))
        .into_response()
}

async fn impersonated_token(
    State(desk): State<Arc<Desk>>,
    Extension(hatchet): Extension<Break>,
    Path(call): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let is_right = bearer.and_then(|bearer| bearer.strip_prefix("Bearer ")) == Some(grants::SOURCE_TOKEN)
        && call.ends_with(":generateAccessToken")
        && body.contains(grants::SCOPE);
    if !is_right {
        desk.wrong.lock().unwrap().push(format!("impersonation: {call} {body}"));
    }
    scripted(&desk, hatchet, Shape::Iam, &body).await
}

/// Where a redirect leads: it notes what it gets.
async fn elsewhere(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: String) -> StatusCode {
    desk.seen.lock().unwrap().push(format!("{headers:?} {body}"));
    StatusCode::SERVICE_UNAVAILABLE
}
