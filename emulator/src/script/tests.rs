//! Which calls faults hit, and which pass.

use std::time::{SystemTime, UNIX_EPOCH};

use contact_center_insights::Code;
use contact_center_insights::proto::insights::{CreateIssueModelRequest, IssueModel};
use contact_center_insights::proto::longrunning::{GetOperationRequest, ListOperationsRequest};
use contact_center_insights::proto::rpc::{ErrorInfo, QuotaFailure, RetryInfo};
use prost::Message as _;

use super::error::find_method;
use super::*;
use crate::contract::{Contract, OPERATIONS};
use crate::projects::ProjectNumbers;

fn call(
    script: &Script,
    method: &str,
    request: &[u8],
    headers: &[(&'static str, &'static str)],
) -> Option<Code> {
    let headers =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let method = find_method(method).unwrap();
    let hit = script.decide(Seen { method, headers: &headers, request })?;
    match hit.effect {
        Effect::Status(status) => Some(status.code()),
        other => panic!("{other:?}"),
    }
}

fn script(faults: impl IntoIterator<Item = Fault>) -> Script {
    let script = Script::new(7);
    faults.into_iter().for_each(|fault| script.push(fault).unwrap());
    script
}

#[test]
fn r53_two_unavailable_then_a_pass() {
    let script = script([Fault::code(Code::Unavailable, "x").with_method("GetOperation").times(2)]);
    let codes: Vec<_> = (0..3).map(|_| call(&script, "GetOperation", &[], &[])).collect();
    assert_eq!(codes, [Some(Code::Unavailable), Some(Code::Unavailable), None]);
    assert_eq!(script.entries()[0].hit, 2);
}

#[test]
fn faults_strike_in_their_order() {
    let script = script([
        Fault::code(Code::Unavailable, "x").after(1),
        Fault::code(Code::Aborted, "x"),
        Fault::code(Code::Internal, "x").with_method("ListOperations").always(),
    ]);
    let codes: Vec<_> = (0..3).map(|_| call(&script, "GetOperation", &[], &[])).collect();
    assert_eq!(codes, [Some(Code::Aborted), Some(Code::Unavailable), None]);
    assert_eq!(call(&script, "ListOperations", &[], &[]), Some(Code::Internal));
    script.clear();
    assert_eq!(call(&script, "ListOperations", &[], &[]), None);
}

#[test]
fn fields_and_headers_must_all_match() {
    let fault = || Fault::code(Code::Aborted, "x").with_method("CreateIssueModel").always();
    let script = script([fault()
        .with_field("issue_model.display_name", "billing")
        .with_field("issue_model.input_data_config.filter", "a")
        .with_header("X-Goog-User-Project", "p")]);
    let mut model = IssueModel { display_name: "billing".into(), ..IssueModel::default() };
    let request = |model: &IssueModel| {
        CreateIssueModelRequest { parent: "p".into(), issue_model: Some(model.clone()) }.encode_to_vec()
    };
    let header = [("x-goog-user-project", "p")];
    assert_eq!(call(&script, "CreateIssueModel", &request(&model), &header), None, "no filter");
    model.input_data_config.get_or_insert_default().filter = "a".into();
    assert_eq!(call(&script, "CreateIssueModel", &request(&model), &header), Some(Code::Aborted));
    assert_eq!(call(&script, "CreateIssueModel", &request(&model), &[]), None, "no header");
    assert_eq!(call(&script, "CreateIssueModel", &[10, 200], &header), None, "torn");
    model.display_name.push('s');
    assert_eq!(call(&script, "CreateIssueModel", &request(&model), &header), None, "another name");
}

#[test]
fn chance_has_a_seed() {
    let rolls = || {
        let script = script([Fault::code(Code::Aborted, "x").with_probability(0.5).always()]);
        (0..64).map(|_| call(&script, "GetOperation", &[], &[]).is_some()).collect::<Vec<_>>()
    };
    let hit = rolls().into_iter().filter(|hit| *hit).count();
    assert_eq!(rolls(), rolls());
    assert!((16..48).contains(&hit), "{hit}");
}

