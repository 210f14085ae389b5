//! Issue models from conversations, and from files: training, export, import.

use std::time::SystemTime;

use contact_center_insights::proto::insights::export_issue_model_request::Destination;
use contact_center_insights::proto::insights::import_issue_model_request::Source;
use contact_center_insights::proto::insights::issue_model::{ModelType, State};
use contact_center_insights::proto::insights::{
    Conversation, CreateIssueModelMetadata, CreateIssueModelRequest, ExportIssueModelMetadata,
    ExportIssueModelRequest, ExportIssueModelResponse, ImportIssueModelMetadata, ImportIssueModelRequest,
    ImportIssueModelResponse, Issue, IssueModel,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Code, Status, any};
use prost::Message;
use prost_types::Any;

use super::context::Context;
use super::issue_models::check_models;
use super::shared::{buckets, matching};
use crate::content::averages::long;
use crate::content::model_file;
use crate::content::stats::ModelStats;
use crate::content::topics::{Classifier, MAX_TRAINED, Topic, customer_text, train};
use crate::engine::{Claim, Job, Moment, ONLY_ONE};
use crate::errors;
use crate::names::{self, LOCATION};
use crate::store;
use crate::world::World;

pub(super) fn create(
    context: &mut Context<'_>,
    request: CreateIssueModelRequest,
) -> Result<Operation, Status> {
    LOCATION.check("parent", &request.parent)?;
    check_type(context, request.issue_model.as_ref())?;
    let name = format!("{}/issueModels/{}", request.parent, context.store().new_id());
    let model = IssueModel { name: name.clone(), ..request.issue_model.clone().unwrap_or_default() };
    let claims = vec![Claim::on(&name), Claim::only_one(ONLY_ONE[0], &request.parent)];
    let job = Train { model: Some(model), request: Some(request), conversations: 0 };
    context.start("CreateIssueModel", &name, claims, job)
}

/// The first generation of models, which is what a model without a type is taken for, is no longer made.
fn check_type(context: &Context<'_>, model: Option<&IssueModel>) -> Result<(), Status> {
    let kind = model.map_or(ModelType::Unspecified, IssueModel::model_type);
    if kind == ModelType::TypeV2 || context.state.world.settings.allows_deprecated {
        return Ok(());
    }
    let text = "V1 models are deprecated, to create a new V1 model, contact Google Cloud support.";
    Err(errors::with_reason(Code::InvalidArgument, "MODEL_TYPE_DEPRECATED", text, &[]))
}

/// The model is there from the start on, as AIP-151 asks. None of its states is one of training: until training has
/// ended, it has none. It learns from the conversations that its filter asks for when training ends.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Train {
    #[prost(message, optional, tag = "1")]
    model: Option<IssueModel>,
    #[prost(message, optional, tag = "2")]
    request: Option<CreateIssueModelRequest>,
    #[prost(uint64, tag = "3")]
    conversations: u64,
}

impl Train {
    fn name(&self) -> &str {
        self.model.as_ref().map_or("", |model| model.name.as_str())
    }

    /// The service wants a number of conversations for a model of the second generation.
    fn check_enough(&self, world: &World, conversations: usize) -> Result<(), Status> {
        let least = world.settings.min_training;
        if conversations >= least
            || self.model.as_ref().map(IssueModel::model_type) != Some(ModelType::TypeV2)
        {
            return Ok(());
        }
        let project = world.store.numbers().of(names::project(self.name())).into_owned();
        let text = format!(
            "Project: `{project}` has too few conversations with the given filters. Current number: {conversations}. \
             Minimum requirement is: {least}."
        );
        let (count, least) = (conversations.to_string(), least.to_string());
        let parts = [("project", project.as_str()), ("current", &count), ("minimum", &least)];
        Err(errors::with_reason(Code::InvalidArgument, "TOO_FEW_CONVERSATIONS", text, &parts))
    }

    fn conversations(&self, world: &World) -> Result<Vec<String>, Status> {
        let config = self.model.as_ref().and_then(|model| model.input_data_config.as_ref());
        let filter = config.map(|config| config.filter.as_str()).unwrap_or_default();
        matching(&world.store, names::location(self.name()), "issue_model.input_data_config.filter", filter)
    }
}

