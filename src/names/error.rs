//! A text that is not a name: what it is, what was expected, and the name that is in it.

use std::fmt;

/// A text that is not the name of a resource of this kind.
///
/// If it has the name in it, as a URL of the REST API has, the error shows it ([`NameError::repaired`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    given: String,
    patterns: &'static [&'static str],
    repaired: Option<String>,
}

impl NameError {
    pub(super) fn new(given: &str, patterns: &'static [&'static str], repaired: Option<String>) -> Self {
        Self { given: given.to_owned(), patterns, repaired }
    }

    /// The forms that would have been accepted.
    #[must_use]
    pub fn patterns(&self) -> &'static [&'static str] {
        self.patterns
    }

    /// The name that is in the text, without what people copy with it: `https://HOST/v1/`, `//HOST/`, a `/` before or
    /// after, white space, a query. `None` if no name of an accepted form is in it.
    ///
    /// A caller may take it instead, and should say so. The host that stands before it says nothing about where calls go.
    ///
    /// ```
    /// use contact_center_insights::names::OperationName;
    ///
    /// let pasted = "https://contactcenterinsights.googleapis.com/v1/projects/p/locations/eu/operations/1";
    /// let error = pasted.parse::<OperationName>().unwrap_err();
    /// assert_eq!(error.repaired(), Some("projects/p/locations/eu/operations/1"));
    /// assert!(error.to_string().ends_with("; did you mean `projects/p/locations/eu/operations/1`?"));
    /// ```
    #[must_use]
    pub fn repaired(&self) -> Option<&str> {
        self.repaired.as_deref()
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a name of the form `{}`", self.given, self.patterns.join("` or `"))?;
        match &self.repaired {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for NameError {}
