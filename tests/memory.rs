//! What streams hold in memory: a page, however long the list.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use contact_center_insights::Credentials;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{ListOperationsRequest, ListOperationsResponse, Operation};
use support::client_over;
use tokio_stream::StreamExt as _;
use tonic::{Request, Response, Status};

const PAGE: usize = 500;

/// Lists as many operations as it is made for; the page token is the number of the next.
#[derive(Clone)]
struct Long(usize);

#[tonic::async_trait]
impl Operations for Long {
    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        let first = request.into_inner().page_token.parse().unwrap_or(0);
        let end = (first + PAGE).min(self.0);
        let operations = (first..end).map(|number| Operation {
            name: format!("projects/p/locations/us-central1/operations/{number}"),
            ..Default::default()
        });
        Ok(Response::new(ListOperationsResponse {
            operations: operations.collect(),
            next_page_token: if end < self.0 { end.to_string() } else { String::new() },
            ..Default::default()
        }))
    }
}

/// The most bytes that were in use at once while the list was walked, server included: it lives on the same thread.
fn most_in_use(items: usize) -> u64 {
    let used = allocation_counter::measure(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = client_over(OperationsServer::new(Long(items)), Credentials::anonymous());
            let request = ListOperationsRequest {
                name: "projects/p/locations/us-central1".into(),
                ..Default::default()
            };
            let mut stream = client.list_operations(request).into_pages().into_items();
            let mut count = 0;
            while let Some(operation) = stream.next().await {
                operation.unwrap();
                count += 1;
            }
            assert_eq!(count, items);
        });
    });
    used.bytes_max
}

#[test]
fn a_hundred_thousand_items_need_no_more_memory_than_ten_thousand() {
    let (some, many) = (most_in_use(10_000), most_in_use(100_000));
    assert!(many <= some + some / 10, "{some} bytes for 10,000 items, {many} for 100,000");
}
