//! What a resource has of its own beside the standard methods.

use contact_center_insights::Status;
use prost::Message;

use crate::errors;
use crate::methods::context::{Answer, Context};

/// A new resource, encoded, to what is stored of it.
type Create = fn(&mut Context<'_>, &[u8]) -> Answer;
/// A resource before an update and after it, encoded, to what is stored of it.
type Update = fn(&mut Context<'_>, &[u8], &[u8]) -> Answer;

/// What happens beside the standard, for one resource. All of it works on encoded messages.
#[derive(Clone, Copy)]
pub(crate) struct ResourceRules {
    pub(crate) order: ListOrder,
    /// How many items a page has at most; where the documentation is silent, the emulator's own choice.
    pub(crate) max_page: usize,
    /// What is stored for what a caller wants to create: named and dated already.
    pub(crate) create: Create,
    /// What is stored for what an update has made of what was there before.
    pub(crate) update: Update,
    /// Whether the resource of this name may be deleted, and what happens beside.
    pub(crate) delete: fn(&mut Context<'_>, &str) -> Result<(), Status>,
    /// What below it keeps it from being deleted without `force`, by the names of messages.
    pub(crate) blocking: &'static [&'static str],
    /// The numbers of the fields that a `BASIC` view leaves out.
    pub(crate) hidden_in_basic: &'static [u32],
    /// How many of these may be there all the same.
    pub(crate) may_stay: usize,
    /// Whether an id under which nothing is found can be one at all; what it cannot be is refused as such.
    pub(crate) check_id: fn(&str) -> Result<(), Status>,
    /// There is one in each location from the start; it is changed, and never made.
    pub(crate) exists_from_start: bool,
    /// Whether a list takes a parent with ids that are `-`, which stand for all.
    pub(crate) takes_wildcard_parent: bool,
    /// The field with other ids under which a resource is found, such as `latest`.
    pub(crate) alias_field: Option<&'static str>,
}

/// In which order a list comes if the caller does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListOrder {
    Oldest,
    Newest,
}

impl ResourceRules {
    /// Nothing of its own.
    pub(crate) const PLAIN: Self = Self {
        order: ListOrder::Oldest,
        max_page: 1000,
        create: |_, bytes| Ok(bytes.to_vec()),
        update: |_, _, bytes| Ok(bytes.to_vec()),
        delete: |_, _| Ok(()),
        blocking: &[],
        may_stay: 0,
        check_id: |_| Ok(()),
        hidden_in_basic: &[],
        exists_from_start: false,
        takes_wildcard_parent: false,
        alias_field: None,
    };
}

/// The bytes of a message that `change` has changed.
pub(crate) fn changed<T: Message + Default>(
    bytes: &[u8],
    change: impl FnOnce(&mut T) -> Result<(), Status>,
) -> Result<Vec<u8>, Status> {
    let mut message = T::decode(bytes)
        .map_err(|error| errors::internal(format!("a stored resource cannot be decoded: {error}")))?;
    change(&mut message)?;
    Ok(message.encode_to_vec())
}
