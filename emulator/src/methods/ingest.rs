//! Ingestion: every transcript below a place in Cloud Storage becomes a conversation.

use std::collections::BTreeSet;
use std::time::SystemTime;

use contact_center_insights::proto::insights::conversation::{CallMetadata, Medium, Metadata};
use contact_center_insights::proto::insights::conversation_data_source::Source as DataSource;
use contact_center_insights::proto::insights::ingest_conversations_metadata::IngestConversationsStats;
use contact_center_insights::proto::insights::ingest_conversations_request::gcs_source::BucketObjectType;
use contact_center_insights::proto::insights::ingest_conversations_request::{
    ConversationConfig, GcsSource as Place, ObjectConfig, Source,
};
use contact_center_insights::proto::insights::{
    Conversation, ConversationDataSource, GcsSource, IngestConversationsMetadata, IngestConversationsRequest,
    IngestConversationsResponse,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::proto::rpc;
use contact_center_insights::{Status, any};
use prost::Message;
use prost_types::Any;

use super::context::Context;
use super::shared::{buckets, note};
use super::{analysis_rules, conversations};
use crate::content::averages::count;
use crate::content::bucket::Buckets;
use crate::content::select::sample;
use crate::content::transcript::Ignored;
use crate::content::{conversation, sidecar_metadata, transcript};
use crate::engine::{Claim, FollowUps as _, Job, Moment};
use crate::errors;
use crate::message::wire;
use crate::names::{self, LOCATION};
use crate::store::{self, Resources};
use crate::world::World;

pub(super) fn ingest(
    context: &mut Context<'_>,
    request: IngestConversationsRequest,
) -> Result<Operation, Status> {
    let parent = request.parent.clone();
    LOCATION.check("parent", &parent)?;
    if request.sample_size.is_some_and(|size| size <= 0) {
        return Err(errors::invalid("sample_size", "must be positive"));
    }
    place(&request)?;
    let claims = vec![Claim::only_one("ingesting conversations", &parent)];
    context.start(
        "IngestConversations",
        &parent,
        claims,
        Ingest { request: Some(request), ..Ingest::default() },
    )
}

fn place(request: &IngestConversationsRequest) -> Result<&Place, Status> {
    match &request.source {
        Some(Source::GcsSource(place)) => Ok(place),
        None => Err(errors::invalid("gcs_source", "is required: it says where the transcripts are")),
    }
}

/// The objects are listed, and each is looked at, when the operation starts: from then on it is known which of them
/// are duplicates and which cannot be read, so that the counts that a poll shows are true. The conversations appear
/// when the operation completes; those that an analysis rule is for are then analysed, each by an operation of its own.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Ingest {
    #[prost(message, optional, tag = "1")]
    request: Option<IngestConversationsRequest>,
    #[prost(message, repeated, tag = "2")]
    objects: Vec<Object>,
}

#[derive(Clone, PartialEq, Message)]
struct Object {
    #[prost(string, tag = "1")]
    uri: String,
    #[prost(bool, tag = "2")]
    duplicate: bool,
    #[prost(message, optional, tag = "3")]
    error: Option<rpc::Status>,
}

impl Job<World> for Ingest {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        let request = self.request.clone().unwrap_or_default();
        let buckets = buckets(&world.settings)?;
        let uris = buckets.list("gcs_source.bucket_uri", &place(&request)?.bucket_uri)?;
        let wanted = request.sample_size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
        let known = ingested(&world.store, &request.parent)?;
        let objects = sample(&uris, world.settings.seed, wanted).into_iter().map(|uri| {
            let duplicate = known.contains(uri.as_str());
            let looked_at = if duplicate { Ok(()) } else { look(&buckets, &request, uri) };
            let error = looked_at.err().map(|status| world.inside(status).into());
            Object { uri: uri.clone(), duplicate, error }
        });
        self.objects = objects.collect();
        Ok(())
    }

    fn metadata(&self, moment: &Moment) -> Any {
        let done = self.objects.get(..moment.share(self.objects.len())).unwrap_or_default();
        let duplicates = done.iter().filter(|object| object.duplicate).count();
        let failed = done.iter().filter(|object| object.error.is_some()).count();
        let mut partial_errors = Vec::new();
        for error in done.iter().filter_map(|object| object.error.clone()) {
            note(&mut partial_errors, Status::from(error));
        }
        any::pack(&IngestConversationsMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
            partial_errors,
            ingest_conversations_stats: Some(IngestConversationsStats {
                processed_object_count: count(done.len()),
                duplicates_skipped_count: count(duplicates),
                successful_ingest_count: count(done.len() - duplicates - failed),
                failed_ingest_count: count(failed),
            }),
        })
    }

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        let request = self.request.clone().unwrap_or_default();
        let buckets = buckets(&world.settings)?;
        for object in self.objects.iter_mut().filter(|object| !object.duplicate && object.error.is_none()) {
            let name = format!("{}/conversations/{}", request.parent, world.store.new_id());
            let stored = read(&buckets, &request, &object.uri).and_then(|(mut made, _)| {
                made.name = name;
                conversations::prepare(&world.store, &mut made, now)?;
                made.create_time = Some(now.into());
                made.update_time = Some(now.into());
                world.store.insert(&made)?;
                analysis_rules::follow_ingestion(world, &made, now)
            });
            object.error = stored.err().map(|status| world.inside(status).into());
        }
        Ok(any::pack(&IngestConversationsResponse {}))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}

