//! Conversations: create, upload, get, list, delete.

use std::time::SystemTime;

use contact_center_insights::proto::insights::conversation::{Expiration, Medium};
use contact_center_insights::proto::insights::{
    Conversation, ConversationView, CreateConversationRequest, DeleteConversationRequest,
    GetConversationRequest, ListConversationsRequest, ListConversationsResponse, UploadConversationMetadata,
    UploadConversationRequest,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Status, any};
use prost_types::{Any, Duration, Timestamp};

use super::Context;
use crate::engine::{Job, Moment};
use crate::fault;
use crate::names::LOCATION;
use crate::paging::{Key, Page};
use crate::store::{Resource, Store};

const MAX_PAGE: usize = 100_000;

pub(super) fn create(
    context: &mut Context<'_>,
    request: CreateConversationRequest,
) -> Result<Conversation, Status> {
    let name = new_name(&mut context.state.store, &request.parent, &request.conversation_id)?;
    context.state.engine.check_idle(&name)?;
    let conversation = prepare(request.conversation.unwrap_or_default(), name, context.now)?;
    context.state.store.conversations.insert(conversation.clone())?;
    Ok(conversation)
}

pub(super) fn upload(
    context: &mut Context<'_>,
    request: UploadConversationRequest,
) -> Result<Operation, Status> {
    let name = new_name(&mut context.state.store, &request.parent, &request.conversation_id)?;
    let conversation = prepare(request.conversation.clone().unwrap_or_default(), name.clone(), context.now)?;
    context.start("UploadConversation", name, Upload { conversation, request: without_input_only(request) })
}

pub(super) fn get(
    context: &mut Context<'_>,
    request: GetConversationRequest,
) -> Result<Conversation, Status> {
    let GetConversationRequest { name, view } = request;
    Conversation::PATTERN.check("name", &name)?;
    let view = read_view(view, ConversationView::Full)?;
    context.state.store.conversations.get(&name).map(|found| show(found, view))
}

pub(super) fn list(
    context: &mut Context<'_>,
    request: ListConversationsRequest,
) -> Result<ListConversationsResponse, Status> {
    let ListConversationsRequest { parent, page_size, page_token, filter, order_by, view } = request;
    LOCATION.check("parent", &parent)?;
    let view = read_view(view, ConversationView::Basic)?;
    if !filter.is_empty() {
        return Err(fault::unsupported("filter", "conversations cannot be filtered yet"));
    }
    if !order_by.is_empty() {
        return Err(fault::unsupported(
            "order_by",
            "conversations come newest first, and in no other order yet",
        ));
    }
    let page = Page::read(page_size, &page_token, MAX_PAGE, &["ListConversations", &parent])?;
    let all = context.state.store.conversations.children(&parent);
    let (page, next_page_token) =
        page.cut(all.map(|(serial, found)| (Key::newest_first(found.created(), serial), found)));
    let conversations = page.into_iter().map(|found| show(found, view)).collect();
    Ok(ListConversationsResponse { conversations, next_page_token })
}

pub(super) fn delete(context: &mut Context<'_>, request: DeleteConversationRequest) -> Result<(), Status> {
    let name = request.name;
    Conversation::PATTERN.check("name", &name)?;
    let store = &mut context.state.store;
    store.conversations.get(&name)?;
    let analyses: Vec<String> = store.analyses.children(&name).map(|(_, found)| found.name.clone()).collect();
    if !analyses.is_empty() && !request.force {
        let message = format!("conversation `{name}` has analyses; `force` deletes them with it");
        return Err(fault::precondition("CONVERSATION_HAS_ANALYSES", message, &name));
    }
    for analysis in analyses {
        store.analyses.remove(&analysis)?;
    }
    store.conversations.remove(&name).map(drop)
}

