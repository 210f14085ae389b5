//! Every RPC of the contract, as the descriptors state it.

/// One RPC.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    service: &'static str,
    name: &'static str,
    path: &'static str,
    is_idempotent: bool,
}

impl Method {
    /// An RPC of any service, by its `path`: `/package.Service/Method`, as the generated stub has it. Whether it
    /// `is_idempotent`, so that it may be retried after any transient fault, is for the service to say: a read is.
    ///
    /// ```
    /// use contact_center_insights::call::Method;
    ///
    /// const GET_RECORDING: Method = Method::new("/acme.transcoding.v1.Transcoding/GetRecording", true);
    /// assert_eq!(GET_RECORDING.service(), "acme.transcoding.v1.Transcoding");
    /// assert_eq!(GET_RECORDING.name(), "GetRecording");
    /// ```
    ///
    /// # Panics
    /// If `path` is not of that form; where the method is a constant, as it should be, it does not compile.
    #[must_use]
    pub const fn new(path: &'static str, is_idempotent: bool) -> Self {
        let (service, name) = parts(path);
        assert!(!service.is_empty() && !name.is_empty(), "the path of a method is `/package.Service/Method`");
        Self { service, name, path, is_idempotent }
    }

    /// Full name of the service.
    #[must_use]
    pub const fn service(&self) -> &'static str {
        self.service
    }

    /// Name of the RPC within its service.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// `/service/Method`, as it travels.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// `service/Method`, as errors and spans show it.
    #[must_use]
    pub fn full_name(&self) -> &'static str {
        self.path.trim_start_matches('/')
    }

    /// Whether its HTTP verb is GET, so that it can be retried without harm.
    #[must_use]
    pub const fn is_idempotent(&self) -> bool {
        self.is_idempotent
    }
}

/// Service and method of a path; empty where they are missing, or where it has what a URI cannot.
const fn parts(path: &'static str) -> (&'static str, &'static str) {
    let mut rest = path.as_bytes();
    let (mut length, mut slashes, mut slash) = (0, 0, 0);
    while let Some((byte, after)) = rest.split_first() {
        match *byte {
            b'/' => {
                slashes += 1;
                slash = length;
            }
            b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {}
            _ => return ("", ""),
        }
        length += 1;
        rest = after;
    }
    if slashes != 2 || !matches!(path.as_bytes().first(), Some(b'/')) {
        return ("", "");
    }
    let (service, name) = path.split_at(slash);
    (service.split_at(1).1, name.split_at(1).1)
}

include!(concat!(env!("OUT_DIR"), "/methods.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_covers_both_services() {
        let of = |service: &str| ALL.iter().filter(|method| method.service().ends_with(service)).count();
        assert_eq!((of("ContactCenterInsights"), of("Operations")), (74, 5));
    }

    #[test]
    fn what_is_no_path_of_a_method_is_refused() {
        let method = Method::new("/a.b_2.C/D", false);
        assert_eq!((method.service(), method.name(), method.full_name()), ("a.b_2.C", "D", "a.b_2.C/D"));
        for bad in [
            "", "/", "//", "///", "C/D", "/C", "/C/", "//D", "a/C/D", "/a/C/D", "/a.C/D e", "/a.C/D?x",
            "/ä/D",
        ] {
            assert_eq!(parts(bad).0.len() * parts(bad).1.len(), 0, "{bad}");
        }
    }

    #[test]
    fn reads_are_idempotent_and_mutations_are_not() {
        let reads = ALL.iter().filter(|method| method.is_idempotent());
        for method in reads {
            let verb = ["Get", "List", "Calculate"].into_iter().find(|verb| method.name().starts_with(verb));
            assert!(verb.is_some(), "{}", method.name());
        }
        assert!(GET_OPERATION.is_idempotent() && !CREATE_ISSUE_MODEL.is_idempotent());
        assert!(!CANCEL_OPERATION.is_idempotent() && !DELETE_CONVERSATION.is_idempotent());
    }
}
