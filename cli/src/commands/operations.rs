//! `cci operations get|list|cancel`: one question each.

use contact_center_insights::proto::longrunning::ListOperationsRequest;

use super::ending::after_cancel;
use super::rest;
use crate::args::{Connection, List, Name};
use crate::escape::line_within;
use crate::failure::Failure;
use crate::name::parent_in;
use crate::output::Format;
use crate::session::Session;
use crate::terminal::{eprint_line, print};

/// How much is shown of the list of what could not be reached, in characters.
const MOST_OF_UNREACHABLE: usize = 1000;

pub(super) async fn get(
    name: Name,
    is_rest: bool,
    connection: Connection,
    output: Format,
) -> Result<(), Failure> {
    let name = name.full()?;
    if is_rest {
        let session = Session::open_rest(connection, &name)?;
        return print(&output.document(&rest::operation(&session, &name).await?)?);
    }
    let session = Session::open(connection, &name)?;
    let operation = session.client().get_operation(&name).await.map_err(session.failure(&name))?;
    print(&output.one(operation.raw())?)
}

/// Collects all pages before it prints: a list is whole, or it is an error.
pub(super) async fn list(args: List, output: Format) -> Result<(), Failure> {
    let List { parent, filter, page_size, limit, scope, connection } = args;
    let parent = parent_in(parent, &scope.scope())?;
    let session = Session::open(connection, &parent)?;
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

pub(super) async fn cancel(name: Name, connection: Connection, output: Format) -> Result<(), Failure> {
    let name = name.full()?;
    let name = name.as_str();
    let session = Session::open(connection, name)?;
    session.client().cancel_operation(name).await.map_err(session.failure(name))?;
    // The answer is empty: what it came to, only the operation tells.
    let operation = session.client().get_operation(name).await.map_err(session.failure(name))?;
    eprint_line(after_cancel(&operation).unwrap_or_else(|| {
        format!("cancellation is asked for; to see how it ends: {}", session.command("wait", name))
    }));
    print(&output.one(operation.raw())?)
}