impl Job<World> for Train {
    fn begin(&mut self, world: &mut World, now: SystemTime) -> Result<(), Status> {
        check_models(world, names::location(self.name()))?;
        let conversations = self.conversations(world)?.len();
        self.check_enough(world, conversations)?;
        self.conversations = conversations as u64;
        let model = self.model.get_or_insert_default();
        model.create_time = Some(now.into());
        model.update_time = Some(now.into());
        world.store.insert(model)
    }

    /// The count of conversations in the echoed request grows from zero to all that the model is trained on.
    fn metadata(&self, moment: &Moment) -> Any {
        let mut request = self.request.clone().unwrap_or_default();
        let config = request.issue_model.get_or_insert_default().input_data_config.get_or_insert_default();
        let done = moment.share(usize::try_from(self.conversations).unwrap_or(usize::MAX));
        config.training_conversations_count = long(done);
        any::pack(&CreateIssueModelMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: Some(request),
        })
    }

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        let names = self.conversations(world)?;
        // Their texts are held at once, but only of as many as training looks at; the rest is read one by one.
        let step = names.len().div_ceil(MAX_TRAINED).max(1);
        let read = |name: &String| world.store.get::<Conversation>(name);
        let sample = names.iter().step_by(step).map(read).collect::<Result<Vec<_>, _>>()?;
        let mut topics = train(&sample.iter().map(customer_text).collect::<Vec<_>>());
        drop(sample);
        let silent = topics.is_empty();
        if silent {
            topics = made_up(names.len());
        }
        let mut issues = Vec::new();
        for topic in topics {
            issues.push(Issue {
                name: format!("{}/issues/{}", self.name(), world.store.new_id()),
                display_name: topic.display_name,
                display_description: topic.display_description,
                sample_utterances: topic.sample_utterances,
                create_time: Some(now.into()),
                update_time: Some(now.into()),
            });
        }
        let mut stats = ModelStats::new(self.name(), &issues);
        if silent {
            // Dealt out like cards, since nothing tells them apart.
            let dealt = names.iter().zip(issues.iter().cycle());
            dealt.for_each(|(_, issue)| stats.count(std::iter::once(issue.name.as_str())));
        } else {
            let classifier = Classifier::new(&issues);
            for name in &names {
                let assigned = classifier.assign(&customer_text(&world.store.get::<Conversation>(name)?));
                stats.count(assigned.iter().map(|assigned| assigned.issue.as_str()));
            }
        }
        let training_stats = Some(stats.finish());
        issues.iter().try_for_each(|issue| world.store.insert(issue))?;
        self.conversations = names.len() as u64;
        let model = world.store.update(self.name(), |model: &mut IssueModel| {
            let config = model.input_data_config.get_or_insert_default();
            config.training_conversations_count = long(names.len());
            model.training_stats = training_stats;
            model.issue_count = long(issues.len());
            model.state = State::Undeployed as i32;
            model.update_time = Some(now.into());
        })?;
        Ok(any::pack(&model))
    }

    fn undo(&mut self, world: &mut World, _now: SystemTime) {
        // Gone already if it was deleted in the store; there is nothing else to take back.
        let _ = store::of::<IssueModel>().and_then(|models| world.store.remove(models, self.name()));
    }
}

/// Topics for conversations in which nothing was said, so that a test that has no transcripts has issues all the same.
fn made_up(conversations: usize) -> Vec<Topic> {
    let topic = |name: &str| Topic {
        display_name: name.to_owned(),
        display_description: String::new(),
        sample_utterances: Vec::new(),
    };
    ["Billing", "Delivery", "Account access"].into_iter().take(conversations).map(topic).collect()
}

pub(super) fn export(
    context: &mut Context<'_>,
    request: ExportIssueModelRequest,
) -> Result<Operation, Status> {
    let name = request.name.clone();
    names::check(store::of::<IssueModel>()?, "name", &name)?;
    context.start("ExportIssueModel", &name, vec![Claim::on(&name)], Export { request: Some(request) })
}

