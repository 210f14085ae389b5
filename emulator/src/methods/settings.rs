//! Settings: one of each location, there from the start, and changed but never made.

use contact_center_insights::Status;
use contact_center_insights::proto::insights::Settings;

use super::standard::{ResourceRules, changed};
use crate::errors;

/// What the service tells of by Pub/Sub (protos, `Settings`).
const TRIGGERS: [&str; 7] = [
    "all-triggers",
    "create-analysis",
    "create-conversation",
    "export-insights-data",
    "ingest-conversations",
    "update-conversation",
    "upload-conversation",
];

pub(super) const RULES: ResourceRules = ResourceRules {
    update: |_, _, after| {
        changed(after, |settings: &mut Settings| {
            settings
                .pubsub_notification_settings
                .iter()
                .try_for_each(|(trigger, topic)| check(trigger, topic))?;
            let Some(config) = &settings.analysis_config else { return Ok(()) };
            let shares = [
                ("runtime_integration_analysis_percentage", config.runtime_integration_analysis_percentage),
                ("upload_conversation_analysis_percentage", config.upload_conversation_analysis_percentage),
            ];
            for (field, share) in shares {
                if !(0.0..=100.0).contains(&share) {
                    let field = format!("settings.analysis_config.{field}");
                    return Err(errors::invalid(
                        &field,
                        &format!("{share} is not a percentage from 0 to 100"),
                    ));
                }
            }
            Ok(())
        })
    },
    exists_from_start: true,
    ..ResourceRules::PLAIN
};

/// Only these triggers, and topics of Pub/Sub.
fn check(trigger: &str, topic: &str) -> Result<(), Status> {
    const FIELD: &str = "settings.pubsub_notification_settings";
    if !TRIGGERS.contains(&trigger) {
        let why = format!("`{trigger}` is not a trigger; triggers are `{}`", TRIGGERS.join("`, `"));
        return Err(errors::invalid(FIELD, &why));
    }
    let parts: Vec<&str> = topic.split('/').collect();
    match parts.as_slice() {
        ["projects", project, "topics", topic] if !project.is_empty() && !topic.is_empty() => Ok(()),
        _ => {
            let why = format!("`{topic}` is not of the form `projects/{{project}}/topics/{{topic}}`");
            Err(errors::invalid(&format!("{FIELD}[{trigger:?}]"), &why))
        }
    }
}
