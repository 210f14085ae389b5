//! Names of resources, built from ids and parsed back. The types are generated from the
//! patterns that the descriptors state (`google.api.resource`, AIP-122).
//!
//! ```
//! use contact_center_insights::names::{ConversationName, IssueModelName};
//!
//! let model = IssueModelName::new("my-project", "us-central1", "123")?;
//! assert_eq!(model.to_string(), "projects/my-project/locations/us-central1/issueModels/123");
//!
//! let conversation: ConversationName = "projects/p/locations/eu/conversations/c".parse()?;
//! assert_eq!((conversation.location(), conversation.authorized_view()), ("eu", None));
//! # Ok::<(), contact_center_insights::names::NameError>(())
//! ```

mod error;
mod location;
mod pasted;

use std::fmt;

pub use error::NameError;
pub(crate) use location::location_in_routing;
use pasted::repaired;

/// The first of `patterns` that `name` follows. An id is any text that a path segment can hold: not empty, no
/// `/`, no white space, no control character.
fn matching(name: &str, patterns: &'static [&'static str]) -> Result<&'static str, NameError> {
    matching_pattern(name, patterns).ok_or_else(|| refusal(name, patterns))
}

fn refusal(given: &str, patterns: &'static [&'static str]) -> NameError {
    let follows_one = |name: &String| matching_pattern(name, patterns).is_some();
    NameError::new(given, patterns, repaired(given).filter(follows_one))
}

fn matching_pattern(name: &str, patterns: &'static [&'static str]) -> Option<&'static str> {
    let is_text = is_text(name);
    patterns.iter().copied().find(|pattern| is_text && follows(name, pattern))
}

/// Whether a name has neither white space nor control characters. Names are nearly always ASCII, which is quicker to look
/// through, all at once and not byte by byte: this is done for every call about one.
fn is_text(name: &str) -> bool {
    name.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic())
        || !name.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Refuses what can be the name of no operation of any service. They should be of these forms
/// (google/longrunning/operations.proto), but need not.
pub(crate) fn check_operation(name: &str) -> Result<(), NameError> {
    const USUAL: &[&str] = &["operations/{operation}", "{parent}/operations/{operation}"];
    if name.is_empty() || !is_text(name) {
        return Err(NameError::new(name, USUAL, repaired(name)));
    }
    Ok(())
}

/// Whether `name` has the segments of `pattern`, and something in the place of each variable. By bytes, side by side: this
/// is done for every call about a name.
fn follows(name: &str, pattern: &str) -> bool {
    let (mut name, mut pattern) = (name.as_bytes(), pattern.as_bytes());
    loop {
        (name, pattern) = match (name, pattern) {
            (rest, []) => return rest.is_empty(),
            (id, [b'{', variable @ ..]) => match (from(id, b'/'), from(variable, b'}')) {
                (rest, [_, after @ ..]) if rest.len() < id.len() => (rest, after),
                _ => return false,
            },
            ([given, name @ ..], [wanted, pattern @ ..]) if given == wanted => (name, pattern),
            _ => return false,
        }
    }
}

/// What begins with `byte`; nothing if it is not there.
fn from(text: &[u8], byte: u8) -> &[u8] {
    let before = text.iter().position(|other| *other == byte).unwrap_or(text.len());
    text.get(before..).unwrap_or_default()
}

/// Puts `ids` into the variables of `pattern`, in order.
fn fill(pattern: &str, ids: &[&str]) -> String {
    let mut ids = ids.iter();
    let segments = pattern.split('/').map(|segment| {
        if segment.starts_with('{') { ids.next().copied().unwrap_or_default() } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The id that stands in `name` where `variable` stands in `pattern`.
fn id<'a>(name: &'a str, pattern: &str, variable: &str) -> Option<&'a str> {
    let is_wanted =
        |segment: &str| segment.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) == Some(variable);
    pattern.split('/').zip(name.split('/')).find(|(segment, _)| is_wanted(segment)).map(|(_, id)| id)
}

