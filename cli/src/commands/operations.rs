//! `cci operations get|list|watch|cancel`: one question each.

use contact_center_insights::proto::longrunning::ListOperationsRequest;

use super::ending::after_cancel;
use super::rest;
use super::watch::{self, Watched};
use crate::args::{Connection, List, Name, Watch};
use crate::escape::line_within;
use crate::failure::Failure;
use crate::name::parent_in;
use crate::output::{Format, ListPrinter};
use crate::session::Session;
use crate::terminal::{eprint_line, print, print_while_read};

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

/// Prints each page as it comes.
pub(super) async fn list(args: List, output: Format) -> Result<(), Failure> {
    let List { parent, filter, page_size, limit, sort_by, watch, interval, scope, connection } = args;
    let parent = parent_in(parent, &scope.scope())?;
    let session = Session::open(connection, &parent)?;
    if watch {
        return watch::run(&session, Watched { parent, filter, interval }, output).await;
    }
    let mut list = ListPrinter::new(output).wanted(sort_by.as_deref(), limit);
    // A limit below the server's page size is one small page.
    let page_size = page_size.or(list.page_size()).unwrap_or_default();
    let request = ListOperationsRequest { name: parent.clone(), filter, page_size, ..Default::default() };
    let mut pages = session.client().list_operations(request).into_pages();
    while !list.is_full()
        && let Some(page) = pages.next_page().await.map_err(session.failure(&parent))?
    {
        if !page.unreachable.is_empty() {
            let places = line_within(&page.unreachable.join(", "), MOST_OF_UNREACHABLE);
            eprint_line(format_args!("note: the list lacks what is in {places}"));
        }
        if !print_while_read(&list.operations(page.operations)?)? {
            return Ok(());
        }
    }
    print(&list.end()?)
}

pub(super) async fn watch(args: Watch, output: Format) -> Result<(), Failure> {
    let Watch { parent, filter, interval, scope, connection } = args;
    let parent = parent_in(parent, &scope.scope())?;
    let session = Session::open(connection, &parent)?;
    watch::run(&session, Watched { parent, filter, interval }, output).await
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
