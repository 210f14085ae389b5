//! What the emulator serves: one file a resource, one registry over them.
//!
//! The standard methods of every resource are served by `standard`, from the descriptors. To add what a resource has
//! of its own, write its [`standard::ResourceRules`] in its file: what happens on create, update and delete. To add a
//! method that is not standard:
//! 1. Find the file of its resource, or make one; it holds nothing but that resource.
//! 2. A read is `fn(&View, Request) -> Result<Response, Status>`: it has a snapshot, and holds no lock.
//! 3. All else is `fn(&mut Context, Request) -> Result<Response, Status>`: it has the state and `now`.
//! 4. The request has been validated: what is required is there, what is output only has been taken out.
//! 5. Check names with `names::check`, so that a wrong one is told the right form.
//! 6. A long-running method makes a job, a message that implements `Job<World>`, and calls `Context::start`, with a
//!    `Claim` on what no second operation may touch. What prevents the start is checked in `begin`.
//! 7. Enter the method into `registry`, once: a long-running one with its job, by which a restart finds it again.
//! 8. What it does with content belongs to the module `content`: pure functions, tested without a server.
//! 9. Errors come from `errors`; what is a guess goes into the table of guesses in the README.
//! 10. Test the rule by its name in `tests/rules`, and write the deliberate break into `RULES.md`.

mod analyses;
mod analysis_rules;
mod annotate;
mod bulk;
mod context;
mod conversations;
mod encryption;
mod exports;
mod feedback_labels;
mod ingest;
mod issue_models;
mod label_rows;
mod operations;
mod phrase_matchers;
mod registry;
mod scorecards;
mod settings;
mod shared;
mod standard;
mod statistics;
mod training;
mod tuning;

pub(crate) use self::context::{Context, Handler, RestOnly, View};
#[cfg(test)]
pub(crate) use self::registry::served;
pub(crate) use self::registry::{handler, job};
