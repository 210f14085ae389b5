//! The metadata file that may accompany a transcript: what it says about a conversation.

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::Conversation;
use contact_center_insights::proto::insights::conversation::quality_metadata::AgentInfo;
use serde::Deserialize;
use serde_json::Value;

/// A label's limits (protos, `Conversation.labels`).
const MAX_LABELS: usize = 100;
const MAX_CHARS: usize = 256;

/// What is known; other keys become labels if the request asks for them.
#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    agent_id: String,
    #[serde(default)]
    customer_satisfaction_rating: i32,
    #[serde(default)]
    agent_info: Vec<Agent>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Agent {
    #[serde(default, rename = "agent_id")]
    id: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    team: String,
    #[serde(default)]
    teams: Vec<String>,
    #[serde(default)]
    disposition_code: String,
}

/// Adds what a metadata file says: agents, satisfaction, and those of its keys that are to be labels.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn apply(conversation: &mut Conversation, bytes: &[u8], keys: &[String]) -> Result<(), String> {
    let file: File =
        serde_json::from_slice(bytes).map_err(|error| format!("not conversation metadata: {error}"))?;
    if !file.agent_id.is_empty() {
        conversation.agent_id = file.agent_id;
    }
    if file.customer_satisfaction_rating != 0 || !file.agent_info.is_empty() {
        let quality = conversation.quality_metadata.get_or_insert_default();
        quality.customer_satisfaction_rating = file.customer_satisfaction_rating;
        quality.agent_info = file.agent_info.into_iter().map(agent).collect();
    }
    for key in keys {
        let Some(value) = file.others.get(key) else { continue };
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if key.chars().count() > MAX_CHARS || value.chars().count() > MAX_CHARS {
            return Err(format!("the label `{key}` is longer than {MAX_CHARS} characters"));
        }
        conversation.labels.insert(key.clone(), value);
    }
    if conversation.labels.len() > MAX_LABELS {
        return Err(format!("there are more than {MAX_LABELS} labels"));
    }
    Ok(())
}

#[allow(deprecated, reason = "files may still have one team")]
fn agent(agent: Agent) -> AgentInfo {
    AgentInfo {
        agent_id: agent.id,
        display_name: agent.display_name,
        team: agent.team,
        teams: agent.teams,
        disposition_code: agent.disposition_code,
        ..AgentInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_satisfaction_and_chosen_keys_are_taken() {
        let json =
            br#"{"agent_id": "7", "customer_satisfaction_rating": 4, "queue": "north", "floor": 3, "x": 1,
            "agent_info": [{"agent_id": "7", "teams": ["a"]}]}"#;
        let mut conversation = Conversation::default();
        apply(&mut conversation, json, &["queue".into(), "floor".into(), "none".into()]).unwrap();
        assert_eq!(conversation.agent_id, "7");
        let quality = conversation.quality_metadata.unwrap();
        assert_eq!((quality.customer_satisfaction_rating, quality.agent_info[0].teams.len()), (4, 1));
        let labels: Vec<_> = conversation.labels.into_iter().collect();
        assert_eq!(labels, [("floor".into(), "3".into()), ("queue".into(), "north".into())]);
    }

    #[test]
    fn a_bad_file_says_why() {
        let long = format!(r#"{{"k": "{}"}}"#, "x".repeat(257));
        for (bad, why) in
            [("[]", "not conversation metadata"), ("{", "EOF"), (long.as_str(), "longer than 256")]
        {
            let error = apply(&mut Conversation::default(), bad.as_bytes(), &["k".into()]).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
