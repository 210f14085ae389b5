//! Conversations and their feedback labels: upload, and what conversations have of their own.

use std::time::SystemTime;

use bytes::Bytes;
use contact_center_insights::proto::insights::conversation::{Expiration, Medium};
use contact_center_insights::proto::insights::conversation_data_source::Source as DataSource;
use contact_center_insights::proto::insights::{
    Conversation, RedactionConfig, Settings, UploadConversationMetadata, UploadConversationRequest,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Status, any};
use prost::Message;
use prost_types::{Any, Duration, Timestamp};

use super::analysis_rules;
use super::context::Context;
use super::shared::buckets;
use super::standard::{ListOrder, ResourceRules, changed};
use crate::content::conversation::fill;
use crate::content::transcript;
use crate::engine::{Claim, Job, Moment};
use crate::errors;
use crate::names::{self, LOCATION};
use crate::store::{self, Store};
use crate::time;
use crate::world::{self, World};

/// Pages of conversations and of labels may be long; both are documented.
const MAX_PAGE: usize = 100_000;
/// All that is documented to be left out of a basic view.
const TRANSCRIPT: u32 = 8;

pub(super) const RULES: ResourceRules = ResourceRules {
    order: ListOrder::Newest,
    max_page: MAX_PAGE,
    create: |context, bytes| {
        let now = context.now;
        changed(bytes, |conversation| {
            prepare(context.store(), conversation, now)?;
            load(&context.state.world.settings, conversation)
        })
    },
    update: |context, _, after| changed(after, |conversation| check(conversation, context.now)),
    blocking: &["Analysis"],
    hidden_in_basic: &[TRANSCRIPT],
    ..ResourceRules::PLAIN
};

pub(super) const LABELS: ResourceRules = ResourceRules { max_page: MAX_PAGE, ..ResourceRules::PLAIN };

pub(super) fn upload(
    context: &mut Context<'_>,
    request: UploadConversationRequest,
) -> Result<Operation, Status> {
    LOCATION.check("parent", &request.parent)?;
    let id = if request.conversation_id.is_empty() {
        context.store().new_id().to_string()
    } else {
        names::check_id("conversation_id", &request.conversation_id)?;
        request.conversation_id.clone()
    };
    let name = format!("{}/conversations/{id}", request.parent);
    let mut conversation = request.conversation.clone().unwrap_or_default();
    conversation.name.clone_from(&name);
    let now = context.now;
    prepare(context.store(), &mut conversation, now)?;
    conversation.metadata_json.clear();
    let request = Some(without_input_only(request));
    let job = Upload { conversation: Some(conversation), request, ..Upload::default() };
    context.start("UploadConversation", &name, vec![Claim::on(&name)], job)
}

/// The conversation as it is stored: with the documented defaults, and those of the location's settings.
pub(super) fn prepare(store: &Store, conversation: &mut Conversation, now: SystemTime) -> Result<(), Status> {
    let settings = format!("{}/settings", names::location(&conversation.name));
    let settings: Settings = store.look(&settings)?.unwrap_or_default();
    if conversation.expiration.is_none() {
        conversation.expiration = settings.conversation_ttl.map(Expiration::Ttl);
    }
    if conversation.medium == Medium::Unspecified as i32 {
        conversation.medium = Medium::PhoneCall as i32;
    }
    if conversation.language_code.is_empty() {
        let language = if settings.language_code.is_empty() { "en-US" } else { &settings.language_code };
        language.clone_into(&mut conversation.language_code);
    }
    let language = conversation.language_code.clone();
    let segments = conversation.transcript.iter_mut().flat_map(|found| &mut found.transcript_segments);
    segments.filter(|segment| segment.language_code.is_empty()).for_each(|segment| {
        segment.language_code.clone_from(&language);
    });
    check(conversation, now)
}

/// Reads the transcript that the data source names, if there are buckets to read from, and what follows from it.
fn load(settings: &world::Settings, conversation: &mut Conversation) -> Result<(), Status> {
    const FIELD: &str = "conversation.data_source.gcs_source.transcript_uri";
    let source = conversation.data_source.as_ref().and_then(|found| found.source.as_ref());
    let Some(DataSource::GcsSource(source)) = source else { return Ok(()) };
    let buckets = buckets(settings)?;
    if source.transcript_uri.is_empty() || !buckets.is_open() {
        return Ok(());
    }
    let uri = source.transcript_uri.clone();
    let read = transcript::read(&buckets.read(FIELD, &uri)?)
        .map_err(|why| errors::invalid(FIELD, &format!("`{uri}`: {why}")))?;
    read.ignored.tell(&uri);
    fill(conversation, read.transcript);
    Ok(())
}

