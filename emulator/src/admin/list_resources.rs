//! All resources, by kind, as they are looked at from outside.

use std::cmp::Reverse;
use std::sync::Arc;

use contact_center_insights::Status;

use super::convert::{shown, timestamp};
use super::lists::{Needle, limit};
use super::proto;
use crate::contract::{Contract, ResourceType};
use crate::errors;
use crate::message::wire;
use crate::pipeline::Pipeline;
use crate::store::{Item, Resources};

/// Where every resource has its name.
const NAME: u32 = 1;

pub(super) fn list(
    pipeline: &Arc<Pipeline>,
    request: &proto::ListResourcesRequest,
) -> Result<proto::Resources, Status> {
    let kind = kind(request)?;
    pipeline.service.view(|state, _| found(&state.world.store, request, kind))
}

/// The kind that is asked for, by its own name or by the name of one of it.
fn kind(request: &proto::ListResourcesRequest) -> Result<Option<&'static ResourceType>, Status> {
    let contract = Contract::get();
    if !request.kind.is_empty() {
        let found = contract.resources().iter().find(|resource| resource.plural == request.kind);
        return found.map(Some).ok_or_else(|| {
            let kinds: Vec<_> = contract.resources().iter().map(|kind| kind.plural.as_str()).collect();
            errors::invalid("kind", &format!("`{}` is not one of {}", request.kind, kinds.join(", ")))
        });
    }
    if request.name.is_empty() {
        return Ok(None);
    }
    let found = contract.resource_named(&request.name);
    found.map(Some).ok_or_else(|| errors::not_found("resource", &request.name))
}

fn found(
    resources: &Resources,
    request: &proto::ListResourcesRequest,
    kind: Option<&ResourceType>,
) -> Result<proto::Resources, Status> {
    let all = Contract::get().resources().iter();
    let mut kinds: Vec<_> = all
        .map(|kind| proto::ResourceKind { kind: kind.plural.clone(), count: resources.total(kind) as u64 })
        .collect();
    kinds.sort_by(|one, other| one.kind.cmp(&other.kind));
    let Some(kind) = kind else { return Ok(proto::Resources { kinds, ..proto::Resources::default() }) };
    if !request.name.is_empty() {
        let spelled = resources.spelled(&request.name);
        let item = resources.find(kind, spelled.as_deref().unwrap_or(&request.name));
        let item = item.ok_or_else(|| errors::not_found(&kind.kind, &request.name))?;
        let mut found = summary(kind, item);
        found.json = shown(kind.message.full_name(), &item.bytes);
        return Ok(proto::Resources { kinds, resources: vec![found], total: 1 });
    }
    let needle = Needle::new(&request.contains);
    let display_name = field(kind, "display_name");
    let mut total = 0_u64;
    let mut fits = Vec::new();
    for item in resources.of_type(kind) {
        if needle.is_in(&[wire::text(&item.bytes, NAME), text(item, display_name)]) {
            total = total.saturating_add(1);
            if request.before == 0 || item.serial < request.before {
                fits.push(item);
            }
        }
    }
    fits.sort_unstable_by_key(|item| Reverse(item.serial));
    fits.truncate(limit(request.limit));
    let resources = fits.into_iter().map(|item| summary(kind, item)).collect();
    Ok(proto::Resources { kinds, resources, total })
}

fn summary(kind: &ResourceType, item: &Item) -> proto::ResourceSummary {
    let created = kind.create_time.and_then(|number| wire::last(&item.bytes, number));
    proto::ResourceSummary {
        name: wire::text(&item.bytes, NAME).to_owned(),
        display_name: text(item, field(kind, "display_name")).to_owned(),
        create_time: created.and_then(|time| timestamp(time.bytes())),
        bytes: item.bytes.len() as u64,
        serial: item.serial,
        json: String::new(),
    }
}

fn field(kind: &ResourceType, name: &str) -> Option<u32> {
    kind.message.get_field_by_name(name).map(|field| field.number())
}

fn text(item: &Item, field: Option<u32>) -> &str {
    field.map_or("", |number| wire::text(&item.bytes, number))
}
