use std::error::Error as StdError;
use std::sync::Arc;

use h2::Reason;
use http::StatusCode;

use super::*;
use crate::error::{BoxError, ConnectFailure, CredentialsError, HttpReply};

fn status_over(code: Code, source: impl StdError + Send + Sync + 'static) -> tonic::Status {
    let mut status = tonic::Status::new(code, "");
    status.set_source(Arc::new(source));
    status
}

fn said(code: Code, is_after_data: bool) -> tonic::Status {
    status_over(code, FromServer { is_after_data })
}

#[test]
fn codes_of_the_server_read_as_the_table_says() {
    let cases = [
        (Code::Unavailable, Fault::transient(ServerEffect::Refused)),
        (Code::ResourceExhausted, Fault::overload(ServerEffect::Refused)),
        (Code::Internal, Fault::transient(ServerEffect::Unknown)),
        (Code::Unknown, Fault::transient(ServerEffect::Unknown)),
        (Code::DeadlineExceeded, Fault::transient(ServerEffect::Unknown)),
        (Code::Cancelled, Fault::transient(ServerEffect::Unknown)),
        (Code::NotFound, Fault::permanent(ServerEffect::Answered)),
        (Code::PermissionDenied, Fault::permanent(ServerEffect::Answered)),
        (Code::Unauthenticated, Fault::permanent(ServerEffect::Answered)),
        (Code::OutOfRange, Fault::permanent(ServerEffect::Answered)),
        (Code::Aborted, Fault::permanent(ServerEffect::Answered)),
    ];
    for (code, fault) in cases {
        assert_eq!(classify(&said(code, false)).0, fault, "{code:?}");
        let begun = Fault { effect: ServerEffect::Unknown, ..fault };
        assert_eq!(classify(&said(code, true)).0, begun, "{code:?} after data");
    }
}

#[test]
fn a_reply_that_cannot_be_read_says_nothing_of_what_the_server_did() {
    let cases = [
        (Code::Internal, true),
        (Code::Unknown, true),
        (Code::OutOfRange, false),
        (Code::ResourceExhausted, false),
        (Code::Unimplemented, false),
    ];
    for (code, is_transient) in cases {
        let fault = Fault { is_transient, is_overload: false, effect: ServerEffect::Unknown };
        assert_eq!(classify(&tonic::Status::new(code, "")).0, fault, "{code:?}");
    }
}

#[test]
fn the_chain_of_sources_outweighs_the_code() {
    let page = |status| HttpReply {
        status: StatusCode::from_u16(status).unwrap(),
        content_type: String::new(),
        title: None,
    };
    let cases: [(BoxError, Fault); 15] = [
        (ConnectFailure::transient("refused").into(), Fault::transient(ServerEffect::NotSent)),
        (ConnectFailure::permanent("wrong host").into(), Fault::permanent(ServerEffect::NotSent)),
        (tonic::ConnectError("tcp connect error".into()).into(), Fault::transient(ServerEffect::NotSent)),
        (h2::Error::from(Reason::REFUSED_STREAM).into(), Fault::transient(ServerEffect::Refused)),
        (h2::Error::from(Reason::ENHANCE_YOUR_CALM).into(), Fault::overload(ServerEffect::Unknown)),
        (h2::Error::from(Reason::INTERNAL_ERROR).into(), Fault::transient(ServerEffect::Unknown)),
        (std::io::Error::other("broken").into(), Fault::transient(ServerEffect::Unknown)),
        (
            CredentialsError::permanent("adc", "no file".into()).into(),
            Fault::permanent(ServerEffect::NotSent),
        ),
        (
            CredentialsError::transient("adc", "timeout".into()).into(),
            Fault::transient(ServerEffect::NotSent),
        ),
        (page(401).into(), Fault::permanent(ServerEffect::Answered)),
        (page(404).into(), Fault::permanent(ServerEffect::Answered)),
        (page(429).into(), Fault::overload(ServerEffect::Refused)),
        (page(500).into(), Fault::transient(ServerEffect::Unknown)),
        (page(502).into(), Fault::transient(ServerEffect::Unknown)),
        (page(200).into(), Fault::permanent(ServerEffect::Unknown)),
    ];
    for (error, fault) in cases {
        let shown = error.to_string();
        let status = status_over(Code::Unknown, TransportFault::new(error));
        assert_eq!(classify(&status).0, fault, "{shown}");
    }
}

#[test]
fn within_a_reply_nothing_is_refused_any_more() {
    let fault = TransportFault::within_reply(tonic::ConnectError("late".into()).into()).fault();
    assert_eq!(fault, Fault::transient(ServerEffect::Unknown));
}

#[test]
fn a_status_of_neither_the_transport_nor_the_server_has_no_fault() {
    assert_eq!(Fault::of(&tonic::Status::out_of_range("too large")), None);
    assert_eq!(Fault::of(&status_over(Code::Unavailable, std::io::Error::other("of the caller"))), None);
    assert_eq!(Fault::of(&said(Code::NotFound, false)), Some(Fault::permanent(ServerEffect::Answered)));
    let status = tonic::Status::from(TransportFault::new(ConnectFailure::transient("refused").into()));
    assert_eq!(Fault::of(&status), Some(Fault::transient(ServerEffect::NotSent)));
}

#[test]
fn the_status_of_a_fault_says_all_of_the_chain_once() {
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let failure = ConnectFailure::transient("cannot connect to 127.0.0.1:1").because(refused);
    let status = tonic::Status::from(TransportFault::new(failure.into()));
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(
        status.message(),
        "the server could not be reached: cannot connect to 127.0.0.1:1: connection refused"
    );
}
