//! The methods of the API for commands: what each takes and gives, and what its command is called, all read from the
//! descriptors. Only commands that call a method by its name read them: it takes a few milliseconds.

mod naming;
mod raw;
mod request;
mod rpc;

use std::sync::OnceLock;

use contact_center_insights::call::methods;
use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use prost_reflect::DescriptorPool;

pub(crate) use self::naming::{GROUPS, Place, kebab};
pub(crate) use self::raw::Raw;
pub(crate) use self::request::Draft;
pub(crate) use self::rpc::Rpc;

/// The methods of the API.
#[derive(Debug)]
pub(crate) struct Api {
    rpcs: Vec<Rpc>,
}

impl Api {
    /// Those of the descriptors that the library was built from, which are read once.
    pub(crate) fn get() -> &'static Self {
        static API: OnceLock<Api> = OnceLock::new();
        API.get_or_init(Self::read)
    }

    fn read() -> Self {
        // They are readable, or the library would not have been built.
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
        let descriptors = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let rpcs = descriptors.filter_map(|descriptor| {
            let path = format!("/{}/{}", descriptor.parent_service().full_name(), descriptor.name());
            let method = methods::ALL.iter().find(|method| method.path() == path)?;
            Some(Rpc::new(&pool, method, descriptor))
        });
        Self { rpcs: rpcs.collect() }
    }

    /// Every method.
    pub(crate) fn rpcs(&self) -> &[Rpc] {
        &self.rpcs
    }

    /// The method of this name, in whatever case.
    pub(crate) fn rpc(&self, name: &str) -> Option<&Rpc> {
        self.rpcs.iter().find(|rpc| rpc.name().eq_ignore_ascii_case(name))
    }
}
