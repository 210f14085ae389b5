//! Feedback labels from files, to files, and of a whole location.

use std::time::SystemTime;

use contact_center_insights::proto::insights::bulk_download_feedback_labels_metadata::DownloadStats;
use contact_center_insights::proto::insights::bulk_download_feedback_labels_request::gcs_destination::Format as WriteFormat;
use contact_center_insights::proto::insights::bulk_download_feedback_labels_request::{
    Destination, FeedbackLabelType, GcsDestination,
};
use contact_center_insights::proto::insights::bulk_upload_feedback_labels_metadata::UploadStats;
use contact_center_insights::proto::insights::bulk_upload_feedback_labels_request::gcs_source::Format as ReadFormat;
use contact_center_insights::proto::insights::bulk_upload_feedback_labels_request::{GcsSource, Source};
use contact_center_insights::proto::insights::{
    BulkDownloadFeedbackLabelsMetadata, BulkDownloadFeedbackLabelsRequest,
    BulkDownloadFeedbackLabelsResponse, BulkUploadFeedbackLabelsMetadata, BulkUploadFeedbackLabelsRequest,
    BulkUploadFeedbackLabelsResponse, Conversation, FeedbackLabel, QaQuestion,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::proto::rpc;
use contact_center_insights::{Status, any};
use prost::Message;
use prost_types::Any;

use super::context::Context;
use super::label_rows::checked;
use super::shared::{buckets, matching, note};
use crate::content::averages::count;
use crate::content::label_files::{Format, Style, parse, print};
use crate::engine::{FollowUps as _, Job, Moment};
use crate::errors;
use crate::filter::Filter;
use crate::message::wire;
use crate::names::{self, LOCATION};
use crate::profile::Profile;
use crate::store::{self, Resources};
use crate::work::Work;
use crate::world::World;

/// Labels to a file, unless the request says (protos, `BulkDownloadFeedbackLabelsRequest`).
const CSV_PER_FILE: usize = 1000;
const JSON_PER_FILE: usize = 1;

pub(super) fn upload(
    context: &mut Context<'_>,
    request: BulkUploadFeedbackLabelsRequest,
) -> Result<Operation, Status> {
    let parent = request.parent.clone();
    LOCATION.check("parent", &parent)?;
    let validate_only = request.validate_only;
    let job = Upload { request: Some(request), ..Upload::default() };
    let mut start = context.state.world.plan("BulkUploadFeedbackLabels", &parent, Vec::new(), job);
    if validate_only {
        // There is nothing to wait for (AIP-163).
        start.profile = Profile::immediate();
    }
    context.state.engine.start(&mut context.state.world, start, context.now)
}

/// The file is read and each label checked when the operation starts; they are stored when it completes. One whose
/// name is taken replaces the label that has it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Upload {
    #[prost(message, optional, tag = "1")]
    request: Option<BulkUploadFeedbackLabelsRequest>,
    #[prost(message, repeated, tag = "2")]
    rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Message)]
struct Row {
    #[prost(message, optional, tag = "1")]
    label: Option<FeedbackLabel>,
    #[prost(message, optional, tag = "2")]
    error: Option<rpc::Status>,
}

impl Upload {
    fn source(&self) -> Result<(Format, GcsSource), Status> {
        let Some(Source::GcsSource(source)) =
            self.request.as_ref().and_then(|request| request.source.clone())
        else {
            return Err(errors::invalid("gcs_source", "is required: it says where the labels are"));
        };
        match source.format() {
            ReadFormat::Csv => Ok((Format::Csv, source)),
            ReadFormat::Json => Ok((Format::Json, source)),
            ReadFormat::Unspecified => Err(errors::invalid(
                "gcs_source.format",
                &format!("{} is neither CSV nor JSON", source.format),
            )),
        }
    }
}

