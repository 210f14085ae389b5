//! The cases of gRPC's public list about compression, by gzip.

use tonic::Code;
use tonic::codec::CompressionEncoding::Gzip;

use crate::basic::{large, payload, wanted};
use crate::case::{Case, Given, Problem, ensure};
use crate::proto::{BoolValue, ResponseParameters, StreamingInputCallRequest, StreamingOutputCallRequest};

pub(crate) fn all() -> Vec<Case> {
    vec![
        Case::of_grpc("client_compressed_unary", |given| Box::pin(client_unary(given))),
        Case::of_grpc("client_compressed_streaming", |given| Box::pin(client_streaming(given))),
        Case::of_grpc("server_compressed_unary", |given| Box::pin(server_unary(given))),
        Case::of_grpc("server_compressed_streaming", |given| Box::pin(server_streaming(given))),
    ]
}

/// grpc-go's server is built without gzip.
fn or_not_served(code: Code, problem: Problem) -> Problem {
    if code == Code::Unimplemented { Problem::NotServed("it has no gzip") } else { problem }
}

async fn client_unary(given: Given) -> Result<(), Problem> {
    let mut stub = given.stub().send_compressed(Gzip);
    let reply = match stub.unary_call(large()).await {
        Ok(reply) => reply.into_inner(),
        Err(status) => return Err(or_not_served(status.code(), status.into())),
    };
    ensure(reply.payload.is_some_and(|payload| payload.body.len() == 314_159), "a reply of the wrong size")
}

async fn client_streaming(given: Given) -> Result<(), Problem> {
    let mut stub = given.stub().send_compressed(Gzip);
    let requests = [27_182, 45_904].map(|size| StreamingInputCallRequest { payload: Some(payload(size)) });
    let reply = match stub.streaming_input_call(tokio_stream::iter(requests)).await {
        Ok(reply) => reply.into_inner(),
        Err(status) => return Err(or_not_served(status.code(), status.into())),
    };
    ensure(reply.aggregated_payload_size == 73_086, "the wrong sum")
}

async fn server_unary(given: Given) -> Result<(), Problem> {
    for is_packed in [true, false] {
        let request = crate::proto::SimpleRequest {
            response_compressed: Some(BoolValue { value: is_packed }),
            ..large()
        };
        let reply = given.stub().accept_compressed(Gzip).unary_call(request).await?;
        let encoding = reply.metadata().get("grpc-encoding").is_some_and(|encoding| encoding == "gzip");
        if is_packed && !encoding {
            return Err(Problem::NotServed("it has no gzip"));
        }
        let payload = reply.into_inner().payload;
        ensure(payload.is_some_and(|payload| payload.body.len() == 314_159), "a reply of the wrong size")?;
    }
    Ok(())
}

async fn server_streaming(given: Given) -> Result<(), Problem> {
    let packed = |is_packed, size| ResponseParameters {
        compressed: Some(BoolValue { value: is_packed }),
        ..wanted(size, 0)
    };
    let request = StreamingOutputCallRequest {
        response_parameters: vec![packed(true, 31_415), packed(false, 92_653)],
        ..Default::default()
    };
    let reply = given.stub().accept_compressed(Gzip).streaming_output_call(request).await?;
    let is_packed = reply.metadata().get("grpc-encoding").is_some_and(|encoding| encoding == "gzip");
    let mut messages = reply.into_inner();
    for size in [31_415, 92_653] {
        let payload = messages.message().await?.ok_or("too few messages")?.payload;
        ensure(payload.is_some_and(|payload| payload.body.len() == size), "a reply of the wrong size")?;
    }
    if is_packed { Ok(()) } else { Err(Problem::NotServed("it has no gzip")) }
}
