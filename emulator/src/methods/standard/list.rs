//! List: a page of what lies below a parent, filtered and ordered on the encoded bytes.

use contact_center_insights::Status;

use super::request::{Request, Shown};
use super::resource_rules::{ListOrder, ResourceRules};
use crate::contract::{Contract, Method, ResourceType};
use crate::filter::{self, Filter};
use crate::message::splice;
use crate::methods::context::{Answer, View};
use crate::names::{self, LOCATION};
use crate::paging::{Key, Page};

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
        let order = filter::Order::parse(&order_by, default, &self.resource.message)?;
        let place = if order_by.is_empty() && self.rules.order == ListOrder::Newest {
            Key::newest_first
        } else {
            Key::ordered
        };
        let items = view.resources.below(self.resource, &parent).filter(|item| wanted.matches(&item.bytes));
        let items = items.map(|item| (place(order.key(&item.bytes), item.serial), item));
        let page = if self.next_page_token.is_some() {
            let arguments = [self.method.name.as_str(), &parent, &filter, &order_by];
            let token = request.text("page_token");
            Page::read(request.number("page_size"), &token, self.rules.max_page, &arguments)?
        } else {
            Page::whole()
        };
        let (items, token) = page.cut(items);
        let mut answer = Vec::new();
        for item in items {
            splice::put_bytes(&mut answer, 1, &splice::without(&item.bytes, hidden));
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