/// The given id if it is of the documented form, or a new one.
fn new_name(store: &mut Store, parent: &str, id: &str) -> Result<String, Status> {
    LOCATION.check("parent", parent)?;
    if id.is_empty() {
        return Ok(format!("{parent}/conversations/{}", store.new_id()));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (4..=64).contains(&id.len()) && id.chars().all(allowed) {
        return Ok(format!("{parent}/conversations/{id}"));
    }
    Err(fault::invalid("conversation_id", &format!("`{id}` does not match `^[a-z0-9-]{{4,64}}$`")))
}

/// The conversation as it is stored: named, dated, with the documented defaults, without what is input only.
fn prepare(mut conversation: Conversation, name: String, now: SystemTime) -> Result<Conversation, Status> {
    if let Some(Expiration::Ttl(ttl)) = conversation.expiration {
        let why = "must be a positive duration that ends before the year 10000";
        let expires = expire_time(now, ttl).ok_or_else(|| fault::invalid("conversation.ttl", why))?;
        conversation.expiration = Some(Expiration::ExpireTime(expires));
    }
    conversation.metadata_json.clear();
    if conversation.medium == Medium::Unspecified as i32 {
        conversation.medium = Medium::PhoneCall as i32;
    }
    if conversation.language_code.is_empty() {
        "en-US".clone_into(&mut conversation.language_code);
    }
    conversation.name = name;
    conversation.create_time = Some(now.into());
    conversation.update_time = Some(now.into());
    Ok(conversation)
}

fn expire_time(now: SystemTime, ttl: Duration) -> Option<Timestamp> {
    const YEAR_10000: i64 = 253_402_300_800;
    let ttl = std::time::Duration::try_from(ttl).ok().filter(|ttl| !ttl.is_zero())?;
    let expires = Timestamp::from(now.checked_add(ttl)?);
    (expires.seconds < YEAR_10000).then_some(expires)
}

/// A request to be shown in metadata: what is input only is never put out, not even as an echo.
fn without_input_only(mut request: UploadConversationRequest) -> UploadConversationRequest {
    if let Some(conversation) = &mut request.conversation {
        conversation.metadata_json.clear();
        conversation.expiration.take_if(|expiration| matches!(expiration, Expiration::Ttl(_)));
    }
    request
}

fn read_view(view: i32, default: ConversationView) -> Result<ConversationView, Status> {
    match ConversationView::try_from(view) {
        Ok(ConversationView::Unspecified) => Ok(default),
        Ok(view) => Ok(view),
        Err(_) => Err(fault::invalid("view", &format!("{view} is no `ConversationView`"))),
    }
}

/// Which fields `BASIC` leaves out is documented for the transcript alone.
fn show(conversation: &Conversation, view: ConversationView) -> Conversation {
    let mut shown = conversation.clone();
    if view == ConversationView::Basic {
        shown.transcript = None;
    }
    shown
}

/// The conversation appears when the operation completes: it has no state that would say that it is on its way.
/// Nothing is read from Cloud Storage, so there is no transcript, and nothing to redact.
#[derive(Debug)]
struct Upload {
    conversation: Conversation,
    request: UploadConversationRequest,
}

impl Job<Store> for Upload {
    fn begin(&mut self, store: &mut Store, _now: SystemTime) -> Result<(), Status> {
        store.conversations.check_free(&self.conversation.name)
    }

    fn metadata(&self, moment: &Moment) -> Any {
        any::pack(&UploadConversationMetadata {
            create_time: Some(moment.create_time.into()),
            end_time: moment.end_time.map(Into::into),
            request: Some(self.request.clone()),
            ..UploadConversationMetadata::default()
        })
    }

    fn complete(&mut self, store: &mut Store, now: SystemTime) -> Result<Any, Status> {
        self.conversation.create_time = Some(now.into());
        self.conversation.update_time = Some(now.into());
        store.conversations.insert(self.conversation.clone())?;
        Ok(any::pack(&self.conversation))
    }

    fn undo(&mut self, _store: &mut Store, _now: SystemTime) {}
}
