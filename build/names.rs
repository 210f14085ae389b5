//! Writes `names.rs`: a type for the name of each resource that the descriptors define (AIP-122, AIP-123).

use std::fmt::Write as _;

use crate::contract::{Contract, Resource};

/// The generated file.
pub(crate) fn resource_names(contract: &Contract) -> String {
    contract.resources.iter().map(resource_name).collect()
}

/// One invocation of `resource_name!`: type, constructors with their patterns, accessors.
fn resource_name(resource: &Resource) -> String {
    let Resource { message, kind, patterns } = resource;
    let ids: Vec<Vec<&str>> = patterns.iter().map(|pattern| variables(pattern)).collect();
    let mut all: Vec<&str> = ids.concat();
    all.sort_unstable();
    all.dedup();
    let is_in_all = |id: &&str| ids.iter().all(|of_one| of_one.contains(id));

    let mut out = String::from("resource_name! {\n");
    let _ = writeln!(out, "    /// The name of a [`{message}`](crate::proto::insights::{message}).");
    let _ = writeln!(out, "    {message}Name, {kind:?},");
    for (pattern, ids) in patterns.iter().zip(&ids) {
        // What only this pattern has says where the resource lies: in an authorized view, say.
        let place = ids.iter().rfind(|id| !is_in_all(id));
        let constructor = place.map_or("new".to_owned(), |id| format!("in_{id}"));
        let _ = writeln!(out, "    {constructor}({}) = {pattern:?},", ids.join(", "));
    }
    let (always, sometimes): (Vec<&str>, Vec<&str>) = all.iter().partition(|id| is_in_all(id));
    let (always, sometimes) = (always.join(", "), sometimes.join(", "));
    let _ = writeln!(out, "    {{ always({always}) sometimes({sometimes}) }}\n}}\n");
    out
}

/// The variables of a pattern, in order.
fn variables(pattern: &str) -> Vec<&str> {
    pattern.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect()
}
