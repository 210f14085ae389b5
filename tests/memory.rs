//! What is held in memory: of a list a page, however long it is; of a large reply no more than what is made of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use contact_center_insights::any::pack;
use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::{Conversation, IssueModel};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{
    GetOperationRequest, ListOperationsRequest, ListOperationsResponse, Operation,
};
use contact_center_insights::{Client, Credentials};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use prost::{Message, Name};
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

/// Answers with one operation, however large.
#[derive(Clone)]
struct Large(Operation);

#[tonic::async_trait]
impl Operations for Large {
    async fn get_operation(&self, _: Request<GetOperationRequest>) -> Result<Response<Operation>, Status> {
        Ok(Response::new(self.0.clone()))
    }
}

/// Serves it on a thread of its own, whose memory is not counted; where.
fn serve_apart(operation: Operation) -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
            let service = TowerToHyperService::new(OperationsServer::new(Large(operation)));
            let (stream, _) = listener.accept().await.unwrap();
            let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            // Ends when the client goes.
            let _ = http2.serve_connection(TokioIo::new(stream), service).await;
        });
    });
    told.recv().unwrap()
}

/// The most bytes that were in use at once while an operation was got, and its response decoded if that is wanted; and the
/// size of the operation on the wire.
fn most_in_use_of<R: Message + Name + Default + 'static>(response: &R, is_typed: bool) -> (u64, u64) {
    const NAME: &str = "projects/p/locations/us-central1/operations/1";
    let result = Some(Outcome::Response(pack(response)));
    let operation = Operation { name: NAME.into(), done: true, result, ..Default::default() };
    let size = u64::try_from(operation.encoded_len()).unwrap();
    let address = serve_apart(operation);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(async {
        Client::builder().with_endpoint(address).with_credentials(Credentials::anonymous()).build().unwrap()
    });
    let used = allocation_counter::measure(|| {
        runtime.block_on(async {
            let operation = client.get_operation(NAME).await.unwrap().cast::<R, ()>();
            if is_typed {
                operation.result().unwrap().unwrap();
            }
        });
    });
    (used.bytes_max, size)
}

/// A reply of 20 MiB: what came over the wire and the operation made of it, and then the operation and its response.
#[test]
fn a_large_reply_is_never_held_more_often_than_it_must() {
    let text = |size| "x".repeat(size);
    let long = IssueModel { display_name: text(20 << 20), ..Default::default() };
    let segment = |_| TranscriptSegment { text: text(1 << 10), ..Default::default() };
    let transcript = Transcript { transcript_segments: (0..20 << 10).map(segment).collect() };
    let many = Conversation { transcript: Some(transcript), ..Default::default() };
    // Windows and buffers of the connection.
    let spare = 3 << 20;
    let check = |(most, size): (u64, u64), times: u64, what: &str| {
        assert!(most <= times * size + spare, "{what}: {most} bytes for a message of {size}");
    };
    check(most_in_use_of(&long, false), 2, "one text");
    check(most_in_use_of(&many, false), 2, "many segments");
    check(most_in_use_of(&long, true), 3, "one text, typed");
    check(most_in_use_of(&many, true), 3, "many segments, typed");
}