impl Job<World> for Upload {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        const FIELD: &str = "gcs_source.object_uri";
        let (format, source) = self.source()?;
        let parent = self.request.clone().unwrap_or_default().parent;
        let bytes = buckets(&world.settings)?.read(FIELD, &source.object_uri)?;
        let bad = |why: String| errors::invalid(FIELD, &format!("`{}`: {why}", source.object_uri));
        let rows = parse(format, &bytes).map_err(bad)?.into_iter().map(|row| {
            match row.map_err(bad).and_then(|label| checked(&world.store, &parent, label)) {
                Ok(label) => Row { label: Some(label), error: None },
                Err(status) => Row { label: None, error: Some(world.inside(status).into()) },
            }
        });
        self.rows = rows.collect();
        Ok(())
    }

    fn metadata(&self, moment: &Moment) -> Any {
        let done = self.rows.get(..moment.share(self.rows.len())).unwrap_or_default();
        let failed = done.iter().filter(|row| row.error.is_some()).count();
        let validate_only = self.request.as_ref().is_some_and(|request| request.validate_only);
        let mut partial_errors = Vec::new();
        for error in done.iter().filter_map(|row| row.error.clone()) {
            note(&mut partial_errors, Status::from(error));
        }
        any::pack(&BulkUploadFeedbackLabelsMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
            partial_errors,
            upload_stats: Some(UploadStats {
                processed_object_count: count(done.len()),
                failed_validation_count: count(failed),
                successful_upload_count: if validate_only { 0 } else { count(done.len() - failed) },
            }),
        })
    }

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        let request = self.request.clone().unwrap_or_default();
        for row in self.rows.iter_mut().filter(|_| !request.validate_only) {
            let Some(mut label) = row.label.clone() else { continue };
            if !label.name.contains("/feedbackLabels/") {
                label.name = format!("{}/feedbackLabels/{}", label.name, world.store.new_id());
            }
            // Its conversation may be gone by now.
            let conversation = names::above(&label.name).to_owned();
            let stored = world.store.raw(store::of::<Conversation>()?, &conversation).map(drop);
            let before = world.store.get::<FeedbackLabel>(&label.name).ok();
            label.create_time = before.and_then(|before| before.create_time).or_else(|| Some(now.into()));
            label.update_time = Some(now.into());
            row.error = stored.and_then(|()| world.store.put(&label)).err().map(Into::into);
        }
        Ok(any::pack(&BulkUploadFeedbackLabelsResponse {}))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}

pub(super) fn download(
    context: &mut Context<'_>,
    request: BulkDownloadFeedbackLabelsRequest,
) -> Result<Operation, Status> {
    let parent = request.parent.clone();
    LOCATION.check("parent", &parent)?;
    if request.max_download_count < 0 {
        return Err(errors::invalid("max_download_count", "must not be negative"));
    }
    let job = Download { request: Some(request), ..Download::default() };
    context.start("BulkDownloadFeedbackLabels", &parent, Vec::new(), job)
}

/// The labels are chosen and the files written when the operation completes; how many there are is known from its
/// start.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Download {
    #[prost(message, optional, tag = "1")]
    request: Option<BulkDownloadFeedbackLabelsRequest>,
    #[prost(uint64, tag = "2")]
    labels: u64,
    #[prost(string, repeated, tag = "3")]
    files: Vec<String>,
}

impl Download {
    fn destination(&self) -> Result<(Format, GcsDestination), Status> {
        let destination = self.request.as_ref().and_then(|request| request.destination.clone());
        let Some(Destination::GcsDestination(destination)) = destination else {
            return Err(errors::invalid("gcs_destination", "is required: it says where the labels go"));
        };
        if destination.records_per_file_count < 0 {
            return Err(errors::invalid("gcs_destination.records_per_file_count", "must not be negative"));
        }
        match destination.format() {
            WriteFormat::Csv => Ok((Format::Csv, destination)),
            WriteFormat::Json => Ok((Format::Json, destination)),
            WriteFormat::Unspecified => {
                let why = format!("{} is neither CSV nor JSON", destination.format);
                Err(errors::invalid("gcs_destination.format", &why))
            }
        }
    }

