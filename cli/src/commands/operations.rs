//! `cci operations get|list|cancel`: one question each.

use contact_center_insights::names::OperationName;
use contact_center_insights::proto::longrunning::ListOperationsRequest;

use super::ending::after_cancel;
use crate::args::{Connection, List};
use crate::escape::line_within;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints::{self, PARENT};
use crate::output::Format;
use crate::session::Session;
use crate::terminal::{eprint_line, print};

/// How much is shown of the list of what could not be reached, in characters.
const MOST_OF_UNREACHABLE: usize = 1000;

pub(super) async fn get(name: &str, connection: Connection, output: Format) -> Result<(), Failure> {
    let session = Session::open(connection)?;
    let operation = session.client().get_operation(name).await.map_err(session.failure(name))?;
    print(&output.one(operation.raw())?)
}

/// Collects all pages before it prints: a list is whole, or it is an error.
pub(super) async fn list(args: List, output: Format) -> Result<(), Failure> {
    let List { parent, filter, page_size, limit, connection } = args;
    check_parent(&parent)?;
    let session = Session::open(connection)?;
    let limit = limit.unwrap_or(usize::MAX);
    // A limit below the server's page size is one small page.
    let page_size = page_size.or(i32::try_from(limit).ok()).unwrap_or_default();
    let request = ListOperationsRequest { name: parent.clone(), filter, page_size, ..Default::default() };
    let mut pages = session.client().list_operations(request).into_pages();
    let mut operations = Vec::new();
    while operations.len() < limit
        && let Some(page) = pages.next_page().await.map_err(session.failure(&parent))?
    {
        if !page.unreachable.is_empty() {
            let places = line_within(&page.unreachable.join(", "), MOST_OF_UNREACHABLE);
            eprint_line(format_args!("note: the list lacks what is in {places}"));
        }
        operations.extend(page.operations);
    }
    operations.truncate(limit);
    print(&output.many(&operations)?)
}

pub(super) async fn cancel(name: &str, connection: Connection, output: Format) -> Result<(), Failure> {
    let session = Session::open(connection)?;
    session.client().cancel_operation(name).await.map_err(session.failure(name))?;
    // The answer is empty: what it came to, only the operation tells.
    let operation = session.client().get_operation(name).await.map_err(session.failure(name))?;
    eprint_line(after_cancel(&operation).unwrap_or_else(|| {
        format!("cancellation is asked for; to see how it ends: {}", session.command("wait", name))
    }));
    print(&output.one(operation.raw())?)
}

/// A parent is what stands before `/operations/` in a name: a location, or an authorized view in one.
fn check_parent(parent: &str) -> Result<(), Failure> {
    if format!("{parent}/operations/-").parse::<OperationName>().is_ok() {
        return Ok(());
    }
    let help = match hints::parent(parent) {
        known if known != PARENT => format!("give the location alone: {known}"),
        _ => "give a location, such as projects/my-project/locations/us-central1".to_owned(),
    };
    Err(Failure::new(Exit::Usage, format!("`{parent}` is not of the form `{PARENT}`")).with_help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_checked_before_anything_is_sent() {
        for good in [
            "projects/p/locations/l",
            "projects/example.com:p/locations/us-central1",
            "projects/p/locations/l/authorizedViewSets/s/authorizedViews/v",
        ] {
            check_parent(good).unwrap();
        }
        for bad in ["", "p", "projects/p", "projects/p/locations/", "projects/p/x/l"] {
            let failure = check_parent(bad).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(failure.to_string().contains("us-central1"), "{failure}");
        }
        for longer in ["projects/p/locations/l/", "projects/p/locations/l/operations/1"] {
            let failure = check_parent(longer).unwrap_err().to_string();
            assert!(failure.ends_with("help: give the location alone: projects/p/locations/l"), "{failure}");
        }
    }
}
