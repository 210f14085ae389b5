//! What this process has done, and how Prometheus reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contact_center_insights::Error;
use contact_center_insights::status::code_name;

use crate::row::Statistics;

/// Counts since the process began.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) sweeps: Counter,
    pub(crate) store_failures: Counter,
    pub(crate) pages: Counter,
    pub(crate) gets: Counter,
    pub(crate) ended: Counter,
    pub(crate) lost: Counter,
    pub(crate) handed: Counter,
    pub(crate) failed: Counter,
    pub(crate) buried: Counter,
    pub(crate) refused: Counter,
    /// Calls that failed, by code.
    failures: Mutex<BTreeMap<&'static str, u64>>,
    /// From the end of an operation to its notice.
    pub(crate) notice: Histogram,
    /// From the notice to the hand-over.
    pub(crate) handover_age: Histogram,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper edges, in seconds.
const EDGES: [u64; 8] = [1, 2, 5, 10, 30, 60, 300, 3_600];

#[derive(Debug, Default)]
pub(crate) struct Histogram {
    counts: [AtomicU64; EDGES.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Histogram {
    pub(crate) fn note(&self, value: Duration) {
        for (count, _) in
            self.counts.iter().zip(EDGES).filter(|(_, edge)| value <= Duration::from_secs(*edge))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(value.as_micros()).unwrap_or_default(), Ordering::Relaxed);
    }

    fn render(&self, text: &mut String, name: &str, help: &str) {
        head(text, name, "histogram", help);
        for (count, edge) in self.counts.iter().zip(EDGES) {
            let _ = writeln!(text, "{name}_bucket{{le=\"{edge}\"}} {}", count.load(Ordering::Relaxed));
        }
        let count = self.count.load(Ordering::Relaxed);
        let sum = Duration::from_micros(self.micros.load(Ordering::Relaxed)).as_secs_f64();
        let _ =
            writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}");
    }
}

impl Metrics {
    /// Counts a failed call.
    pub(crate) fn note_failure(&self, error: &Error) {
        let code = error.code().map_or("NOT_SENT", code_name);
        if error.call().is_some_and(|call| call.fault().is_overload) {
            self.refused.add(1);
        }
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(code).or_default();
        *count = count.saturating_add(1);
    }

    /// In Prometheus' text format 0.0.4. `store` is what the store has, if it could be asked.
    pub(crate) fn render(&self, store: Option<&Statistics>) -> String {
        let mut text = String::new();
        if let Some(store) = store {
            let gauges = [
                ("pending", "Operations that run, as far as is known.", store.pending.to_string()),
                ("cohorts", "Cohorts of operations.", store.cohorts.to_string()),
                (
                    "cohort_lateness_seconds",
                    "How much later than planned the cohort is looked at that has waited longest.",
                    store.oldest_cohort.as_secs_f64().to_string(),
                ),
                ("waiting", "Results that wait to be handed over.", store.waiting.to_string()),
                (
                    "waiting_oldest_seconds",
                    "For how long the oldest of them has waited.",
                    store.oldest_outcome.as_secs_f64().to_string(),
                ),
                ("failing", "Results that wait for their next try.", store.failing.to_string()),
                ("buried", "Results that are not handed over any more.", store.buried.to_string()),
                ("starting", "Starts whose end is not known yet.", store.starting.to_string()),
                (
                    "unsure",
                    "Starts of which nobody can tell whether they happened.",
                    store.unsure.to_string(),
                ),
            ];
            for (name, help, value) in gauges {
                let name = format!("cci_worker_{name}");
                head(&mut text, &name, "gauge", help);
                let _ = writeln!(text, "{name} {value}");
            }
        }
        let counters = [
            ("sweeps", "Sweeps of cohorts.", &self.sweeps),
            ("store_failures", "Times that the store failed.", &self.store_failures),
            ("list_pages", "Pages of ListOperations.", &self.pages),
            ("get_calls", "Calls of GetOperation.", &self.gets),
            ("ended", "Ends that were found.", &self.ended),
            ("lost", "Operations that the service does not know any more.", &self.lost),
            ("handed_over", "Results that were taken.", &self.handed),
            ("handover_failures", "Tries that failed.", &self.failed),
            ("handover_buried", "Results that were buried by this process.", &self.buried),
            ("refused_calls", "Calls that were refused for overload.", &self.refused),
        ];
        for (name, help, counter) in counters {
            let name = format!("cci_worker_{name}_total");
            head(&mut text, &name, "counter", help);
            let _ = writeln!(text, "{name} {}", counter.get());
        }
        let name = "cci_worker_failed_calls_total";
        head(&mut text, name, "counter", "Calls that failed in spite of their retries, by code.");
        for (code, count) in &*self.failures.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(text, "{name}{{code=\"{code}\"}} {count}");
        }
        self.notice.render(
            &mut text,
            "cci_worker_notice_seconds",
            "From the end of an operation, as its metadata tells it, to its notice.",
        );
        let name = "cci_worker_handover_age_seconds";
        self.handover_age.render(&mut text, name, "From the notice of an end to its hand-over.");
        text
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_there_once_and_buckets_add_up() {
        let metrics = Metrics::default();
        metrics.notice.note(Duration::from_millis(1_500));
        metrics.notice.note(Duration::from_hours(2));
        metrics.handed.add(3);
        let text = metrics.render(Some(&Statistics { pending: 7, ..Statistics::default() }));
        assert!(
            text.contains("\ncci_worker_pending 7\n") && text.contains("\ncci_worker_handed_over_total 3\n")
        );
        assert!(text.contains("cci_worker_notice_seconds_bucket{le=\"1\"} 0\n"));
        assert!(text.contains("cci_worker_notice_seconds_bucket{le=\"2\"} 1\n"));
        assert!(text.contains("cci_worker_notice_seconds_bucket{le=\"+Inf\"} 2\n"));
        let mut families: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        let all = families.len();
        families.dedup();
        assert_eq!((all, families.len()), (22, 22));
        assert!(text.lines().all(|line| line.starts_with('#') || line.split(' ').count() == 2), "{text}");
    }
}
