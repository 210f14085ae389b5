//! What a file has: counts, lists, names.

use std::time::{Duration, UNIX_EPOCH};

use rusqlite::{Transaction, params};

use crate::row::{Listed, State, Statistics};
use crate::time::{Micros, since, system_time};

/// Everything by name, with its state.
const ALL: &str = "
select name, 'pending' as state, registered, 0 as tries, null as reason, context from cci_operation
union all
select name, case when handed is not null then 'handed' when buried is not null then 'buried' else 'waiting' end,
  registered, tries, coalesce(reason, lost), context from cci_outcome
union all
select id, case when due is null then 'unsure' else 'starting' end, written, looks, coalesce(reason, method), context
  from cci_intent";

pub(super) fn list(
    transaction: &Transaction<'_>,
    state: Option<State>,
    after: Option<String>,
    most: usize,
    _: Micros,
) -> rusqlite::Result<Vec<Listed>> {
    let sql = format!(
        "select name, state, registered, tries, reason, context from ({ALL})
         where (?1 is null or state = ?1) and name > ?2 order by name limit ?3"
    );
    let mut statement = transaction.prepare_cached(&sql)?;
    let parameters = params![state.map(State::as_str), after.unwrap_or_default(), most];
    let rows = statement.query_map(parameters, |row| {
        let state: String = row.get(1)?;
        Ok(Listed {
            name: row.get(0)?,
            state: state_of(&state),
            registered: system_time(row.get(2)?).unwrap_or(UNIX_EPOCH),
            tries: row.get(3)?,
            reason: row.get(4)?,
            context: row.get(5)?,
        })
    })?;
    rows.collect()
}

fn state_of(text: &str) -> State {
    let states =
        [State::Pending, State::Waiting, State::Buried, State::Handed, State::Starting, State::Unsure];
    states.into_iter().find(|state| state.as_str() == text).unwrap_or(State::Pending)
}

pub(super) fn statistics(transaction: &Transaction<'_>, now: Micros) -> rusqlite::Result<Statistics> {
    let count = |sql: &str| transaction.query_row(sql, [], |row| row.get::<_, u64>(0));
    let waiting = "from cci_outcome where handed is null and buried is null";
    let oldest: Option<Micros> =
        transaction.query_row(&format!("select min(found) {waiting}"), [], |row| row.get(0))?;
    Ok(Statistics {
        pending: count("select count(*) from cci_operation")?,
        cohorts: count("select count(*) from cci_cohort")?,
        oldest_cohort: Duration::ZERO,
        waiting: count(&format!("select count(*) {waiting}"))?,
        oldest_outcome: oldest.map_or(Duration::ZERO, |found| since(found, now)),
        failing: count(&format!("select count(*) {waiting} and tries > 0"))?,
        buried: count("select count(*) from cci_outcome where buried is not null and handed is null")?,
        handed: count("select count(*) from cci_outcome where handed is not null")?,
        starting: count("select count(*) from cci_intent where due is not null")?,
        unsure: count("select count(*) from cci_intent where due is null")?,
    })
}

pub(super) fn backlog(transaction: &Transaction<'_>, most: u64) -> rusqlite::Result<u64> {
    let sql = "select count(*) from
               (select 1 from cci_outcome where handed is null and buried is null limit ?1)";
    transaction.prepare_cached(sql)?.query_row([most], |row| row.get(0))
}

pub(super) fn known(transaction: &Transaction<'_>, names: Vec<String>) -> rusqlite::Result<Vec<String>> {
    let sql = "select exists (select 1 from cci_operation where name = ?1)
               or exists (select 1 from cci_outcome where name = ?1)";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut known = Vec::new();
    for name in names {
        if statement.query_row([&name], |row| row.get(0))? {
            known.push(name);
        }
    }
    Ok(known)
}
