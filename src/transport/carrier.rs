//! What stands at the bottom of the layers: our own pool, or whatever service the caller brings.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

use super::outbound::Outbound;
use super::pool::{Exchange, Pool, Progress, ReplyBody, Stage};
use super::regions::Regions;
use crate::error::BoxError;

/// Carries requests to the server, below the layers that authorize and identify them.
///
/// A caller's [`Layer`](tower::Layer) is put around it by
/// [`TransportBuilder::with_layer`](super::TransportBuilder::with_layer).
#[derive(Clone, Debug)]
pub struct Carrier(Kind);

#[derive(Clone)]
enum Kind {
    Pool(Pool),
    Regions(Regions),
    Custom(BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>),
}

impl Carrier {
    pub(super) fn pool(pool: Pool) -> Self {
        Self(Kind::Pool(pool))
    }

    pub(super) fn regional(regions: Regions) -> Self {
        Self(Kind::Regions(regions))
    }

    fn carry(&mut self, request: Request<Outbound>) -> CarrierFuture {
        CarrierFuture(match &mut self.0 {
            Kind::Pool(pool) => FutureKind::Pool(pool.call(request)),
            Kind::Regions(regions) => match regions.pool(&request) {
                Ok(pool) => FutureKind::Pool(pool.call(request)),
                Err(error) => FutureKind::Custom(Box::pin(std::future::ready(Err(error)))),
            },
            Kind::Custom(service) => FutureKind::Custom(service.call(request.map(Body::from))),
        })
    }

    /// Over a service that the caller made, such as tonic's `Channel`.
    pub(super) fn custom<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let service = service.map_err(Into::into).map_response(|reply: Response<B>| reply.map(Body::new));
        Self(Kind::Custom(BoxCloneSyncService::new(service)))
    }
}

impl Service<Request<Body>> for Carrier {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = CarrierFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.0 {
            // It is always ready: requests wait in their own futures.
            Kind::Pool(_) | Kind::Regions(_) => Poll::Ready(Ok(())),
            Kind::Custom(service) => service.poll_ready(cx),
        }
    }

    fn call(&mut self, request: Request<Body>) -> CarrierFuture {
        self.carry(request.map(Outbound::from))
    }
}

/// What our own layers send.
impl Service<Request<Outbound>> for Carrier {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = CarrierFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Request<Body>>::poll_ready(self, cx)
    }

    fn call(&mut self, request: Request<Outbound>) -> CarrierFuture {
        self.carry(request)
    }
}

/// A request on its way.
#[must_use = "futures do nothing unless polled"]
pub struct CarrierFuture(FutureKind);

#[allow(
    clippy::large_enum_variant,
    reason = "nearly all go through the pool, and a box would cost each an allocation"
)]
enum FutureKind {
    Pool(Exchange),
    Custom(Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>),
}

impl CarrierFuture {
    /// How far the request has come: of a caller's service nobody knows.
    pub(crate) fn progress(&self) -> Progress {
        match &self.0 {
            FutureKind::Pool(exchange) => exchange.progress(),
            FutureKind::Custom(_) => Progress { stage: Stage::Sent, ..Progress::default() },
        }
    }
}

impl Future for CarrierFuture {
    type Output = Result<Response<Incoming>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            FutureKind::Pool(exchange) => {
                Pin::new(exchange).poll(cx).map_ok(|reply| reply.map(|body| Incoming(Source::Pool(body))))
            }
            FutureKind::Custom(future) => {
                future.as_mut().poll(cx).map_ok(|reply| reply.map(|body| Incoming(Source::Custom(body))))
            }
        }
    }
}

/// The body of a reply.
#[derive(Debug)]
pub struct Incoming(Source);

#[derive(Debug)]
enum Source {
    Pool(ReplyBody),
    Custom(Body),
}

impl Incoming {
    #[cfg(test)]
    pub(super) fn empty() -> Self {
        Self(Source::Custom(Body::empty()))
    }
}

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Source::Pool(body) => Pin::new(body).poll_frame(cx),
            Source::Custom(body) => {
                Pin::new(body).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Pool(body) => body.is_end_stream(),
            Source::Custom(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Pool(body) => body.size_hint(),
            Source::Custom(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool(pool) => pool.fmt(f),
            Self::Regions(regions) => regions.fmt(f),
            Self::Custom(_) => f.write_str("a service of the caller"),
        }
    }
}

impl fmt::Debug for CarrierFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarrierFuture").field("stage", &self.progress().stage).finish_non_exhaustive()
    }
}
