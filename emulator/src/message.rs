//! The `message` room: generic work on messages, by their descriptors or straight on their bytes.

pub(crate) mod behavior;
pub(crate) mod cut;
pub(crate) mod mask;
pub(crate) mod wire;
