//! Why a fault or a quota cannot be used, and the check that both need.

use crate::contract::{Contract, Method};
use crate::edit_distance::edit_distance;

/// The method of that name, with its service or without.
pub(crate) fn find_method(name: &str) -> Result<&'static Method, FaultError> {
    let methods = || Contract::get().methods();
    methods().find(|method| method.name == name || method.path == name).ok_or_else(|| {
        let nearest = methods().min_by_key(|method| edit_distance(&method.name, name));
        let nearest = nearest.map(|method| method.name.as_str()).unwrap_or_default();
        FaultError(format!("`{name}` is not a method of this API; the nearest is `{nearest}`"))
    })
}

/// Why a fault or a quota cannot be used; says what can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FaultError(pub(crate) String);
