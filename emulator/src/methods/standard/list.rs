//! List: a page of what lies below a parent, filtered and ordered on the encoded bytes.

use contact_center_insights::Status;

use super::family::{Family, Order};
use super::request::Request;
use crate::contract::{Contract, Method, ResourceType};
use crate::message::{cut, wire};
use crate::methods::{Answer, View};
use crate::names::LOCATION;
use crate::paging::{Key, Page};
use crate::store::Item;
use crate::{fault, names};

/// How much of a resource a list or a get shows if the caller does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Full,
    Basic,
}

/// One List method.
pub(super) struct List {
    method: &'static Method,
    resource: &'static ResourceType,
    family: Family,
    /// What the parent is, if it is not a location.
    parent: Option<&'static ResourceType>,
    /// Of the time that lists are in order of.
    create_time: u32,
    next_page_token: Option<u32>,
}

impl List {
    pub(super) fn of(method: &'static Method, resource: &'static ResourceType, family: Family) -> Self {
        let number = |name: &str| Some(method.output.get_field_by_name(name)?.number());
        let create_time = resource.message.get_field_by_name("create_time").map_or(0, |field| field.number());
        let parent = method.parent.and_then(|index| Contract::get().resources().get(index));
        Self { method, resource, family, parent, create_time, next_page_token: number("next_page_token") }
    }

    pub(super) fn answer(&self, view: &View, request: &Request) -> Answer {
        let parent = request.text("parent");
        self.check_parent(view, &parent)?;
        let hidden = request.hidden(Shown::Basic)?;
        let (filter, order) = (request.text("filter"), request.text("order_by"));
        for (field, text) in [("filter", &filter), ("order_by", &order)] {
            if !text.is_empty() {
                return Err(fault::unsupported(field, "lists come whole and in one order yet"));
            }
        }
        let items = view.resources.below(self.resource, &parent).map(|item| (self.key(item), item));
        let page = if self.next_page_token.is_some() {
            let arguments = [self.method.name.as_str(), &parent, &filter, &order];
            let token = request.text("page_token");
            Page::read(request.number("page_size"), &token, self.family.max_page, &arguments)?
        } else {
            Page::whole()
        };
        let (items, token) = page.cut(items);
        let mut answer = Vec::new();
        for item in items {
            cut::put_bytes(&mut answer, 1, &cut::without(&item.bytes, hidden));
        }
        if let Some(field) = self.next_page_token.filter(|_| !token.is_empty()) {
            cut::put_bytes(&mut answer, field, token.as_bytes());
        }
        Ok(answer)
    }

    /// A parent that is a resource must be there, unless it stands for many.
    fn check_parent(&self, view: &View, name: &str) -> Result<(), Status> {
        let Some(parent) = self.parent else { return LOCATION.check("parent", name) };
        names::check(parent, "parent", name)?;
        if self.resource.message.name() == "QaScorecardRevision" && name.ends_with("/-") {
            return Ok(());
        }
        view.resources.raw(parent, name).map(drop)
    }

    fn key(&self, item: &Item) -> Key {
        match self.family.order {
            Order::Oldest => Key::oldest_first(item.serial),
            Order::Newest => {
                let time =
                    wire::last(&item.bytes, self.create_time).map(|time| wire::seconds_nanos(time.bytes()));
                Key::newest_first(time.unwrap_or_default(), item.serial)
            }
        }
    }
}