/// A time to live becomes a time to expire at; labels have their documented limits.
fn check(conversation: &mut Conversation, now: SystemTime) -> Result<(), Status> {
    const MAX_LABELS: usize = 100;
    const MAX_LABEL: usize = 256;
    hide(conversation);
    if let Some(Expiration::Ttl(ttl)) = conversation.expiration {
        let why = "must be a positive duration that ends before the year 10000";
        let expires = expire_time(now, ttl).ok_or_else(|| errors::invalid("conversation.ttl", why))?;
        conversation.expiration = Some(Expiration::ExpireTime(expires));
    }
    if conversation.labels.len() > MAX_LABELS {
        let why = format!("{} labels are more than {MAX_LABELS}", conversation.labels.len());
        return Err(errors::invalid("conversation.labels", &why));
    }
    let too_long = |text: &String| text.chars().count() > MAX_LABEL;
    if conversation.labels.iter().any(|(key, value)| too_long(key) || too_long(value)) {
        let why = format!("a key or a value is longer than {MAX_LABEL} characters");
        return Err(errors::invalid("conversation.labels", &why));
    }
    Ok(())
}

/// What the service takes and never shows: the user's obfuscated id, and an agent's `team`, which it shows as `teams`.
#[allow(deprecated, reason = "`team` is what callers may still send")]
fn hide(conversation: &mut Conversation) {
    conversation.obfuscated_user_id.clear();
    for agent in conversation.quality_metadata.iter_mut().flat_map(|quality| &mut quality.agent_info) {
        let team = std::mem::take(&mut agent.team);
        if !team.is_empty() {
            agent.teams = vec![team];
        }
    }
}

fn expire_time(now: SystemTime, ttl: Duration) -> Option<Timestamp> {
    let ttl = time::span(&ttl).filter(|ttl| !ttl.is_zero())?;
    time::later(now, ttl).map(Timestamp::from)
}

/// A request to be shown in metadata: what is input only is never put out, not even as an echo.
fn without_input_only(mut request: UploadConversationRequest) -> UploadConversationRequest {
    if let Some(conversation) = &mut request.conversation {
        conversation.metadata_json.clear();
        conversation.expiration.take_if(|expiration| matches!(expiration, Expiration::Ttl(_)));
    }
    request
}

/// The conversation appears when the operation completes: it has no state that would say that it is on its way.
/// Its transcript is read then; that of which nothing can be read has the error in its operation. Nothing is redacted.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Upload {
    #[prost(message, optional, tag = "1")]
    conversation: Option<Conversation>,
    #[prost(message, optional, tag = "2")]
    request: Option<UploadConversationRequest>,
    /// The operation that analyses what was uploaded, once there is one.
    #[prost(string, tag = "3")]
    analysis_operation: String,
    /// That of the request, or else of the settings.
    #[prost(message, optional, tag = "4")]
    redaction_config: Option<RedactionConfig>,
}

impl Job<World> for Upload {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        let name = self.conversation.as_ref().map_or("", |conversation| conversation.name.as_str());
        world.store.check_free(store::of::<Conversation>()?, name)?;
        let settings = world.store.look::<Settings>(&format!("{}/settings", names::location(name)))?;
        let asked = self.request.as_ref().and_then(|request| request.redaction_config.clone());
        self.redaction_config = asked.or(settings.and_then(|settings| settings.redaction_config));
        Ok(())
    }

    fn metadata(&self, moment: &Moment) -> Any {
        any::pack(&UploadConversationMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
            analysis_operation: self.analysis_operation.clone(),
            applied_redaction_config: self.redaction_config.clone(),
        })
    }

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        let mut conversation = self.conversation.take().unwrap_or_default();
        load(&world.settings, &mut conversation)?;
        conversation.create_time = Some(now.into());
        conversation.update_time = Some(now.into());
        let response = any::pack(&conversation);
        let stored = Bytes::copy_from_slice(&response.value);
        world.store.insert_raw(store::of::<Conversation>()?, stored)?;
        self.analysis_operation =
            analysis_rules::follow_upload(world, &conversation, now)?.unwrap_or_default();
        Ok(response)
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}
