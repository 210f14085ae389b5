//! A handler that stands still for ten minutes of the store's clock: the process stays as large as it was and asks nothing;
//! then all is handed over.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use contact_center_insights::any::pack;
use contact_center_insights::proto::insights::IssueModel;
use contact_center_insights::proto::longrunning::operation;
use contact_center_insights_emulator::Emulator;
use contact_center_insights_worker::{BoxError, Delivery, Registration, SqliteStore, Store as _, Worker};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::stage::emulator;
use crate::support::api;

const OPERATIONS: usize = 2_000;
/// Of each result: all of them, kept in memory, would be 128 MiB.
const BYTES: usize = 64 * 1_024;
/// What the process may grow by: buffers of what was under way.
const SLACK_MIB: f64 = 8.0;
const BACKLOG: u64 = 200;
const MINUTE: i64 = 60_000_000;

/// A process whose handler waits until it is told to go on, by a line on stdin. Its clock runs ten minutes, then in seconds.
pub(crate) fn run(arguments: &[String]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(AtomicI64::new(1_790_000_000_000_000));
        let read = clock.clone();
        let now = move || read.load(Ordering::SeqCst);
        let store = SqliteStore::open_with_clock(&arguments[0], now).await.unwrap();
        let gate = Arc::new(Semaphore::new(0));
        let open = gate.clone();
        let worker = Worker::builder(store.clone(), &api::client(&arguments[1]))
            .with_interval(Duration::from_secs(1))
            .with_backlog(BACKLOG)
            .with_handler_timeout(Duration::from_hours(1))
            .on(move |_: Delivery| {
                let open = open.clone();
                async move {
                    open.acquire().await?.forget();
                    Ok::<_, BoxError>(())
                }
            })
            .build();
        let told = async {
            while store.statistics().await.unwrap().waiting < BACKLOG {
                clock.fetch_add(MINUTE / 60, Ordering::SeqCst);
                sleep(Duration::from_millis(50)).await;
            }
            say("stands");
            heard().await;
            for _ in 0..10 {
                clock.fetch_add(MINUTE, Ordering::SeqCst);
                sleep(Duration::from_millis(300)).await;
            }
            say("ten minutes");
            heard().await;
            gate.add_permits(OPERATIONS * 2);
            while store.statistics().await.unwrap().handed < OPERATIONS as u64 {
                clock.fetch_add(MINUTE / 60, Ordering::SeqCst);
                sleep(Duration::from_millis(20)).await;
            }
            say("drained");
        };
        worker.run(told).await.unwrap();
    });
}

fn say(word: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{word}").and_then(|()| out.flush()).unwrap();
}

/// Waits for a line on stdin.
async fn heard() {
    tokio::task::spawn_blocking(|| std::io::stdin().lock().read_line(&mut String::new()).unwrap())
        .await
        .unwrap();
}

pub(crate) async fn standstill() {
    let (emulator, folder) = (emulator().await, tempfile::tempdir().unwrap());
    let path = folder.path().join("operations.db");
    let store = SqliteStore::open(&path).await.unwrap();
    for number in 0..OPERATIONS {
        let mut operation = api::ended(number);
        let model = IssueModel { display_name: "x".repeat(BYTES), ..IssueModel::default() };
        operation.result = Some(operation::Result::Response(pack(&model)));
        emulator.put_operation(operation).unwrap();
    }
    store
        .register((0..OPERATIONS).map(|number| Registration::new(api::name(number))).collect())
        .await
        .unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["standing"])
        .arg(&path)
        .arg(emulator.endpoint())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = move || tokio::task::block_in_place(|| lines.next().unwrap().unwrap());
    assert_eq!(next(), "stands");
    at_rest(&emulator).await;
    let (asked, before) = (calls(&emulator), resident_mib(&child));
    go_on(&child);
    assert_eq!(next(), "ten minutes");
    let after = resident_mib(&child);
    assert_eq!(calls(&emulator), asked, "it goes on asking");
    assert!(after <= before + SLACK_MIB, "it grew from {before:.1} to {after:.1} MiB");
    go_on(&child);
    assert_eq!(next(), "drained");
    assert!(child.wait().unwrap().success());
    println!(
        "chaos standstill minutes=10 calls=0 rss_before_mib={before:.1} rss_after_mib={after:.1} handed={OPERATIONS}"
    );
}

fn go_on(child: &Child) {
    writeln!(child.stdin.as_ref().unwrap()).unwrap();
}

fn calls(emulator: &Emulator) -> usize {
    emulator.journal().entries().len()
}

/// Waits until what was under way has ended: a second without a call.
async fn at_rest(emulator: &Emulator) {
    let until = Instant::now() + Duration::from_secs(30);
    let mut seen = 0;
    while seen != calls(emulator) {
        assert!(Instant::now() < until, "it goes on asking");
        seen = calls(emulator);
        sleep(Duration::from_secs(1)).await;
    }
}

/// What the process has in memory; elsewhere than on Linux this is not told.
fn resident_mib(child: &Child) -> f64 {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) else { return 0.0 };
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
}
