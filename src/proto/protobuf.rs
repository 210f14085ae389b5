//! `google.protobuf`: the well-known types, as prost has them.
//!
//! Fields of the wrapper types are plain Rust values in an `Option`, and `Empty` is `()`: where a message is wanted, as
//! in an [`Any`], the aliases here are that.
//!
//! ```
//! use contact_center_insights::any::{pack, Unpack};
//! use contact_center_insights::proto::protobuf::{Duration, Empty, StringValue};
//!
//! assert_eq!(Duration::try_from(std::time::Duration::from_millis(1_500))?, Duration { seconds: 1, nanos: 500_000_000 });
//! assert_eq!(pack::<Empty>(&()).type_url, "type.googleapis.com/google.protobuf.Empty");
//! assert_eq!(StringValue::unpack(&pack(&"billing".to_owned()))?, "billing");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use prost_types::{
    Any, Duration, FieldMask, ListValue, NullValue, Struct, Timestamp, TimestampError, Value, value,
};

/// `google.protobuf.Empty`.
pub type Empty = ();
/// `google.protobuf.BoolValue`.
pub type BoolValue = bool;
/// `google.protobuf.BytesValue`.
pub type BytesValue = Vec<u8>;
/// `google.protobuf.DoubleValue`.
pub type DoubleValue = f64;
/// `google.protobuf.FloatValue`.
pub type FloatValue = f32;
/// `google.protobuf.Int32Value`.
pub type Int32Value = i32;
/// `google.protobuf.Int64Value`.
pub type Int64Value = i64;
/// `google.protobuf.StringValue`.
pub type StringValue = String;
/// `google.protobuf.UInt32Value`.
pub type UInt32Value = u32;
/// `google.protobuf.UInt64Value`.
pub type UInt64Value = u64;

/// The mask of an update: which fields of the resource the server takes over (AIP-134, AIP-161).
///
/// Paths are those of the proto: `snake_case`, with a dot into messages, such as `"issue_model_config.training"`. `"*"`
/// replaces the whole resource. They are not compared with the message here: the server answers `INVALID_ARGUMENT` to
/// one that it does not know. An empty mask updates every field that is set.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = contact_center_insights_emulator::Emulator::builder().start().await?;
/// # let client = contact_center_insights::Client::builder().with_endpoint(emulator.endpoint())
/// #     .with_credentials(contact_center_insights::Credentials::anonymous()).build()?;
/// # let conversation = Some(Conversation { agent_id: "7".into(), ..Default::default() });
/// # let create = CreateConversationRequest {
/// #     parent: "projects/p/locations/us-central1".into(), conversation, ..Default::default() };
/// # let created = client.create_conversation(create).await?;
/// use contact_center_insights::proto::insights::{Conversation, CreateConversationRequest, UpdateConversationRequest};
/// use contact_center_insights::proto::protobuf::field_mask;
///
/// let changed = Conversation { language_code: "de-DE".into(), agent_id: "8".into(), ..created };
/// let request = UpdateConversationRequest {
///     conversation: Some(changed),
///     update_mask: Some(field_mask(["language_code"])),
///     ..Default::default()
/// };
/// let updated = client.update_conversation(request).await?;
/// assert_eq!((updated.language_code.as_str(), updated.agent_id.as_str()), ("de-DE", "7"));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn field_mask<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> FieldMask {
    FieldMask { paths: paths.into_iter().map(Into::into).collect() }
}
