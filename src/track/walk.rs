//! One walk through the pages of a list of operations.

use tonic::Code;

use super::plan::Trouble;
use super::window::Window;
use crate::call::Caller;
use crate::error::Error;
use crate::lro::list;
use crate::proto::longrunning::{ListOperationsRequest, ListOperationsResponse, Operation};

/// A list longer than this is walked no further: no server has so many, unless it invents them.
const MAX_PAGES: u32 = 10_000;
/// How often a walk begins anew because its page token was refused, as of one that has expired.
const MAX_RESTARTS: u32 = 2;

/// What is walked, and by which calls.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) caller: Caller,
    pub(super) parent: String,
    pub(super) window: Window,
    pub(super) page_size: u32,
}

impl Walk {
    /// Asks for page after page, and shows each to `on_page`. How many there were, and what kept the walk from its end.
    ///
    /// Cancel safe: what was shown stays shown.
    pub(super) async fn run(&self, mut on_page: impl FnMut(Vec<Operation>)) -> (u32, Option<Trouble>) {
        let (mut pages, mut restarts, mut token) = (0_u32, 0_u32, String::new());
        loop {
            let page = match self.page(token.clone()).await {
                Ok(page) => page,
                Err(error) if !token.is_empty() && is_bad_argument(&error) && restarts < MAX_RESTARTS => {
                    restarts = restarts.saturating_add(1);
                    token.clear();
                    continue;
                }
                Err(error) => return (pages, Some(trouble(&error, &self.parent, token.is_empty()))),
            };
            pages = pages.saturating_add(1);
            on_page(page.operations);
            if page.next_page_token.is_empty() {
                return (pages, None);
            }
            if page.next_page_token == token || pages >= MAX_PAGES {
                tracing::warn!(parent = self.parent, pages, "a list of operations has no end");
                return (pages, Some(Trouble::Denied));
            }
            token = page.next_page_token;
        }
    }

    async fn page(&self, page_token: String) -> Result<ListOperationsResponse, Error> {
        let request = ListOperationsRequest {
            name: self.parent.clone(),
            filter: self.window.filter(),
            page_size: i32::try_from(self.page_size).unwrap_or(i32::MAX),
            page_token,
            ..Default::default()
        };
        list(&self.caller, &request).into_sweep().await
    }
}

fn is_bad_argument(error: &Error) -> bool {
    matches!(error.code(), Some(Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange))
}

fn trouble(error: &Error, parent: &str, is_first: bool) -> Trouble {
    let trouble = match error.code() {
        _ if is_first && is_bad_argument(error) => Trouble::Refused,
        Some(Code::PermissionDenied | Code::Unimplemented | Code::NotFound) => Trouble::Denied,
        _ => Trouble::Failed,
    };
    tracing::debug!(parent, %error, ?trouble, "a walk through operations ended early");
    trouble
}
