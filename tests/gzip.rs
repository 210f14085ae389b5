//! Compression: offered, used, and read back, between the client and a generated server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use contact_center_insights::call::Gzip;
use contact_center_insights::proto::longrunning::operations_server::OperationsServer;
use contact_center_insights::{Client, Code, Credentials};
use support::{NAME, Script, answer, dial, succeeded};
use tonic::codec::CompressionEncoding;

fn client(script: &Script, gzip: Gzip, reads_gzip: bool) -> Client {
    let mut server = OperationsServer::new(script.clone()).send_compressed(CompressionEncoding::Gzip);
    if reads_gzip {
        server = server.accept_compressed(CompressionEncoding::Gzip);
    }
    let transport = dial(server, Credentials::anonymous());
    Client::builder().with_transport(transport).with_gzip(gzip).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_offered_is_used() {
    for (gzip, accepted, encoding) in
        [(Gzip::Off, false, false), (Gzip::Replies, true, false), (Gzip::RepliesAndRequests, true, true)]
    {
        let script = Script::new([answer(succeeded())]);
        let operation = client(&script, gzip, true).get_operation(NAME).await.unwrap();
        assert_eq!(operation.raw(), &succeeded());
        let seen = script.seen();
        let headers = &seen.first().unwrap().headers;
        let says_gzip =
            |name| headers.get(name).is_some_and(|value| value.to_str().unwrap().contains("gzip"));
        assert_eq!(
            (says_gzip("grpc-accept-encoding"), says_gzip("grpc-encoding")),
            (accepted, encoding),
            "{gzip:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_read_it_says_so() {
    let script = Script::new([answer(succeeded())]);
    let client = client(&script, Gzip::RepliesAndRequests, false);
    let error = client.get_operation(NAME).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unimplemented), "{error:?}");
    assert!(!error.is_transient());
}
