//! The generated stub over tonic's channel, which sends the headers of this repository's client as constants:
//! peers-tonic ADDRESS NAME TOKEN. It has nothing to wait with.

mod driver;
mod messages;

use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights::proto::longrunning::{GetOperationRequest, ListOperationsRequest};
use driver::{Failure, Peer};
use messages::{PAGE_SIZE, location, read};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

#[derive(Clone)]
struct Bare {
    stub: OperationsClient<InterceptedService<Channel, Headers>>,
    name: String,
}

#[derive(Clone)]
struct Headers([(&'static str, MetadataValue<Ascii>); 4]);

impl Headers {
    fn new(name: &str, token: &str) -> Result<Self, Failure> {
        let mut authorization: MetadataValue<Ascii> = format!("Bearer {token}").parse()?;
        authorization.set_sensitive(true);
        Ok(Self([
            ("authorization", authorization),
            ("x-goog-request-params", format!("name={}", name.replace('/', "%2F")).parse()?),
            ("x-goog-api-client", MetadataValue::from_static("gl-rust/1.95.0 gapic/0.1.0 grpc/0.14-tonic")),
            ("grpc-timeout", MetadataValue::from_static("60001m")),
        ]))
    }
}

impl Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let headers = request.metadata_mut();
        for (name, value) in &self.0 {
            headers.insert(*name, value.clone());
        }
        Ok(request)
    }
}

impl Peer for Bare {
    async fn connect(address: &str, name: &str, token: &str) -> Result<Self, Failure> {
        let channel = Channel::from_shared(format!("http://{address}"))?.connect().await?;
        let stub = OperationsClient::with_interceptor(channel, Headers::new(name, token)?);
        Ok(Self { stub, name: name.to_owned() })
    }

    async fn call(&mut self) -> Result<(), Failure> {
        let request = GetOperationRequest { name: self.name.clone() };
        read(&self.stub.get_operation(request).await?.into_inner())
    }

    async fn list(&mut self) -> Result<usize, Failure> {
        let mut request = ListOperationsRequest {
            name: location(&self.name),
            page_size: PAGE_SIZE,
            ..ListOperationsRequest::default()
        };
        let mut count = 0_usize;
        loop {
            let page = self.stub.list_operations(request.clone()).await?.into_inner();
            for operation in &page.operations {
                read(operation)?;
            }
            count = count.saturating_add(page.operations.len());
            if page.next_page_token.is_empty() {
                return Ok(count);
            }
            request.page_token = page.next_page_token;
        }
    }

    async fn wait(&mut self, _: &str, _: &str, _: bool) -> Result<(), Failure> {
        Err("a stub has nothing to wait with".into())
    }
}

fn main() -> Result<(), Failure> {
    driver::run::<Bare>()
}
