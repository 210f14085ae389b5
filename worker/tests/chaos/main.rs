//! Processes that follow operations are killed, frozen and cut off, as is their database; and nothing is lost.
//!
//! Without arguments each scenario runs for a few seconds. `CHAOS_SECONDS` makes the storms longer, `CHAOS_OPERATIONS`
//! larger; `CHAOS_FULL=1` is 100,000 operations and 1,000 kills. The processes are this program once more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
mod child;
#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
mod crashing;
#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
mod fleet;
#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
mod measures;
#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
mod proxy;
#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
mod scenarios;
#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
mod stage;
#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
mod standstill;
#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
mod starts;
#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
#[path = "../support/mod.rs"]
mod support;

#[cfg(not(all(unix, feature = "postgres", feature = "sqlite")))]
fn main() {
    println!("skipped: the chaos is for Unix, with the features postgres and sqlite");
}

#[cfg(all(unix, feature = "postgres", feature = "sqlite"))]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("child") => return child::run(&arguments[1..]),
        Some("standing") => return standstill::run(&arguments[1..]),
        Some("starter") => return starts::run(&arguments[1..]),
        _ => {}
    }
    // What cargo and other runners ask of a test.
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in scenarios::ALL {
            println!("{name}: test");
        }
        return;
    }
    let is_exact = arguments.iter().any(|argument| argument == "--exact");
    let wanted: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let matches = |name: &str| {
        wanted.is_empty()
            || wanted.iter().any(|part| if is_exact { name == *part } else { name.contains(part.as_str()) })
    };
    for (name, scenario) in scenarios::ALL.iter().filter(|(name, _)| matches(name)) {
        println!("chaos {name} ...");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(scenario());
    }
}
