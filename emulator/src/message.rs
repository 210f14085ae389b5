//! The `message` room: generic work on messages, by their descriptors or straight on their bytes.

pub(crate) mod behavior;
pub(crate) mod cut;
pub(crate) mod mask;
#[allow(dead_code, reason = "filters call the rest")]
pub(crate) mod wire;
