//! The server of the soak, in a process of its own: it says GOAWAY and dies on schedule, and hands out short tokens.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{GetOperationRequest, Operation};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::interval;
use tonic::{Request, Response, Status};

use crate::support::{self, NAME};

const GOAWAY_EVERY: Duration = Duration::from_secs(2);
const KILL_EVERY: Duration = Duration::from_secs(5);
const TOKEN_LIFE: Duration = Duration::from_secs(10);
/// From its first poll on.
const OPERATION_LIFE: Duration = Duration::from_secs(5);

pub(crate) fn serve() {
    support::end_with_parent();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let tokens = Tokens::default();
        let grpc = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let metadata = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (at, beside) = (grpc.local_addr().unwrap(), metadata.local_addr().unwrap());
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        println!("http://{at} http://{beside}{path}");
        let mint = tokens.clone();
        let router = Router::new().route(path, get(move || std::future::ready(mint.answer())));
        tokio::spawn(async move { axum::serve(metadata, router).await });

        let (chaos, _) = watch::channel(Chaos::default());
        let goaway = chaos.clone();
        tokio::spawn(
            async move { every(GOAWAY_EVERY, || goaway.send_modify(|chaos| chaos.goaways += 1)).await },
        );
        let kill = chaos.clone();
        tokio::spawn(async move { every(KILL_EVERY, || kill.send_modify(|chaos| chaos.kills += 1)).await });
        let service = OperationsServer::new(Living { tokens, begun: Arc::default() });
        loop {
            let (stream, _) = grpc.accept().await.expect("a connection");
            tokio::spawn(connection(stream, service.clone(), chaos.subscribe()));
        }
    });
}

#[derive(Clone, Copy, Default)]
struct Chaos {
    goaways: u64,
    kills: u64,
}

async fn every(time: Duration, mut act: impl FnMut()) {
    let mut ticks = interval(time);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        act();
    }
}

async fn connection(stream: TcpStream, service: OperationsServer<Living>, mut chaos: watch::Receiver<Chaos>) {
    stream.set_nodelay(true).expect("a TCP socket");
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let kills = chaos.borrow_and_update().kills;
    loop {
        tokio::select! {
            // How a client leaves is its own business.
            _ = connection.as_mut() => return,
            changed = chaos.changed() => {
                if changed.is_err() || chaos.borrow_and_update().kills != kills {
                    return;
                }
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Tokens, and when they end.
#[derive(Clone, Default)]
struct Tokens(Arc<Mutex<(u64, HashMap<String, Instant>)>>);

impl Tokens {
    /// Seven times in ten a new token; else one failure after another of three kinds.
    fn answer(&self) -> axum::response::Response {
        let mut guard = self.0.lock().unwrap();
        let (asked, ends) = &mut *guard;
        *asked += 1;
        match *asked % 10 {
            1 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            4 => (StatusCode::NOT_FOUND, "<html>").into_response(),
            8 => r#"{"access_token":"torn"#.into_response(),
            _ => {
                let now = Instant::now();
                ends.retain(|_, end| *end > now);
                let token = format!("token-{asked}");
                ends.insert(format!("Bearer {token}"), now + TOKEN_LIFE);
                format!(
                    r#"{{"access_token":"{token}","expires_in":{},"token_type":"Bearer"}}"#,
                    TOKEN_LIFE.as_secs()
                )
                .into_response()
            }
        }
    }

    fn check<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let given = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let ends = given.and_then(|given| self.0.lock().unwrap().1.get(given).copied());
        if ends.is_some_and(|end| end > Instant::now()) {
            Ok(())
        } else {
            Err(Status::unauthenticated("the token has ended"))
        }
    }
}

/// Operations that live for a while from their first poll on.
#[derive(Clone)]
struct Living {
    tokens: Tokens,
    begun: Arc<Mutex<HashMap<String, Instant>>>,
}

#[tonic::async_trait]
impl Operations for Living {
    async fn get_operation(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Result<Response<Operation>, Status> {
        self.tokens.check(&request)?;
        let name = request.into_inner().name;
        if name == NAME {
            return Ok(Response::new(support::finished()));
        }
        let mut begun = self.begun.lock().unwrap();
        let since = *begun.entry(name.clone()).or_insert_with(Instant::now);
        let operation = if since.elapsed() < OPERATION_LIFE {
            support::running()
        } else {
            begun.retain(|_, since| since.elapsed() < 10 * OPERATION_LIFE);
            support::finished()
        };
        Ok(Response::new(Operation { name, ..operation }))
    }
}
