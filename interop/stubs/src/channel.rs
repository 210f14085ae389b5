//! What carries the calls: this repository's transport, or tonic's channel.

use contact_center_insights::error::BoxError;
use contact_center_insights::{Credentials, Transport};
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Endpoint;
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

/// Either of them, as a stub sees it.
pub(crate) type Channel = BoxCloneSyncService<Request<Body>, Response<Body>, Status>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    Tonics,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Ours, Self::Tonics];

    /// To a server, at the defaults; nothing is sent yet.
    pub(crate) fn connect(self, address: &str) -> Result<Channel, BoxError> {
        let url = format!("http://{address}");
        Ok(match self {
            Self::Ours => {
                let transport = Transport::new(url.parse()?, Credentials::anonymous())?;
                let transport = transport.map_response(|reply: Response<_>| reply.map(Body::new));
                BoxCloneSyncService::new(transport.map_err(Status::from_error))
            }
            Self::Tonics => {
                let channel = Endpoint::new(url)?.connect_lazy();
                BoxCloneSyncService::new(channel.map_err(|error| Status::from_error(error.into())))
            }
        })
    }
}