fn reply(status: u16, content_type: &str, body: &str) -> Fault {
    Fault::transport(Break::Http { status, content_type: content_type.into(), body: body.into() })
}

#[test]
fn what_cannot_strike_is_refused_with_what_can() {
    let method = || Fault::code(Code::Aborted, "x").with_method("CreateIssueModel");
    for (fault, words) in [
        (Fault::code(Code::Aborted, "x").with_method("GetOperations"), "nearest is `GetOperation`"),
        (method().with_field("issue_model.nam", "x"), "has no field `nam`; it has `name`"),
        (method().with_field("parent.name", "x"), "nothing below"),
        (Fault::code(Code::Aborted, "x").with_field("name", "x"), "needs a method"),
        (method().with_header("a b", "x"), "`a b` is not the name"),
        (method().with_probability(f64::NAN), "from 0 to 1"),
        (Fault::code(Code::Ok, "x"), "code OK"),
        (Fault::transport(Break::Slow { bytes: 0, every: std::time::Duration::ZERO }), "1 byte"),
        (method().with_header("x-a", "a\nb"), r#""a\nb" is not the value"#),
        (reply(99, "", ""), "99 is not an HTTP status"),
        (reply(100, "", ""), "100 is not an HTTP status"),
        (reply(502, "a\nb", "x"), r#"content type "a\nb" is not"#),
        (reply(502, " text/html", "x"), r#"content type " text/html" is not"#),
        (reply(502, "\u{7f}", "x"), "is not the value"),
        (reply(204, "text/html", "x"), "status 204 has no body"),
        (reply(304, "text/html", "x"), "status 304 has no body"),
    ] {
        let error = Script::new(0).push(fault).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    for good in [reply(204, "", ""), reply(304, "text/html", ""), reply(599, "text/html; charset=é", "x")] {
        Script::new(0).push(good).unwrap();
    }
    assert!(Quotas::default().with_method("Nothing", 1).check().is_err());
}

#[test]
fn quotas_are_per_project_and_minute() {
    let mut numbers = ProjectNumbers::default();
    numbers.set("p", 42);
    let meter = Meter::new(numbers);
    let take = |project: &str, method: &str, now: SystemTime| {
        let name = format!("projects/{project}/locations/l");
        let request = match method {
            "ListOperations" => ListOperationsRequest { name, ..Default::default() }.encode_to_vec(),
            _ => GetOperationRequest { name: format!("{name}/operations/1") }.encode_to_vec(),
        };
        let method = Contract::get().method(&format!("{OPERATIONS}/{method}")).unwrap();
        meter.take(method, &request, now)
    };
    let start = UNIX_EPOCH;
    take("p", "GetOperation", start).unwrap();
    meter.set(Quotas::default().with_all(3).with_method("GetOperation", 2)).unwrap();
    take("p", "GetOperation", start).unwrap();
    // An id and a number are two spellings of one project.
    take("42", "GetOperation", start).unwrap();
    let refused = take("p", "GetOperation", start + MINUTE / 4).unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.detail::<QuotaFailure>().unwrap().violations[0].subject, "project:42");
    assert_eq!(refused.detail::<RetryInfo>().unwrap().retry_delay.unwrap().seconds, 45);
    assert_eq!(refused.detail::<ErrorInfo>().unwrap().reason, "RATE_LIMIT_EXCEEDED");
    take("q", "GetOperation", start).unwrap();
    take("p", "ListOperations", start).unwrap();
    assert!(take("42", "ListOperations", start).unwrap_err().message().contains("3 of `calls`"));
    take("p", "GetOperation", start + MINUTE).unwrap();
}

const MINUTE: std::time::Duration = std::time::Duration::from_mins(1);
