//! Generic work on messages, by their descriptors or straight on their bytes.

pub(crate) mod behavior;
pub(crate) mod mask;
pub(crate) mod own_names;
pub(crate) mod selection;
pub(crate) mod splice;
pub(crate) mod wire;
