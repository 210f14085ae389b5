//! Messages as serde sees them: a wrapper to print or read one, and functions for fields of the caller's structs.

use prost::{Message, Name};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A message in its JSON form, for whatever takes serde's types: `Json(&message)` can be serialized, and `Json<T>`
/// deserialized. A field of a struct needs no wrapper:
/// `#[serde(with = "contact_center_insights::json")]`.
///
/// ```
/// use contact_center_insights::json::Json;
/// use contact_center_insights::proto::insights::IssueModel;
/// use serde::{Deserialize, Serialize};
///
/// let model = IssueModel { display_name: "billing".into(), issue_count: 3, ..Default::default() };
/// let text = serde_json::to_string(&Json(&model))?;
/// assert_eq!(text, r#"{"displayName":"billing","issueCount":"3"}"#);
/// let Json(read) = serde_json::from_str::<Json<IssueModel>>(&text)?;
/// assert_eq!(read, model);
///
/// #[derive(Serialize, Deserialize)]
/// struct Report {
///     #[serde(with = "contact_center_insights::json")]
///     model: IssueModel,
/// }
/// let report = serde_json::to_string(&Report { model })?;
/// assert_eq!(report, format!(r#"{{"model":{text}}}"#));
/// assert_eq!(serde_json::from_str::<Report>(&report)?.model, read);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Those of [`from_message`](super::from_message) and [`to_message`](super::to_message), as errors of the serializer or
/// the deserializer: an unknown field, for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Message + Name> Serialize for Json<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, serializer)
    }
}

impl<'de, T: Message + Name + Default> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}

/// Serializes a message in its JSON form; what `#[serde(with = "contact_center_insights::json")]` calls.
///
/// # Errors
/// Those of [`from_message`](super::from_message), and those of the serializer.
pub fn serialize<T: Message + Name, S: Serializer>(message: &T, serializer: S) -> Result<S::Ok, S::Error> {
    super::from_message(message).map_err(S::Error::custom)?.serialize(serializer)
}

/// Deserializes a message from its JSON form; what `#[serde(with = "contact_center_insights::json")]` calls.
///
/// # Errors
/// Those of [`to_message`](super::to_message), and those of the deserializer.
pub fn deserialize<'de, T: Message + Name + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    super::to_message(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
}
