//! How soon things are held again, a file instead of a server, and a quota that three share.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use contact_center_insights_worker::{Registration, SqliteStore, Store as _};
use tokio::time::sleep;

use crate::child::Orders;
use crate::fleet::{Fleet, handed};
use crate::proxy::Proxy;
use crate::stage::{
    Stage, check_ledger, connect, dated, drained, emulator, is_full, operate, operations, seconds,
};
use crate::support::api;

/// What a dead, frozen or cut-off process held is held by another in time.
pub(crate) async fn held_again() {
    let Some(stage) = Stage::new().await else { return };
    let deadline = Duration::from_secs(3);
    let store = connect(&stage.url()).await;
    // Its calls get no answer, so that it holds what it took.
    let (to_store, to_api) = (
        Proxy::to(([127, 0, 0, 1], stage.cluster.port).into()).await,
        Proxy::to(stage.emulator.address()).await,
    );
    let through = format!("postgres://worker@127.0.0.1:{}/chaos", to_store.port);
    let names: Vec<_> = (0..10).map(|number| api::begin(&stage.emulator, number)).collect();
    store.register(names.iter().map(|name| dated(name)).collect()).await.unwrap();
    let mut times = Vec::new();
    for how in ["kill", "freeze", "cut"] {
        to_api.swallow(true);
        stage.cluster.sql_in("chaos", "update cci_sweep set due = now()");
        let endpoint = format!("http://127.0.0.1:{}", to_api.port);
        let mut fleet = stage.fleet(&through, &endpoint, "transaction", deadline);
        fleet.remove(0);
        fleet.remove(0);
        // Somebody else cannot have it now.
        let holds = "select count(*) from pg_stat_activity where state = 'idle in transaction'
                     and application_name = 'cci-worker'";
        let until = Instant::now() + Duration::from_secs(10);
        while stage.cluster.sql_in("chaos", holds) == "0" {
            assert!(Instant::now() < until, "it never held anything");
            sleep(Duration::from_millis(20)).await;
        }
        let started = Instant::now();
        match how {
            "kill" => fleet.remove(0),
            "freeze" => fleet.signal(0, rustix::process::Signal::STOP),
            _ => to_store.swallow(true),
        }
        let limit = if how == "kill" { Duration::from_secs(11) } else { deadline + Duration::from_secs(5) };
        while store.take_cohort(deadline).await.unwrap().is_none() {
            assert!(started.elapsed() < limit, "{how}: not held again within {limit:?}");
            sleep(Duration::from_millis(50)).await;
        }
        times.push(format!("{how}_ms={}", started.elapsed().as_millis()));
        to_store.swallow(false);
        drop(fleet);
    }
    println!("chaos held_again {}", times.join(" "));
}

/// A file whose only process is killed again and again, while others add to it, stays whole and loses nothing.
pub(crate) async fn sqlite() {
    let (emulator, folder) = (emulator().await, tempfile::tempdir().unwrap());
    let path = folder.path().join("operations.db");
    let ledger = folder.path().join("ledger");
    let store = SqliteStore::open(&path).await.unwrap();
    let (url, endpoint) = (format!("sqlite:{}", path.display()), emulator.endpoint());
    let handler = format!("file:{}", ledger.display());
    let mut fleet = Fleet::new(move |edge, pass| Orders {
        store: url.clone(),
        endpoint: endpoint.clone(),
        handler: handler.clone(),
        edge: edge.into(),
        pass,
        deadline: Duration::from_secs(20),
        quota: 0,
    });
    fleet.aborting = true;
    fleet.grow(1);
    let (count, time) = (operations() / 2, seconds());
    let work = tokio::spawn(operate(emulator.clone(), store.clone(), count, time));
    let until = Instant::now() + time;
    while Instant::now() < until || !work.is_finished() {
        sleep(Duration::from_millis(400)).await;
        fleet.tend();
        fleet.kill(0);
    }
    work.await.unwrap();
    fleet.aborting = false;
    drained(&store, &mut fleet, count).await;
    let (kills, aborts) = (fleet.kills, fleet.aborts);
    drop(fleet);
    let duplicates = check_ledger(&ledger, count, kills + aborts);
    let file = contact_center_insights_worker::rusqlite::Connection::open(&path).unwrap();
    let whole: String = file.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    println!(
        "chaos sqlite operations={count} kills={kills} aborts={aborts} lost=0 duplicates={duplicates} integrity=ok"
    );
}

/// Three workers, many cohorts, and more ends than the quota can confirm: no minute has more calls than the quota.
pub(crate) async fn quota() {
    let Some(stage) = Stage::new().await else { return };
    // A hundredth of the documented quota, so that it is reached by few operations; the minutes are real.
    let (quota, minutes) = if is_full() { (3_000, 4) } else { (300, 0) };
    let store = connect(&stage.url()).await;
    let count = quota * 2;
    for number in 0..count {
        let name = api::begin(&stage.emulator, number);
        // Of many days, so that there are cohorts for all.
        let day = Duration::from_hours(24) * u32::try_from(number % 7).unwrap();
        let at = std::time::SystemTime::now() - day;
        store.register(vec![Registration::new(name).created_at(at)]).await.unwrap();
        api::end(&stage.emulator, number);
    }
    let (url, endpoint, ledger) = (stage.url(), stage.emulator.endpoint(), stage.ledger());
    let limit = u32::try_from(quota).unwrap();
    stage.emulator.set_quotas(contact_center_insights_emulator::Quotas::default().with_all(limit)).unwrap();
    stage.emulator.journal().clear();
    let mut fleet = Fleet::new(move |edge, pass| Orders {
        store: url.clone(),
        endpoint: endpoint.clone(),
        handler: format!("file:{}", ledger.display()),
        edge: edge.into(),
        pass,
        deadline: Duration::from_secs(20),
        quota: limit,
    });
    fleet.grow(3);
    // A minute and more, where there is time for it.
    let time = match seconds() {
        _ if minutes > 0 => Duration::from_secs(60 * minutes),
        short if short < Duration::from_secs(10) => short,
        _ => Duration::from_secs(75),
    };
    sleep(time).await;
    drop(fleet);
    let mut times: Vec<_> = stage.emulator.journal().entries().iter().map(|entry| entry.time).collect();
    times.sort_unstable();
    let in_a_minute = |from: usize| {
        let until = times[from] + Duration::from_mins(1);
        times[from..].iter().take_while(|time| **time < until).count()
    };
    let most = (0..times.len()).map(in_a_minute).max().unwrap_or_default();
    assert!(most <= quota, "{most} calls in a minute of {quota}");
    // Four fifths of the quota, and what each process may make at once: in any time, not only in a minute.
    let steady = quota * 4 / 5 * usize::try_from(time.as_secs()).unwrap() / 60;
    let bursts = quota * 4 / 5 * 16 / 100 + 8;
    let calls = times.len();
    assert!(calls > 0 && calls <= steady + bursts, "{calls} calls in {time:?}");
    let distinct: HashSet<_> = handed(&stage.ledger()).into_keys().collect();
    println!(
        "chaos quota={quota} seconds={} calls={calls} most_in_a_minute={most} handed={}",
        time.as_secs(),
        distinct.len()
    );
}
