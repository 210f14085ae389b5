//! List: a page of what lies below a parent, filtered and ordered on the encoded bytes.

use contact_center_insights::Status;

use super::request::{Request, Shown};
use super::resource_rules::{ListOrder, ResourceRules};
use crate::contract::{Contract, Method, ResourceType};
use crate::filter::{Filter, Order};
use crate::message::splice;
use crate::methods::context::{Answer, View};
use crate::names::{self, LOCATION};
use crate::paging::{Key, Page};
use crate::store::{Walk, time_key};

/// What a page holds at most, so that it can be received.
const MAX_PAGE_BYTES: usize = 32 * 1024 * 1024;
/// What it takes to find one item, and to copy one.
const STEPS_AN_ITEM: usize = 8;
const BYTES_A_STEP: usize = 64;

/// One List method.
pub(super) struct List {
    method: &'static Method,
    resource: &'static ResourceType,
    rules: ResourceRules,
    /// What the parent is, if it is not a location.
    parent: Option<&'static ResourceType>,
    next_page_token: Option<u32>,
}

impl List {
    pub(super) fn of(method: &'static Method, resource: &'static ResourceType, rules: ResourceRules) -> Self {
        let number = |name: &str| Some(method.output.get_field_by_name(name)?.number());
        let parent = method.parent.and_then(|index| Contract::get().resources().get(index));
        Self { method, resource, rules, parent, next_page_token: number("next_page_token") }
    }

    pub(super) fn answer(&self, view: &View, request: &Request) -> Answer {
        let parent = request.text("parent");
        self.check_parent(view, &parent)?;
        let hidden = request.hidden(Shown::Basic, self.rules)?;
        let (filter, order_by) = (request.text("filter"), request.text("order_by"));
        let wanted = Filter::compile(&filter, &self.resource.message)?;
        let default = if self.rules.order == ListOrder::Newest { "create_time desc" } else { "" };
        let order = Order::parse(&order_by, default, &self.resource.message)?;
        let page = if self.next_page_token.is_some() {
            let arguments = [self.method.name.as_str(), &parent, &filter, &order_by];
            let token = request.text("page_token");
            Page::read(request.number("page_size"), &token, self.rules.max_page, &arguments)?
        } else {
            Page::whole()
        };
        let kept = kept_order(self.resource, &order, page.after());
        let walk = kept.and_then(|walk| view.resources.walk(self.resource, &parent, walk));
        // In whatever order, unless it is the one in which they are kept.
        let all = walk.is_none().then(|| view.resources.below(self.resource, &parent));
        let mut cut = if walk.is_some() { page.sorted() } else { page.unsorted() };
        for item in walk.into_iter().flatten().chain(all.into_iter().flatten()) {
            view.work.spend(STEPS_AN_ITEM)?;
            if !wanted.selects(&item.bytes, &view.work)? {
                continue;
            }
            let by = order.key(&item.bytes, &view.work)?;
            // What has one time comes as it was made, and against that where the newest comes first.
            let is_newest = matches!(kept, Some(Walk::Newest { .. }));
            let key =
                if is_newest { Key::newest_first(by, item.serial) } else { Key::ordered(by, item.serial) };
            if !cut.push(key, item) {
                break;
            }
        }
        // What has no pages is shown whole.
        let most = if self.next_page_token.is_some() { MAX_PAGE_BYTES } else { usize::MAX };
        let (items, token) = cut.end_within(most, |item| item.bytes.len());
        view.work.spend(items.iter().map(|item| item.bytes.len() / BYTES_A_STEP).sum())?;
        let mut answer = Vec::new();
        for item in items {
            splice::put_without(&mut answer, 1, &item.bytes, hidden);
        }
        if let Some(field) = self.next_page_token.filter(|_| !token.is_empty()) {
            splice::put_bytes(&mut answer, field, token.as_bytes());
        }
        Ok(answer)
    }

    /// A parent that is a resource must be there, unless it stands for many.
    fn check_parent(&self, view: &View, name: &str) -> Result<(), Status> {
        let Some(parent) = self.parent else { return LOCATION.check("parent", name) };
        names::check(parent, "parent", name)?;
        if self.rules.takes_wildcard_parent && names::below(name).split('/').any(|segment| segment == "-") {
            return Ok(());
        }
        view.resources.raw(parent, name).map(drop)
    }
}

/// The order that resources are kept in, if it is the one that is asked for, from where the last page ended.
fn kept_order(resource: &ResourceType, order: &Order, after: Option<&Key>) -> Option<Walk> {
    if order.is_none() {
        return Some(Walk::Created { after: after.map(Key::serial) });
    }
    let time = |descends: bool| {
        let read = |key: &Key| {
            let mut time = time_key(None);
            time.iter_mut()
                .zip(key.by())
                .for_each(|(place, byte)| *place = if descends { !byte } else { *byte });
            (time, if descends { !key.serial() } else { key.serial() })
        };
        after.map(read)
    };
    let descends = order.is_by(resource.create_time?)?;
    let after = time(descends);
    Some(if descends { Walk::Newest { after } } else { Walk::Oldest { after } })
}
