//! The `message` room: generic work on messages, by descriptor.

pub(crate) mod wire;
