//! Where in a document something stands: kept on the stack while it is read, and written out for an error alone.

use std::fmt;

/// One step from the root of a document.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
    Key(&'a Path<'a>, &'a str),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Key(parent, key) => write!(f, "{parent}[{key:?}]"),
        }
    }
}

/// Puts a step before a path that is written out already.
pub(super) fn prepend(step: &str, path: &str) -> String {
    if path.is_empty() || path.starts_with('[') {
        format!("{step}{path}")
    } else if step.is_empty() {
        path.to_owned()
    } else {
        format!("{step}.{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_code_does() {
        let transcript = Path::Field(&Path::Root, "transcript");
        let segments = Path::Field(&transcript, "transcriptSegments");
        let third = Path::Index(&segments, 3);
        let time = Path::Field(&third, "messageTime");
        assert_eq!(time.to_string(), "transcript.transcriptSegments[3].messageTime");
        let labels = Path::Field(&Path::Root, "labels");
        assert_eq!(Path::Key(&labels, "a\n").to_string(), r#"labels["a\n"]"#);
        assert_eq!(Path::Root.to_string(), "");
    }

    #[test]
    fn steps_are_put_before() {
        assert_eq!(prepend("a", "b"), "a.b");
        assert_eq!(prepend("a", "[0].b"), "a[0].b");
        assert_eq!(prepend("[0]", ""), "[0]");
        assert_eq!(prepend("", "b"), "b");
    }
}
