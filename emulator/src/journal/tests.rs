//! What is kept of calls, and what is not.

use std::time::UNIX_EPOCH;

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn call(journal: &Journal, headers: &HeaderMap, request: &[u8]) -> u64 {
    let arrival = Arrival { transport: Transport::Grpc, path: "/a", headers, now: UNIX_EPOCH };
    let sequence = journal.begin(&arrival);
    journal.routed(sequence, "GetOperation", request);
    sequence
}

#[test]
fn secrets_are_not_kept() {
    let journal = Journal::new(Limits { calls: 10, ..Limits::default() });
    let given = headers(&[
        ("authorization", "Bearer ya29.secret"),
        ("cookie", "secret"),
        ("x-api-key", "secret"),
        ("x-serverless-authorization", "Bearer secret"),
        ("x-forwarded-access-token", "secret"),
        ("x-a", "seen"),
        ("x-goog-request-params", "name=seen"),
    ]);
    call(&journal, &given, b"");
    let printed = format!("{journal:?} {:?}", journal.entries());
    assert!(!printed.contains("secret"), "{printed}");
    assert_eq!(journal.entries()[0].header("X-A"), Some("seen"));
    assert_eq!(journal.entries()[0].header("authorization"), Some("[redacted]"));
    assert_eq!(journal.entries()[0].header("x-goog-request-params"), Some("name=seen"));
}

#[tokio::test(start_paused = true)]
async fn attempts_of_the_same_request_are_counted_with_their_gaps() {
    let journal = Journal::new(Limits { calls: 10, ..Limits::default() });
    call(&journal, &HeaderMap::new(), b"1");
    tokio::time::advance(Duration::from_secs(1)).await;
    call(&journal, &HeaderMap::new(), b"2");
    tokio::time::advance(Duration::from_secs(2)).await;
    call(&journal, &HeaderMap::new(), b"1");
    let seen: Vec<_> = journal.calls("GetOperation").iter().map(|entry| (entry.attempt, entry.gap)).collect();
    assert_eq!(seen, [(1, None), (1, None), (2, Some(Duration::from_secs(3)))]);
    assert!(journal.calls("ListOperations").is_empty());
}

#[tokio::test]
async fn only_the_last_calls_are_kept() {
    let journal = Journal::new(Limits { calls: 2, ..Limits::default() });
    let numbers: Vec<u64> = (0..3).map(|_| call(&journal, &HeaderMap::new(), b"")).collect();
    for number in &numbers {
        journal.end(*number, Some(Code::NotFound), UNIX_EPOCH + Duration::from_secs(*number));
    }
    let entries = journal.entries();
    assert_eq!(entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(entries[1].duration, Some(Duration::from_secs(3)));
    assert_eq!(entries[1].code, Some(Code::NotFound));
    journal.clear();
    journal.end(3, None, UNIX_EPOCH);
    assert!(journal.entries().is_empty());
    let none = Journal::new(Limits { calls: 0, ..Limits::default() });
    call(&none, &HeaderMap::new(), b"");
    assert!(none.entries().is_empty());
}

#[test]
fn many_small_headers_do_not_fill_the_memory() {
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    let journal = Journal::new(limits);
    let many: HeaderMap =
        (0..1700).map(|n| (format!("x{n}").parse().unwrap(), "1".parse().unwrap())).collect();
    for number in 0..200_u64 {
        call(&journal, &many, b"");
        let entries = journal.entries();
        // Each has 1,700 pairs of strings, so that even their headers alone would be 20 MiB.
        assert!((1..=8).contains(&entries.len()), "{}", entries.len());
        assert_eq!(entries.last().unwrap().sequence, number + 1, "the last call is kept");
    }
    journal.warn(200, "x".repeat(2 << 20));
    assert_eq!(journal.entries().len(), 1, "what is added later counts too");
    call(&journal, &HeaderMap::new(), b"");
    assert_eq!(journal.entries().len(), 1);
    journal.clear();
    for _ in 0..5 {
        call(&journal, &HeaderMap::new(), b"");
    }
    assert_eq!(journal.entries().len(), 5, "what is forgotten does not count");
}

#[test]
fn bodies_are_kept_on_demand() {
    let path = "google.longrunning.Operations/GetOperation";
    let request = [&[10, 1][..], b"n"].concat();
    let keep = |bodies| {
        let journal = Journal::new(Limits { bodies, ..Limits::default() });
        let sequence = call(&journal, &HeaderMap::new(), &request);
        journal.replied(sequence, path, &Ok::<_, Status>(&request));
        let entry = journal.entries().remove(0);
        let failed = call(&journal, &HeaderMap::new(), &[7]);
        journal.replied(failed, path, &Err::<Vec<u8>, _>(Status::new(Code::NotFound, "gone")));
        (entry, journal.entries().remove(1))
    };
    let (good, bad) = keep(true);
    assert_eq!(good.request.as_deref(), Some(r#"{"name":"n"}"#));
    assert_eq!(good.reply.as_deref(), Some(r#"{"name":"n"}"#));
    assert_eq!(bad.request.as_deref(), Some(r#"{"@bytes":"Bw=="}"#));
    assert_eq!(bad.reply.as_deref(), Some(r#"{"code":5,"message":"gone"}"#));
    let (good, bad) = keep(false);
    assert_eq!((good.request, good.reply, bad.reply), (None, None, None));
}
