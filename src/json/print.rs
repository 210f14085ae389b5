//! From wire bytes to JSON, field by field, with nothing built on the way.

mod any;
mod context;
mod message;
mod raw;
mod scalar;
mod sink;
mod time;
mod tree;
mod wellknown;

pub(super) use self::context::Print;
pub(super) use self::sink::{Sink, Text};
pub(super) use self::tree::Tree;
