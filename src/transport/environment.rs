//! The process's environment, as a function, so that tests can bring their own.

use std::env;
use std::fmt;

/// Looks variables up.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Environment<'static> {
    /// The environment of this process.
    pub(crate) fn process() -> Self {
        // What is not UTF-8 is kept as far as it can be read, so that it is reported, not passed over.
        Environment(&|name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }
}

#[cfg(feature = "server")]
impl Environment<'static> {
    /// No variables at all: nothing of the machine reaches a test with a fake.
    pub(crate) fn empty() -> Self {
        Environment(&|_| None)
    }
}

#[cfg(test)]
impl<'a> Environment<'a> {
    pub(crate) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(lookup)
    }
}

impl Environment<'_> {
    /// The value of a variable, without the spaces around it; none if nothing is left.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?;
        let trimmed = value.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    /// The first of these variables that has a value, and the value.
    pub(crate) fn first(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let lookup = |name: &str| match name {
            "EMPTY" => Some("  ".to_owned()),
            "SET" => Some(" value ".to_owned()),
            _ => None,
        };
        let environment = Environment::new(&lookup);
        assert_eq!(environment.get("EMPTY"), None);
        assert_eq!(environment.first(&["NONE", "EMPTY", "SET"]), Some(("SET", "value".to_owned())));
        assert_eq!(Environment::process().get("NO_SUCH_VARIABLE_HERE"), None);
    }
}
