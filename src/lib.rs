//! x

pub mod any;
#[cfg(feature = "json")]
pub mod json;
pub mod proto;
pub mod status;

pub use status::Status;
pub use tonic::Code;
