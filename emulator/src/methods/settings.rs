//! Settings: one of each location, there from the start, and changed but never made.

use contact_center_insights::proto::insights::Settings;

use super::standard::{ResourceRules, changed};
use crate::errors;

pub(super) const RULES: ResourceRules = ResourceRules {
    update: |_, _, after| {
        changed(after, |settings: &mut Settings| {
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
