//! From JSON to wire bytes, as canonical as those of the generated types: fields by number, maps by key, no defaults.

mod any;
mod base64;
mod dynamic;
mod message;
mod parser;
mod scalar;
mod time;

pub(super) use self::parser::{Options, Parse, Skip};
