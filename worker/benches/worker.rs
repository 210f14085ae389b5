//! What a store and a worker do in a second, and what they take when nothing is due. A line for each store:
//! `worker store=… register_per_s=… handover_per_s=… idle_cpu_percent=… rss_mib=…`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that fails may panic"
)]

#[cfg(all(unix, feature = "sqlite", feature = "postgres"))]
#[path = "../tests/support/cluster.rs"]
#[allow(dead_code, unreachable_pub, reason = "a module of the tests, of which this uses a part")]
mod cluster;

#[cfg(all(unix, feature = "sqlite"))]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match arguments.first().map(String::as_str) {
        Some("child") => runtime.block_on(bench::child(&arguments[1])),
        _ => runtime.block_on(bench::all()),
    }
}

#[cfg(not(all(unix, feature = "sqlite")))]
fn main() {
    println!("skipped: for Unix, with the feature sqlite");
}

#[cfg(all(unix, feature = "sqlite"))]
mod bench {
    use std::fs;
    use std::process::{Command, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant, SystemTime};

    use contact_center_insights::{Client, Credentials, Handle};
    #[cfg(feature = "postgres")]
    use contact_center_insights_worker::PostgresStore;
    use contact_center_insights_worker::{
        BoxError, Delivery, End, Registration, SqliteStore, Store, TakenCohort as _, Worker,
    };
    use tokio::sync::Notify;

    #[cfg(feature = "postgres")]
    use crate::cluster::Cluster;

    const PENDING: usize = 100_000;
    const BATCH: usize = 1_000;
    const RESULTS: usize = 20_000;
    const IDLE: Duration = Duration::from_secs(20);
    const HOUR: Duration = Duration::from_hours(1);

    pub(crate) async fn all() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("operations.db").display());
        let path = url.strip_prefix("sqlite:").unwrap();
        one(SqliteStore::open(path).await.unwrap(), &url).await;
        #[cfg(not(feature = "postgres"))]
        println!("worker store=postgres skipped: --features postgres");
        // With fsync, as in earnest.
        #[cfg(feature = "postgres")]
        if let Some(cluster) = Cluster::start("shared_buffers = '256MB'\nmax_wal_size = '4GB'") {
            let url = cluster.database("bench");
            one(PostgresStore::connect_with(&url, |_| None).await.unwrap(), &url).await;
        }
    }

    fn client() -> Client {
        // Nothing is due, so that nothing is called.
        let client = Client::builder().with_endpoint("http://127.0.0.1:1");
        client.with_credentials(Credentials::anonymous()).build().unwrap()
    }

    fn registration(number: usize) -> Registration {
        let name = format!("projects/my-project/locations/us-central1/operations/{number:020}");
        let types = ["CreateAnalysisOperationMetadata", "Analysis"]
            .map(|of| format!("google.cloud.contactcenterinsights.v1.{of}"));
        let [metadata, response] = types;
        Registration::new(Handle::new(name, Some(response), Some(metadata))).created_at(SystemTime::now())
    }

    async fn one<S: Store>(store: S, url: &str) {
        let started = Instant::now();
        for first in (0..PENDING).step_by(BATCH) {
            store.register((first..first + BATCH).map(registration).collect()).await.unwrap();
        }
        let register = per_second(PENDING, started.elapsed());
        // What ends: the first cohorts; the others are not due for an hour.
        let mut ended = 0;
        while let Some(taken) = store.take_cohort(Duration::from_mins(1)).await.unwrap() {
            let left = RESULTS.saturating_sub(ended);
            let names = taken.pending().iter().take(left).map(|of| of.handle.name.clone());
            let ends: Vec<_> =
                names.map(|name| End { name, operation: Some(vec![7; 1_024]), lost: None }).collect();
            ended += taken.finish(ends, Duration::from_hours(1)).await.unwrap();
        }
        let (count, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (counter, finished) = (count.clone(), done.clone());
        let worker = Worker::builder(store.clone(), &client())
            .on(move |_: Delivery| {
                if counter.fetch_add(1, Ordering::Relaxed) + 1 == RESULTS {
                    finished.notify_one();
                }
                async { Ok::<_, BoxError>(()) }
            })
            .build();
        let started = Instant::now();
        worker.run(async { done.notified().await }).await.unwrap();
        let handover = per_second(RESULTS, started.elapsed());
        assert_eq!(store.statistics().await.unwrap().handed, u64::try_from(RESULTS).unwrap());
        // As many pending as before.
        let more = PENDING..PENDING + RESULTS;
        for first in more.step_by(BATCH) {
            store.register((first..first + BATCH).map(registration).collect()).await.unwrap();
        }
        while let Some(taken) = store.take_cohort(Duration::from_mins(1)).await.unwrap() {
            taken.finish(Vec::new(), Duration::from_hours(1)).await.unwrap();
        }
        let (cpu, rss) = idle(url).await;
        println!(
            "worker store={} register_per_s={register} handover_per_s={handover} idle_cpu_percent={cpu:.2} rss_mib={rss:.1}",
            store.kind()
        );
    }

    fn per_second(count: usize, time: Duration) -> u64 {
        u64::try_from(u128::try_from(count).unwrap() * 1_000_000 / time.as_micros().max(1)).unwrap()
    }

    /// Share of a core, and memory, of a process that runs a worker and has nothing to do.
    async fn idle(url: &str) -> (f64, f64) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", url])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        // It starts, and comes to rest.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let before = ticks(child.id());
        tokio::time::sleep(IDLE).await;
        let used = ticks(child.id()) - before;
        let rss = resident(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        // A hundred ticks a second, on every Linux.
        (used / IDLE.as_secs_f64(), rss)
    }

    fn ticks(process: u32) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
    }

    fn resident(process: u32) -> f64 {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
    }

    /// Runs a worker until it is killed.
    pub(crate) async fn child(url: &str) {
        #[cfg(feature = "postgres")]
        if !url.starts_with("sqlite:") {
            return work(PostgresStore::connect_with(url, |_| None).await.unwrap()).await;
        }
        let store = SqliteStore::open(url.trim_start_matches("sqlite:")).await.unwrap();
        // When a cohort is due is in memory alone: a process begins with all of them.
        while let Some(taken) = store.take_cohort(HOUR).await.unwrap() {
            taken.finish(Vec::new(), HOUR).await.unwrap();
        }
        work(store).await;
    }

    async fn work<S: Store>(store: S) {
        let handler = |_: Delivery| async { Ok::<_, BoxError>(()) };
        let worker = Worker::builder(store, &client()).with_interval(HOUR).on(handler).build();
        worker.run(std::future::pending()).await.unwrap();
    }
}
