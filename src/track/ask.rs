//! Asks about one operation alone: the only source of ends.

use tonic::Code;

use super::key;
use super::window::Created;
use crate::call::Caller;
use crate::error::Error;
use crate::lro::get;
use crate::proto::longrunning::Operation;

/// What `GetOperation` told.
#[derive(Debug)]
pub(super) enum Told {
    /// It runs.
    Running {
        created: Created,
        metadata: String,
    },
    Done(Box<Operation>),
    /// The service does not know it.
    Lost(Error),
    /// The call failed, with its retries.
    Failed(Error),
}

/// Makes the call, in its turn among polls. Also the parent in the name of the answer, if it has another.
pub(super) async fn ask(caller: &Caller, name: String) -> (Told, Option<String>) {
    match get::<Operation>(caller, name.clone()).into_poll().await {
        Ok(operation) => {
            caller.learn_operation(&name, &operation.name);
            let parent = |name| key::split(name).map(|(parent, _)| parent.to_owned());
            let spelling = parent(&operation.name).filter(|_| operation.name != name);
            if operation.done {
                return (Told::Done(Box::new(operation)), spelling);
            }
            let created = Created::of(&operation);
            let metadata = operation.metadata.map(|metadata| metadata.type_url).unwrap_or_default();
            (Told::Running { created, metadata }, spelling)
        }
        Err(error) if error.code() == Some(Code::NotFound) => (Told::Lost(error), None),
        Err(error) => (Told::Failed(error), None),
    }
}
