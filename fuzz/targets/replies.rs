//! Replies of a hostile server to our client: any bytes on the connection, any head, body and trailers of a reply.
#![no_main]

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use bytes::Bytes;
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::names::OperationName;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::proto::longrunning::ListOperationsRequest;
use contact_center_insights::{Client, Credentials, Transport};
use contact_center_insights_fuzz::{L, pieces, run};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use libfuzzer_sys::{Corpus, fuzz_target};
use tokio::io::AsyncWriteExt as _;

/// The same preface of HTTP/2 that every server begins with.
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

fn header(piece: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let at = piece.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&piece[..at]).ok()?;
    Some((name, HeaderValue::from_bytes(&piece[at + 1..]).ok()?))
}

/// A reply out of pieces: status, body, then headers and trailers in turn.
fn reply(data: &[u8]) -> Response<impl http_body::Body<Data = Bytes, Error = Infallible> + Send + use<>> {
    let pieces = pieces(data);
    let body = Bytes::copy_from_slice(pieces.get(1).copied().unwrap_or_default());
    let trailers: HeaderMap = pieces.iter().skip(3).step_by(2).filter_map(|piece| header(piece)).collect();
    let mut response = Response::new(Full::new(body).with_trailers(ready(Some(Ok(trailers)))));
    if let Some([low, high, ..]) = pieces.first() {
        let status = 200 + u16::from_le_bytes([*low, *high]) % 400;
        *response.status_mut() = status.try_into().unwrap_or_default();
    }
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    for (name, value) in pieces.iter().skip(2).step_by(2).filter_map(|piece| header(piece)) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn transport(kind: u8, data: &[u8]) -> Transport {
    let data = data.to_vec();
    let builder =
        Transport::builder("http://localhost".parse().unwrap()).with_credentials(Credentials::anonymous());
    let builder = if kind & 1 == 0 {
        builder.with_service(tower::service_fn(move |_: Request<_>| ready(Ok::<_, Infallible>(reply(&data)))))
    } else {
        builder.with_connector(move || {
            let (ours, mut theirs) = tokio::io::duplex(1 << 16);
            let bytes = if kind & 2 == 0 { [SETTINGS, &data].concat() } else { data.clone() };
            tokio::spawn(async move {
                let _ = theirs.write_all(&bytes).await;
                // It stays open: what is not said within its time is a fault too.
                tokio::time::sleep(Duration::from_secs(600)).await;
            });
            ready(Ok::<_, std::io::Error>(ours))
        })
    };
    builder.build().expect("nothing in it comes from outside")
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((kind, data)) = data.split_first() else { return Corpus::Reject };
    run(async {
        let client = Client::builder().with_transport(transport(*kind, data));
        let client =
            client.with_retry(RetryPolicy::never()).with_timeout(Duration::from_secs(5)).build().unwrap();
        let name = OperationName::new("p", "us-central1", "1").unwrap();
        match kind >> 6 {
            0 => drop(client.get_operation(name.to_string()).await.map_err(|error| error.to_string())),
            1 => {
                let request =
                    ListOperationsRequest { name: L.to_owned(), ..ListOperationsRequest::default() };
                let mut pages = client.list_operations(request).into_pages();
                for _ in 0..3 {
                    if !matches!(pages.next_page().await, Ok(Some(_))) {
                        break;
                    }
                }
            }
            _ => {
                let mut poller =
                    client.poller::<IssueModel, CreateIssueModelMetadata>(name.as_str()).unwrap();
                let _ = tokio::time::timeout(Duration::from_secs(120), poller.until_done()).await;
            }
        }
    });
    Corpus::Keep
});
