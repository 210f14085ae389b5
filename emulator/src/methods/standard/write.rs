//! Create, update, delete.

use std::time::SystemTime;

use contact_center_insights::{Code, Status};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, ReflectMessage as _, Value};

use super::request::Request;
use super::resource_rules::ResourceRules;
use crate::contract::{Contract, ResourceType, Trait};
use crate::engine::Claim;
use crate::message::behavior;
use crate::message::mask::Mask;
use crate::methods::context::{Answer, Context};
use crate::{errors, names};

/// One Create method.
pub(super) struct Create {
    resource: &'static ResourceType,
    rules: ResourceRules,
    /// The field that the resource is in.
    body: String,
    /// The field that the caller's id is in, if it may choose one.
    id: Option<String>,
}

impl Create {
    pub(super) fn of(
        input: &MessageDescriptor,
        resource: &'static ResourceType,
        rules: ResourceRules,
    ) -> Option<Self> {
        let body = body(input, resource)?;
        let id = Some(format!("{body}_id")).filter(|id| input.get_field_by_name(id).is_some());
        Some(Self { resource, rules, body, id })
    }

    pub(super) fn answer(&self, context: &mut Context<'_>, request: &Request) -> Answer {
        let name = self.name(context, request)?;
        context.state.engine.check_idle(&Claim::on(&name))?;
        let store = context.store();
        store.check_free(self.resource, &name)?;
        let mut message = request.message(&self.body).unwrap_or_else(|| self.resource.message_of());
        set(&mut message, "name", Value::String(name));
        date(&mut message, &["create_time", "update_time"], context.now);
        store_new(context, self.resource, self.rules, &message)
    }

    fn name(&self, context: &mut Context<'_>, request: &Request) -> Result<String, Status> {
        let parent = request.text("parent");
        names::check_parent(self.resource, "parent", &parent)?;
        let above = Contract::get().resources().iter().find(|other| other.is_parent_of(self.resource));
        if let Some(above) = above {
            context.store().raw(above, &parent)?;
        }
        let id = self.id.as_ref().map(|field| (field, request.text(field))).filter(|(_, id)| !id.is_empty());
        let id = match id {
            Some((field, id)) => names::check_id(field, &id).map(|()| id)?,
            None => context.store().new_id().to_string(),
        };
        Ok(format!("{parent}/{}/{id}", self.resource.collection()))
    }
}

/// Stores a resource that is named and dated, and what its rules make of it.
fn store_new(
    context: &mut Context<'_>,
    resource: &ResourceType,
    rules: ResourceRules,
    message: &DynamicMessage,
) -> Answer {
    let made = (rules.create)(context, &message.encode_to_vec())?;
    let made = stored(&resource.message, &made)?;
    context.store().insert_raw(resource, made.clone().into())?;
    Ok(made)
}

/// One Update method.
pub(super) struct Update {
    resource: &'static ResourceType,
    rules: ResourceRules,
    body: String,
}

impl Update {
    pub(super) fn of(
        input: &MessageDescriptor,
        resource: &'static ResourceType,
        rules: ResourceRules,
    ) -> Option<Self> {
        Some(Self { resource, rules, body: body(input, resource)? })
    }

    pub(super) fn answer(&self, context: &mut Context<'_>, request: &Request) -> Answer {
        let given = request.message(&self.body).unwrap_or_else(|| self.resource.message_of());
        let name = given.get_field_by_name("name").and_then(|name| name.as_str().map(str::to_owned));
        let name = name.unwrap_or_default();
        names::check(self.resource, &format!("{}.name", self.body), &name)?;
        let before = match context.store().find(self.resource, &name) {
            Some(item) => item.bytes.to_vec(),
            None if self.rules.exists_from_start => self.unset_dated(context, &name)?,
            None => {
                (self.rules.check_id)(names::id(&name))?;
                return Err(context.store().missing(self.resource, &name));
            }
        };
        let mask = Mask::read("update_mask", &request.mask(), &self.resource.message)?;
        let mut message = behavior::decode(&self.resource.message, &before)?;
        mask.apply(&self.body, &given, &mut message)?;
        date(&mut message, &["update_time"], context.now);
        let after = (self.rules.update)(context, &before, &message.encode_to_vec())?;
        let after = stored(&self.resource.message, &after)?;
        context.store().put_raw(self.resource, after.clone().into());
        Ok(after)
    }

    /// Settings are there from the start; when they are first changed, they are said to be made.
    fn unset_dated(&self, context: &Context<'_>, name: &str) -> Answer {
        let mut message = behavior::decode(&self.resource.message, &unset(self.resource, name))?;
        date(&mut message, &["create_time"], context.now);
        Ok(message.encode_to_vec())
    }
}

/// One Delete method.
pub(super) fn delete(
    context: &mut Context<'_>,
    resource: &'static ResourceType,
    rules: ResourceRules,
    request: &Request,
) -> Answer {
    let name = request.text("name");
    names::check(resource, "name", &name)?;
    if context.store().find(resource, &name).is_none() {
        (rules.check_id)(names::id(&name))?;
        return Err(context.store().missing(resource, &name));
    }
    if !request.flag("force") {
        for kind in rules.blocking.iter().filter_map(|message| Contract::get().resource(message)) {
            if context.store().below(kind, &name).nth(rules.may_stay).is_some() {
                let message = format!(
                    "{} `{name}` has {}; `force` deletes them with it",
                    resource.kind,
                    kind.collection()
                );
                let parts = [("resource", name.as_str()), ("children", kind.collection())];
                return Err(errors::with_reason(
                    Code::FailedPrecondition,
                    "RESOURCE_HAS_CHILDREN",
                    message,
                    &parts,
                ));
            }
        }
    }
    (rules.delete)(context, &name)?;
    context.store().remove(resource, &name)?;
    Ok(Vec::new())
}

/// A resource that is always there, before anything was set.
pub(super) fn unset(resource: &ResourceType, name: &str) -> Vec<u8> {
    let mut message = resource.message_of();
    set(&mut message, "name", Value::String(name.to_owned()));
    message.encode_to_vec()
}

/// What is input only is used, and not kept.
fn stored(descriptor: &MessageDescriptor, bytes: &[u8]) -> Answer {
    let mut message = behavior::decode(descriptor, bytes)?;
    behavior::clear(&mut message, Trait::InputOnly);
    Ok(message.encode_to_vec())
}

/// The field of a request that holds the resource.
fn body(input: &MessageDescriptor, resource: &ResourceType) -> Option<String> {
    let is_resource = |kind: prost_reflect::Kind| kind.as_message() == Some(&resource.message);
    input.fields().find(|field| is_resource(field.kind())).map(|field| field.name().to_owned())
}

fn set(message: &mut DynamicMessage, field: &str, value: Value) {
    if let Some(field) = message.descriptor().get_field_by_name(field) {
        message.set_field(&field, value);
    }
}

/// Sets the times of these fields, where the message has them.
fn date(message: &mut DynamicMessage, fields: &[&str], now: SystemTime) {
    let now = prost_types::Timestamp::from(now);
    for name in fields {
        let Some(field) = message.descriptor().get_field_by_name(name) else { continue };
        let Some(time) = field.kind().as_message().cloned() else { continue };
        let mut value = DynamicMessage::new(time);
        set(&mut value, "seconds", Value::I64(now.seconds));
        set(&mut value, "nanos", Value::I32(now.nanos));
        message.set_field(&field, Value::Message(value));
    }
}
