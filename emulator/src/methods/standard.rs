//! Get, list, create, update and delete, for every resource alike, from the descriptors.

mod list;
mod request;
mod resource_rules;
mod write;

use prost_reflect::DynamicMessage;

use self::request::{Request, Shown};
pub(super) use self::resource_rules::{ListOrder, ResourceRules, changed};
use super::context::{Answer, Context, Handler, Length, View};
use crate::contract::{Method, ResourceType, Standard};
use crate::message::{behavior, splice, wire};
use crate::names;
use crate::work::Spent;

/// Serves a method if it is a standard one.
pub(super) fn handler(
    method: &'static Method,
    resource: &'static ResourceType,
    rules: ResourceRules,
) -> Option<Handler> {
    let (verb, _) = method.standard?;
    let input = &method.input;
    let handler = match verb {
        Standard::Get => reading(method, move |view, request| get(view, resource, rules, &Request(request))),
        Standard::List => {
            let list = list::List::of(method, resource, rules);
            reading(method, move |view, request| list.answer(view, &Request(request)))
        }
        Standard::Create => {
            let create = write::Create::of(input, resource, rules)?;
            writing(method, Length::OfFiles, move |context, request| {
                create.answer(context, &Request(request))
            })
        }
        Standard::Update => {
            let update = write::Update::of(input, resource, rules)?;
            writing(method, Length::OfLocation, move |context, request| {
                update.answer(context, &Request(request))
            })
        }
        Standard::Delete => writing(method, Length::OfLocation, move |context, request| {
            write::delete(context, resource, rules, &Request(request))
        }),
    };
    Some(handler)
}

fn reading(
    method: &'static Method,
    answer: impl Fn(&View, DynamicMessage) -> Answer + Send + Sync + 'static,
) -> Handler {
    Handler::Read(Box::new(move |view, request| answer(view, behavior::decode(&method.input, request)?)))
}

fn writing(
    method: &'static Method,
    length: Length,
    answer: impl Fn(&mut Context<'_>, DynamicMessage) -> Answer + Send + Sync + 'static,
) -> Handler {
    let write = move |context: &mut Context<'_>, request: &[u8]| {
        answer(context, behavior::decode(&method.input, request)?)
    };
    Handler::Write(Box::new(write), length)
}

fn get(view: &View, resource: &ResourceType, rules: ResourceRules, request: &Request) -> Answer {
    let name = request.text("name");
    names::check(resource, "name", &name)?;
    let hidden = request.hidden(Shown::Full, rules)?;
    match view.resources.find(resource, &name) {
        // A step copies what it looks at.
        Some(item) if view.work.spend(item.bytes.len() / 64).is_err() => Err(Spent.into()),
        Some(item) => Ok(splice::without(&item.bytes, hidden)),
        None if rules.exists_from_start => Ok(write::unset(resource, &name)),
        None => by_alias(view, resource, rules, &name).map_or_else(
            || {
                (rules.check_id)(names::id(&name))?;
                Err(view.resources.missing(resource, &name))
            },
            Ok,
        ),
    }
}

/// The resource that has the last segment of `name` among its aliases.
fn by_alias(view: &View, resource: &ResourceType, rules: ResourceRules, name: &str) -> Option<Vec<u8>> {
    let field = resource.message.get_field_by_name(rules.alias_field?)?.number();
    let has = |bytes: &[u8]| {
        wire::fields(bytes).any(|(n, id)| n == field && id.bytes() == names::id(name).as_bytes())
    };
    let mut siblings = view.resources.below(resource, names::above(name));
    siblings.find(|item| has(&item.bytes)).map(|item| item.bytes.to_vec())
}