    /// The labels that are asked for, in order of name; or, for scorecards as templates, a label to be filled in for
    /// each of their questions and each conversation.
    fn labels(&self, resources: &Resources) -> Result<Vec<FeedbackLabel>, Status> {
        let request = self.request.clone().unwrap_or_default();
        let conversations =
            matching(resources, &request.parent, "conversation_filter", &request.conversation_filter)?;
        let most = usize::try_from(request.max_download_count).unwrap_or_default();
        let most = if most == 0 { usize::MAX } else { most };
        if !request.template_qa_scorecard_id.is_empty() {
            return templates(resources, &request, &conversations, most);
        }
        let kind = store::of::<FeedbackLabel>()?;
        let filter = Filter::compile(&request.filter, &kind.message)?;
        let wanted = match request.feedback_label_type() {
            FeedbackLabelType::Unspecified => String::new(),
            other => format!("feedback_label_type=\"{}\"", other.as_str_name()),
        };
        let wanted = Filter::compile(&wanted, &kind.message)?;
        let (work, mut labels) = (Work::most(), Vec::new());
        for conversation in &conversations {
            for item in resources.below(kind, conversation) {
                if !filter.selects(&item.bytes, &work)? || !wanted.selects(&item.bytes, &work)? {
                    continue;
                }
                if labels.len() == most {
                    return Ok(labels);
                }
                labels.push(resources.get(wire::text(&item.bytes, 1))?);
            }
        }
        Ok(labels)
    }
}

fn templates(
    resources: &Resources,
    request: &BulkDownloadFeedbackLabelsRequest,
    conversations: &[String],
    most: usize,
) -> Result<Vec<FeedbackLabel>, Status> {
    let mut questions = Vec::new();
    for id in &request.template_qa_scorecard_id {
        let scorecard = format!("{}/qaScorecards/{id}", request.parent);
        resources.get::<contact_center_insights::proto::insights::QaScorecard>(&scorecard)?;
        let found = resources.all::<QaQuestion>(&scorecard)?;
        questions.extend(found.into_iter().map(|(_, question)| question.name));
    }
    let pairs =
        conversations.iter().flat_map(|conversation| questions.iter().map(move |q| (conversation, q)));
    let labels = pairs.take(most).map(|(conversation, question)| FeedbackLabel {
        name: conversation.clone(),
        labeled_resource: question.clone(),
        ..FeedbackLabel::default()
    });
    Ok(labels.collect())
}

impl Job<World> for Download {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        let (_, destination) = self.destination()?;
        buckets(&world.settings)?.check_object("gcs_destination.object_uri", &destination.object_uri)?;
        self.labels = self.labels(&world.store)?.len() as u64;
        Ok(())
    }

    fn metadata(&self, moment: &Moment) -> Any {
        let done = moment.share(usize::try_from(self.labels).unwrap_or(usize::MAX));
        any::pack(&BulkDownloadFeedbackLabelsMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
            partial_errors: Vec::new(),
            download_stats: Some(DownloadStats {
                processed_object_count: count(done),
                successful_download_count: count(done),
                total_files_written: count(self.files.len()),
                file_names: self.files.clone(),
            }),
        })
    }

    fn complete(&mut self, world: &mut World, _now: SystemTime) -> Result<Any, Status> {
        const FIELD: &str = "gcs_destination.object_uri";
        let (format, destination) = self.destination()?;
        let labels = self.labels(&world.store)?;
        self.labels = labels.len() as u64;
        let asked = usize::try_from(destination.records_per_file_count).unwrap_or(usize::MAX);
        let (ending, default) =
            if format == Format::Csv { ("csv", CSV_PER_FILE) } else { ("json", JSON_PER_FILE) };
        let per_file = if asked == 0 { default } else { asked };
        let style =
            Style { spacious: destination.add_whitespace, whole: destination.always_print_empty_fields };
        let descriptor = &store::of::<FeedbackLabel>()?.message;
        let files = print(format, &labels, descriptor, style, per_file).map_err(errors::internal)?;
        let buckets = buckets(&world.settings)?;
        let stem =
            destination.object_uri.strip_suffix(&format!(".{ending}")).unwrap_or(&destination.object_uri);
        for (index, file) in files.iter().enumerate() {
            let number = if files.len() == 1 { String::new() } else { format!("-{:05}", index + 1) };
            let uri = format!("{stem}{number}.{ending}");
            buckets.write(FIELD, &uri, file)?;
            self.files.push(uri);
        }
        Ok(any::pack(&BulkDownloadFeedbackLabelsResponse {}))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}
