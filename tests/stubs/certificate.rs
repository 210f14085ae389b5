//! nginx asks for a client certificate in a page of HTTP 400, and not in TLS.

use std::time::Duration;

use bytes::Bytes;
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::{Client, Code};
use h2::server::SendResponse;
use http::Response;
use tokio::time::{Instant, sleep};
use tonic::Request;

use crate::pipe::{message, served, unary};
use crate::support::NAME;

const PAGE: [&str; 2] = [
    "<html>\r\n<head><title>400 No required SSL certi",
    "ficate was sent</title></head>\r\n<body><center><h1>400 Bad Request</h1></center></body></html>\r\n",
];

async fn say(mut reply: SendResponse<Bytes>, parts: &'static [&'static str]) {
    let head = Response::builder().status(400).header("content-type", "text/html; charset=utf-8");
    let mut stream = reply.send_response(head.body(()).unwrap(), false).unwrap();
    for part in parts {
        let _ = stream.send_data(Bytes::from_static(part.as_bytes()), false);
        sleep(Duration::from_millis(10)).await;
    }
    if parts.is_empty() {
        // And not a byte more.
        sleep(Duration::from_hours(1)).await;
    }
    let _ = stream.send_data(Bytes::new(), true);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_wants_a_certificate_says_so() {
    let transport = served(|_, reply| say(reply, &PAGE)).build().unwrap();
    let status = unary(&transport, Request::new(message(1))).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(status.message().contains("a proxy wants a client certificate"), "{status:?}");
    assert!(status.message().contains("400 No required SSL certificate was sent"), "{status:?}");

    let client =
        Client::builder().with_transport(transport).with_retry(RetryPolicy::never()).build().unwrap();
    let error = client.get_operation(NAME).await.unwrap_err();
    assert!(error.to_string().contains("a proxy wants a client certificate"), "{error}");
    assert!(!error.is_transient() && !error.may_have_been_applied());
}

#[tokio::test(start_paused = true)]
async fn another_page_of_400_says_what_it_is() {
    let page = &["<title>400 Request Header Or Cookie Too Large</title>"];
    let transport = served(|_, reply| say(reply, page)).build().unwrap();
    let status = unary(&transport, Request::new(message(1))).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(!status.message().contains("certificate"), "{status:?}");
    assert!(status.message().contains("400 Request Header Or Cookie Too Large"), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_does_not_come_is_not_waited_for() {
    let transport = served(|_, reply| say(reply, &[])).build().unwrap();
    let started = Instant::now();
    let status = unary(&transport, Request::new(message(1))).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}
