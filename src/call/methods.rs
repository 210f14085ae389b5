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
    const fn new(service: &'static str, name: &'static str, path: &'static str, is_idempotent: bool) -> Self {
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

    /// Whether its HTTP verb is GET, so that it can be sent again without harm.
    #[must_use]
    pub const fn is_idempotent(&self) -> bool {
        self.is_idempotent
    }
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