/// The objects that conversations of a location were made from.
fn ingested(resources: &Resources, location: &str) -> Result<BTreeSet<String>, Status> {
    const DATA_SOURCE: u32 = 2;
    const GCS_SOURCE: u32 = 1;
    const AUDIO_URI: u32 = 1;
    const TRANSCRIPT_URI: u32 = 2;
    let into = |bytes, number| wire::last(bytes, number).map(wire::Wire::bytes);
    let sources = resources
        .below(store::of::<Conversation>()?, location)
        .filter_map(|item| into(&item.bytes, DATA_SOURCE).and_then(|source| into(source, GCS_SOURCE)));
    let uris = sources.flat_map(|source| [wire::text(source, TRANSCRIPT_URI), wire::text(source, AUDIO_URI)]);
    Ok(uris.filter(|uri| !uri.is_empty()).map(str::to_owned).collect())
}

/// Whether an object can be read; what is left out of it is told here, once.
fn look(buckets: &Buckets, request: &IngestConversationsRequest, uri: &str) -> Result<(), Status> {
    read(buckets, request, uri).map(|(_, ignored)| ignored.tell(uri))
}

/// The conversation that an object makes, without a name. Nothing listens to audio: it makes one without transcript.
fn read(
    buckets: &Buckets,
    request: &IngestConversationsRequest,
    uri: &str,
) -> Result<(Conversation, Ignored), Status> {
    let place = place(request)?;
    let bad = |why: String| errors::invalid("gcs_source", &format!("`{uri}`: {why}"));
    let config = request.conversation_config.clone().unwrap_or_default();
    let mut made = Conversation { agent_id: config.agent_id.clone(), ..Conversation::default() };
    made.medium = match &request.object_config {
        Some(ObjectConfig::TranscriptObjectConfig(config)) => config.medium,
        None => Medium::Unspecified.into(),
    };
    if made.medium() == Medium::Unspecified {
        made.medium = Medium::PhoneCall.into();
    }
    made.metadata = channels(&config);
    if let Some(folder) = &place.metadata_bucket_uri {
        let sidecar = sidecar_uri(folder, &place.bucket_uri, uri);
        match buckets.read("gcs_source.metadata_bucket_uri", &sidecar) {
            Ok(bytes) => {
                sidecar_metadata::apply(&mut made, &bytes, &place.custom_metadata_keys).map_err(bad)?;
            }
            Err(status) if status.code() == contact_center_insights::Code::NotFound => {}
            Err(status) => return Err(status),
        }
    }
    let (mut source, mut ignored) = (GcsSource::default(), Ignored::default());
    if place.bucket_object_type() == BucketObjectType::Audio {
        uri.clone_into(&mut source.audio_uri);
    } else {
        uri.clone_into(&mut source.transcript_uri);
        let bytes = buckets.read("gcs_source.bucket_uri", uri)?;
        let read = transcript::read(&bytes).map_err(bad)?;
        ignored = read.ignored;
        conversation::fill(&mut made, read.transcript);
    }
    made.data_source = Some(ConversationDataSource { source: Some(DataSource::GcsSource(source)) });
    Ok((made, ignored))
}

fn channels(config: &ConversationConfig) -> Option<Metadata> {
    let (customer_channel, agent_channel) = (config.customer_channel, config.agent_channel);
    let given = customer_channel != 0 || agent_channel != 0;
    given.then_some(Metadata::CallMetadata(CallMetadata { customer_channel, agent_channel }))
}

/// Of the same name below its own folder, as a JSON file.
fn sidecar_uri(folder: &str, below: &str, uri: &str) -> String {
    let relative = uri.strip_prefix(below).unwrap_or_else(|| names::id(uri)).trim_start_matches('/');
    // Only of the last segment, since a folder may have a dot in its name.
    let stem = match relative.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') => stem,
        _ => relative,
    };
    format!("{}/{stem}.json", folder.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companions_have_the_name_of_what_they_are_about() {
        for (folder, below, uri, sidecar) in [
            ("gs://m/x", "gs://b/calls", "gs://b/calls/1.mp3", "gs://m/x/1.json"),
            ("gs://m/", "gs://b", "gs://b/calls/1.json", "gs://m/calls/1.json"),
            ("gs://m", "gs://b/calls/", "gs://b/calls/a.b/1", "gs://m/a.b/1.json"),
        ] {
            assert_eq!(sidecar_uri(folder, below, uri), sidecar);
        }
    }
}