/// The file is written when the operation completes.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Export {
    #[prost(message, optional, tag = "1")]
    request: Option<ExportIssueModelRequest>,
}

/// The fields that name files.
const OBJECT: &str = "gcs_destination.object_uri";
const SOURCE: &str = "gcs_source.object_uri";

impl Export {
    fn uri(&self) -> Result<String, Status> {
        match self.request.as_ref().and_then(|request| request.destination.clone()) {
            Some(Destination::GcsDestination(destination)) => Ok(destination.object_uri),
            None => Err(errors::invalid("gcs_destination", "is required: it says where the model goes")),
        }
    }
}

impl Job<World> for Export {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        let name = self.request.clone().unwrap_or_default().name;
        world.store.raw(store::of::<IssueModel>()?, &name)?;
        buckets(&world.settings)?.check_object(OBJECT, &self.uri()?)
    }

    fn metadata(&self, moment: &Moment) -> Any {
        any::pack(&ExportIssueModelMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
        })
    }

    fn complete(&mut self, world: &mut World, _now: SystemTime) -> Result<Any, Status> {
        let name = self.request.clone().unwrap_or_default().name;
        let model: IssueModel = world.store.get(&name)?;
        let issues: Vec<Issue> = world.store.all(&name)?.into_iter().map(|(_, issue)| issue).collect();
        let file = model_file::print(&model, &issues).map_err(errors::internal)?;
        buckets(&world.settings)?.write(OBJECT, &self.uri()?, &file)?;
        Ok(any::pack(&ExportIssueModelResponse {}))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}

pub(super) fn import(
    context: &mut Context<'_>,
    request: ImportIssueModelRequest,
) -> Result<Operation, Status> {
    let parent = request.parent.clone();
    LOCATION.check("parent", &parent)?;
    let Some(Source::GcsSource(source)) = &request.source else {
        return Err(errors::invalid("gcs_source", "is required: it says where the model is"));
    };
    let bytes = buckets(&context.state.world.settings)?.read(SOURCE, &source.object_uri)?;
    let (mut model, issues) = model_file::parse(&bytes)
        .map_err(|why| errors::invalid(SOURCE, &format!("`{}`: {why}", source.object_uri)))?;
    let id = if request.create_new_model {
        context.store().new_id().to_string()
    } else {
        names::id(&model.name).to_owned()
    };
    model.name = format!("{parent}/issueModels/{id}");
    names::check(store::of::<IssueModel>()?, SOURCE, &model.name)?;
    let claims = vec![Claim::on(&model.name)];
    let name = model.name.clone();
    context.start(
        "ImportIssueModel",
        &name,
        claims,
        Import { request: Some(request), model: Some(model), issues },
    )
}

/// The file is read when the operation starts; the model appears, undeployed, when it completes, in place of the one
/// that has its id.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Import {
    #[prost(message, optional, tag = "1")]
    request: Option<ImportIssueModelRequest>,
    #[prost(message, optional, tag = "2")]
    model: Option<IssueModel>,
    #[prost(message, repeated, tag = "3")]
    issues: Vec<Issue>,
}

impl Job<World> for Import {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        let name = self.model.clone().unwrap_or_default().name;
        match world.store.find(store::of::<IssueModel>()?, &name) {
            Some(_) => Ok(()),
            None => check_models(world, names::location(&name)),
        }
    }

    fn metadata(&self, moment: &Moment) -> Any {
        any::pack(&ImportIssueModelMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
        })
    }

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        let mut model = self.model.clone().unwrap_or_default();
        let models = store::of::<IssueModel>()?;
        if world.store.find(models, &model.name).is_some() {
            world.store.remove(models, &model.name)?;
        }
        model.create_time = Some(now.into());
        model.update_time = Some(now.into());
        model.state = State::Undeployed.into();
        model.issue_count = long(self.issues.len());
        world.store.insert(&model)?;
        for issue in &self.issues {
            let name = format!("{}/issues/{}", model.name, names::id(&issue.name));
            world.store.insert(&Issue { name, ..issue.clone() })?;
        }
        Ok(any::pack(&ImportIssueModelResponse {}))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}
