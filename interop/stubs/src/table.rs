//! The table, as it stands in `docs/interop.md`.

use std::fmt::Write as _;

use crate::case::{Case, Outcome, Server};

pub(crate) fn print(servers: &[Server], rows: &[(Case, Vec<[Outcome; 2]>)]) -> String {
    let mut table = String::from("| case |");
    for server in servers {
        let name = &server.name;
        let _ = write!(table, " {name}: this transport | {name}: tonic's `Channel` |");
    }
    table.push_str("\n|---|");
    table.push_str(&"---|---|".repeat(servers.len()));
    table.push('\n');
    for (case, outcomes) in rows {
        let name = if case.is_own { case.name.to_owned() } else { format!("`{}`", case.name) };
        let _ = write!(table, "| {name} |");
        for [ours, theirs] in outcomes {
            let _ = write!(table, " {ours} | {theirs} |");
        }
        table.push('\n');
    }
    table
}
