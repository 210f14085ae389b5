//! The encryption spec: a location's key, set once and before anything else.

use std::time::SystemTime;

use contact_center_insights::proto::insights::{
    EncryptionSpec, InitializeEncryptionSpecMetadata, InitializeEncryptionSpecRequest,
    InitializeEncryptionSpecResponse,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Status, any};
use prost::Message;
use prost_types::Any;

use super::context::Context;
use crate::contract::Contract;
use crate::engine::{Claim, Job, Moment};
use crate::names::{self, Pattern};
use crate::world::World;
use crate::{errors, store};

const KEY: Pattern =
    Pattern("projects/{project}/locations/{location}/keyRings/{key_ring}/cryptoKeys/{crypto_key}");

pub(super) fn initialize(
    context: &mut Context<'_>,
    request: InitializeEncryptionSpecRequest,
) -> Result<Operation, Status> {
    let spec = request.encryption_spec.clone().unwrap_or_default();
    names::check(store::of::<EncryptionSpec>()?, "encryption_spec.name", &spec.name)?;
    KEY.check("encryption_spec.kms_key", &spec.kms_key)?;
    let (here, there) = (names::location_id(&spec.name), names::location_id(&spec.kms_key));
    if here == "global" {
        let why = "the location `global` cannot be encrypted with a customer-managed key";
        return Err(errors::invalid("encryption_spec.name", why));
    }
    if here != there {
        let why = format!("the key is in `{there}`, and must be in `{here}`, where it is used");
        return Err(errors::invalid("encryption_spec.kms_key", &why));
    }
    let claims = vec![Claim::on(&spec.name)];
    context.start("InitializeEncryptionSpec", &spec.name, claims, Initialize { request: Some(request) })
}

/// The spec appears when the operation completes.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Initialize {
    #[prost(message, optional, tag = "1")]
    request: Option<InitializeEncryptionSpecRequest>,
}

impl Initialize {
    fn spec(&self) -> EncryptionSpec {
        self.request.as_ref().and_then(|request| request.encryption_spec.clone()).unwrap_or_default()
    }

    /// What is there already cannot be encrypted any more.
    fn check(&self, world: &World) -> Result<(), Status> {
        let name = self.spec().name;
        let location = names::location(&name);
        let others =
            Contract::get().resources().iter().filter(|resource| resource.message.name() != "Settings");
        let found = others.filter(|resource| world.store.count(resource, location) > 0);
        let Some(kind) = found.map(|resource| resource.plural.as_str()).next() else { return Ok(()) };
        let message = format!("`{location}` has {kind} already: its key can be set only while it is empty");
        Err(errors::precondition("LOCATION_NOT_EMPTY", message, &name))
    }
}

impl Job<World> for Initialize {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        self.check(world)
    }

    fn metadata(&self, moment: &Moment) -> Any {
        any::pack(&InitializeEncryptionSpecMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
            partial_errors: Vec::new(),
        })
    }

    fn complete(&mut self, world: &mut World, _now: SystemTime) -> Result<Any, Status> {
        self.check(world)?;
        world.store.insert(&self.spec())?;
        Ok(any::pack(&InitializeEncryptionSpecResponse {}))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}
