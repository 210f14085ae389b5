//! The fields of a request, by the names that AIPs give them.

use contact_center_insights::Status;
use prost_reflect::{DynamicMessage, Kind, ReflectMessage as _, Value};

use super::resource_rules::ResourceRules;
use crate::errors;

/// How much of a resource a list or a get shows if the caller does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Full,
    Basic,
}

/// A request to a standard method. Fields that it does not have are empty.
#[derive(Debug)]
pub(super) struct Request(pub(super) DynamicMessage);

impl Request {
    pub(super) fn text(&self, field: &str) -> String {
        let value = self.0.get_field_by_name(field);
        value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }

    pub(super) fn number(&self, field: &str) -> i32 {
        self.0.get_field_by_name(field).and_then(|value| value.as_i32()).unwrap_or_default()
    }

    pub(super) fn flag(&self, field: &str) -> bool {
        self.0.get_field_by_name(field).and_then(|value| value.as_bool()).unwrap_or_default()
    }

    pub(super) fn message(&self, field: &str) -> Option<DynamicMessage> {
        self.0.get_field_by_name(field)?.as_message().cloned()
    }

    /// The paths of `update_mask`.
    pub(super) fn mask(&self) -> Vec<String> {
        let paths =
            self.message("update_mask").and_then(|mask| Some(mask.get_field_by_name("paths")?.into_owned()));
        let paths = paths.as_ref().and_then(Value::as_list).into_iter().flatten();
        paths.filter_map(|path| path.as_str().map(str::to_owned)).collect()
    }

    /// The fields that `view` leaves out. A request without a view shows all (AIP-157).
    pub(super) fn hidden(&self, default: Shown, rules: ResourceRules) -> Result<&'static [u32], Status> {
        let Some(field) = self.0.descriptor().get_field_by_name("view") else { return Ok(&[]) };
        let view = self.0.get_field(&field).as_enum_number().unwrap_or_default();
        let Kind::Enum(views) = field.kind() else { return Ok(&[]) };
        let Some(asked) = views.get_value(view) else {
            return Err(errors::invalid("view", &format!("{view} is not a `{}`", views.name())));
        };
        let shown = match asked.name() {
            "FULL" => Shown::Full,
            "BASIC" => Shown::Basic,
            _ => default,
        };
        Ok(if shown == Shown::Full { &[] } else { rules.hidden_in_basic })
    }
}
