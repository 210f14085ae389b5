//! Feedback labels out of files: whose conversation one belongs to, and whether it can be stored.

use contact_center_insights::Status;
use contact_center_insights::proto::insights::feedback_label::LabelType;
use contact_center_insights::proto::insights::{Conversation, FeedbackLabel, QaQuestion};

use crate::content::quality;
use crate::contract::Contract;
use crate::errors;
use crate::names;
use crate::store::{self, Resources};

/// A label of a file with its conversation as it is written here. One that names none is of the conversation that it is
/// about, which is how Google's devkit writes them.
fn at_home(resources: &Resources, mut label: FeedbackLabel) -> Result<FeedbackLabel, Status> {
    if label.name.is_empty() {
        if !store::of::<Conversation>()?.matches(&label.labeled_resource) {
            let why = "is needed where `labeled_resource` is not a conversation";
            return Err(errors::invalid("feedback_label.name", why));
        }
        label.name.clone_from(&label.labeled_resource);
    }
    if let Some(name) = resources.spelled(&label.name) {
        label.name = name;
    }
    Ok(label)
}

/// A label of a file as it can be stored: its conversation is there, in the location; what it is about is there, if it
/// is a resource of this API; an answer is one of the question's.
pub(super) fn checked(
    resources: &Resources,
    parent: &str,
    label: FeedbackLabel,
) -> Result<FeedbackLabel, Status> {
    let label = at_home(resources, label)?;
    let conversation = label.name.split("/feedbackLabels/").next().unwrap_or_default();
    names::check(store::of::<Conversation>()?, "feedback_label.name", conversation)?;
    if names::location(conversation) != parent {
        return Err(errors::invalid(
            "feedback_label.name",
            &format!("`{conversation}` is not in `{parent}`"),
        ));
    }
    if label.name != conversation {
        names::check(store::of::<FeedbackLabel>()?, "feedback_label.name", &label.name)?;
    }
    resources.raw(store::of::<Conversation>()?, conversation)?;
    let about = &label.labeled_resource;
    if about.is_empty() {
        return Err(errors::invalid("feedback_label.labeled_resource", "is missing"));
    }
    if let Some(resource) = Contract::get().resource_named(about) {
        resources.raw(resource, about)?;
    }
    match &label.label_type {
        None => Err(errors::invalid("feedback_label", "has neither `label` nor `qa_answer_label`")),
        Some(LabelType::QaAnswerLabel(answer)) if store::of::<QaQuestion>()?.matches(about) => {
            let question: QaQuestion = resources.get(about)?;
            if quality::matching(&question, answer).is_none() {
                let why = format!("is not one of the answer choices of `{about}`");
                return Err(errors::invalid("feedback_label.qa_answer_label", &why));
            }
            Ok(label)
        }
        Some(_) => Ok(label),
    }
}