/// A type for the names of one kind of resource: what is `always` in them, and what only `sometimes`.
macro_rules! resource_name {
    (
        $(#[$doc:meta])* $name:ident, $kind:literal,
        $($new:ident($($part:ident),+) = $pattern:literal,)+
        { always($($always:ident),*) sometimes($($sometimes:ident),*) }
    ) => {
        $(#[$doc])*
        ///
        $(#[doc = concat!("- `", $pattern, "`")])+
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name {
            name: String,
            pattern: &'static str,
        }

        impl $name {
            /// The resource type.
            pub const TYPE: &'static str = $kind;
            /// The forms that the name takes.
            pub const PATTERNS: &'static [&'static str] = &[$($pattern),+];

            $(
                #[doc = concat!("Builds `", $pattern, "`.")]
                ///
                /// # Errors
                /// [`NameError`] if an id is empty, or has a `/`, white space or control characters.
                pub fn $new($($part: impl AsRef<str>),+) -> Result<Self, NameError> {
                    // An id with a `/` may not make up another form.
                    fill($pattern, &[$($part.as_ref()),+]).parse::<Self>().and_then(|built| {
                        let is_whole = $(built.segment(stringify!($part)) == Some($part.as_ref()))&&+;
                        if is_whole { Ok(built) } else {
                            Err(refusal(&built.name, Self::PATTERNS))
                        }
                    })
                }
            )+

            $(
                #[doc = concat!("The `{", stringify!($always), "}` of the name.")]
                #[must_use]
                pub fn $always(&self) -> &str {
                    self.segment(stringify!($always)).unwrap_or_default()
                }
            )*

            $(
                #[doc = concat!("The `{", stringify!($sometimes), "}` of the name, if its form has one.")]
                #[must_use]
                pub fn $sometimes(&self) -> Option<&str> {
                    self.segment(stringify!($sometimes))
                }
            )*

            /// Checks that `text` is such a name, without keeping it.
            ///
            /// # Errors
            /// [`NameError`] shows the forms that are accepted.
            pub fn check(text: &str) -> Result<(), NameError> {
                matching(text, Self::PATTERNS).map(drop)
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.name
            }

            fn segment(&self, variable: &str) -> Option<&str> {
                id(&self.name, self.pattern, variable)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Ok(Self { pattern: matching(text, Self::PATTERNS)?, name: text.to_owned() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.name)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.name
            }
        }

        impl From<&$name> for String {
            fn from(name: &$name) -> Self {
                name.name.clone()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.name
            }
        }
    };
}

resource_name! {
    /// The name of a long-running operation, which has no resource type in the descriptors; the second form is
    /// that of operations within an authorized view, which the REST API has.
    OperationName, "longrunning.googleapis.com/Operation",
    new(project, location, operation) = "projects/{project}/locations/{location}/operations/{operation}",
    in_authorized_view(project, location, authorized_view_set, authorized_view, operation) = "projects/{project}/locations/{location}/authorizedViewSets/{authorized_view_set}/authorizedViews/{authorized_view}/operations/{operation}",
    { always(project, location, operation) sometimes(authorized_view_set, authorized_view) }
}

resource_name! {
    /// The name of a location: the parent of most resources.
    LocationName, "locations.googleapis.com/Location",
    new(project, location) = "projects/{project}/locations/{location}",
    { always(project, location) sometimes() }
}

include!(concat!(env!("OUT_DIR"), "/names.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_built_and_parsed_back() {
        let built = ConversationName::new("p", "l", "c").unwrap();
        assert_eq!(built.as_str().parse::<ConversationName>().unwrap(), built);
        assert_eq!((built.project(), built.location(), built.conversation()), ("p", "l", "c"));
        assert_eq!(built.authorized_view(), None);

        let view = ConversationName::in_authorized_view("p", "l", "s", "v", "c").unwrap();
        assert_eq!((view.authorized_view_set(), view.authorized_view()), (Some("s"), Some("v")));
        assert_eq!(view.conversation(), "c");
        assert!(view.to_string().ends_with("/authorizedViews/v/conversations/c"));
    }

    #[test]
    fn a_name_is_taken_where_text_is() {
        let built = ConversationName::new("p", "l", "c").unwrap();
        assert_eq!(String::from(&built), built.as_str());
        assert_eq!(String::from(built.clone()), built.as_str());
    }

    #[test]
    fn resources_without_an_id_of_their_own_have_names_too() {
        assert_eq!(SettingsName::new("p", "l").unwrap().to_string(), "projects/p/locations/l/settings");
        assert_eq!(SettingsName::TYPE, "contactcenterinsights.googleapis.com/Settings");
        assert_eq!(LocationName::new("p", "l").unwrap().as_ref(), "projects/p/locations/l");
    }

    #[test]
    fn an_error_shows_what_was_given_and_what_was_expected() {
        let error = "projects/p/conversations/c".parse::<ConversationName>().unwrap_err();
        let shown = error.to_string();
        assert!(
            shown.starts_with("`projects/p/conversations/c` is not a name of the form `projects/{project}/")
        );
        assert!(
            shown.contains("` or `projects/{project}/locations/{location}/authorizedViewSets/"),
            "{shown}"
        );
        assert_eq!(error.patterns().len(), 2);
    }

    #[test]
    fn an_error_shows_the_name_that_is_in_the_text_if_it_has_the_form() {
        let name = "projects/p/locations/l/operations/1";
        for pasted in
            [format!("https://h/v1/{name}"), format!("//h/{name}"), format!("{name}/"), format!("{name}\r")]
        {
            let error = OperationName::check(&pasted).unwrap_err();
            assert_eq!(error.repaired(), Some(name));
            assert!(error.to_string().ends_with(&format!("; did you mean `{name}`?")), "{error}");
            assert_eq!(ConversationName::check(&pasted).unwrap_err().repaired(), None);
        }
        assert_eq!(check_operation(&format!("{name}\r")).unwrap_err().repaired(), Some(name));
        let error = IssueModelName::new("p", "l", "m/").unwrap_err();
        assert_eq!(error.repaired(), Some("projects/p/locations/l/issueModels/m"));
    }

    #[test]
    fn an_id_cannot_smuggle_in_segments() {
        for bad in ["", "a/b", "a b", "a\n", "/", "s/authorizedViews/v/conversations/c"] {
            assert!(ConversationName::new("p", "l", bad).is_err(), "{bad:?}");
            assert!(IssueModelName::new(bad, "l", "m").is_err(), "{bad:?}");
        }
        // Together these would follow the second pattern.
        assert!(ConversationName::new("p", "l/authorizedViewSets/s/authorizedViews/v", "c").is_err());
    }

    #[test]
    fn operations_are_named_in_both_forms() {
        for good in [
            "projects/p/locations/us-central1/operations/123",
            "projects/example.com:p/locations/l/operations/OPERATION_ID",
            "projects/p/locations/l/authorizedViewSets/s/authorizedViews/v/operations/1",
        ] {
            assert_eq!(good.parse::<OperationName>().unwrap().as_str(), good);
        }
        assert!(OperationName::check("projects/p/locations/l/operations/1").is_ok());
        for bad in [
            "",
            "123",
            "/projects/p/locations/l/operations/1",
            "projects/p/locations/l/operations/",
            "projects/p/locations/l/operations",
            "projects//locations/l/operations/1",
            "projects/p/locations/l/operations/1/",
            "projects/p/locations/l/operations/a b",
            "projects/p/locations/l/issueModels/1",
            "projects/p/locations/l/operations/1\n",
        ] {
            assert!(bad.parse::<OperationName>().unwrap_err().to_string().contains(bad), "{bad:?}");
            assert!(OperationName::check(bad).is_err(), "{bad:?}");
        }
    }
}
