//! Field masks: which fields an update sets (AIP-134, AIP-161).

use contact_center_insights::Status;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value,
};

use crate::contract::{Contract, Trait};
use crate::fault;

/// The fields to set: checked against a message, and without what is output only.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mask {
    /// `*`: all that a caller can set is replaced, and what it leaves out is cleared.
    All,
    /// No mask: what is given is set, and the rest stays (AIP-134).
    Given,
    Paths(Vec<Vec<Step>>),
}

/// One name in a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Field(FieldDescriptor),
    Key(String),
}

impl Mask {
    /// Reads the paths of a mask; `field` is what errors call it.
    pub(crate) fn read(field: &str, paths: &[String], message: &MessageDescriptor) -> Result<Self, Status> {
        match paths {
            [] => return Ok(Self::Given),
            [one] if one == "*" => return Ok(Self::All),
            _ => {}
        }
        let read = |path: &String| {
            steps(path, message).map_err(|why| fault::invalid(field, &format!("path `{path}` {why}")))
        };
        let mut all = paths.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        all.retain(|path| !path.iter().any(is_skipped));
        Ok(Self::Paths(all))
    }

    /// Sets the fields of `target` to what they are in `source`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if that would change an immutable field (AIP-203); setting it to what it is, is fine.
    pub(crate) fn apply(
        &self,
        field: &str,
        source: &DynamicMessage,
        target: &mut DynamicMessage,
    ) -> Result<(), Status> {
        let before = target.clone();
        match self {
            Self::All => replace(source, target),
            Self::Given => merge(source, target),
            Self::Paths(paths) => {
                for path in paths {
                    set(path, Some(source), target);
                }
            }
        }
        let mut changed = Vec::new();
        collect_immutable(&before, target, field, &mut changed);
        if changed.is_empty() { Ok(()) } else { Err(fault::invalid_fields("IMMUTABLE_FIELD", &changed)) }
    }
}

fn is_skipped(step: &Step) -> bool {
    matches!(step, Step::Field(field) if skipped(field))
}

/// Splits at dots; a key of a map may be in backticks, and then have dots in it (AIP-161).
fn names(path: &str) -> Vec<String> {
    let (mut names, mut name, mut quoted) = (Vec::new(), String::new(), false);
    for character in path.chars() {
        match character {
            '`' => quoted = !quoted,
            '.' if !quoted => names.push(std::mem::take(&mut name)),
            other => name.push(other),
        }
    }
    names.push(name);
    names
}

fn steps(path: &str, message: &MessageDescriptor) -> Result<Vec<Step>, String> {
    let (mut steps, mut inside) = (Vec::new(), Some(message.clone()));
    let mut names = names(path).into_iter().peekable();
    while let Some(name) = names.next() {
        let Some(message) = inside.take() else {
            return Err(format!("goes on with `{name}` where there is nothing within"));
        };
        if name == "*" {
            return Err("has a `*` that is not alone".to_owned());
        }
        let unknown = || format!("names `{name}`, which is not a field of `{}`", message.name());
        let field = message.get_field_by_name(&name).ok_or_else(unknown)?;
        steps.push(Step::Field(field.clone()));
        match field.kind() {
            Kind::Message(entry) if entry.is_map_entry() => {
                if let Some(key) = names.next() {
                    steps.push(Step::Key(key));
                    if let Kind::Message(value) = entry.map_entry_value_field().kind() {
                        inside = Some(value);
                    }
                }
            }
            _ if field.is_list() => {
                if let Some(index) = names.peek() {
                    return Err(format!(
                        "goes into the repeated `{}` with `{index}`; only all of it can be set",
                        field.name()
                    ));
                }
            }
            Kind::Message(inner) => inside = Some(inner),
            _ => {}
        }
    }
    Ok(steps)
}

fn set(path: &[Step], source: Option<&DynamicMessage>, target: &mut DynamicMessage) {
    let [Step::Field(field), rest @ ..] = path else { return };
    let given = source.filter(|source| source.has_field(field)).map(|source| source.get_field(field));
    match rest {
        [] => match given {
            Some(value) => target.set_field(field, keep_output(field, target, value.into_owned())),
            None => clear_settable(field, target),
        },
        [Step::Key(key), rest @ ..] => {
            let key = MapKey::String(key.clone());
            let value = given.as_ref().and_then(|map| map.as_map()).and_then(|map| map.get(&key));
            let Some(map) = target.get_field_mut(field).as_map_mut() else { return };
            match (rest, value) {
                ([], Some(value)) => drop(map.insert(key, value.clone())),
                ([], None) => drop(map.remove(&key)),
                (rest, value) => {
                    if let Some(inner) = map.get_mut(&key).and_then(Value::as_message_mut) {
                        set(rest, value.and_then(Value::as_message), inner);
                    }
                }
            }
        }
        rest => {
            // What is not given and not there needs not be made only to be empty.
            if given.is_none() && !target.has_field(field) {
                return;
            }
            let given = given.as_ref().and_then(|value| value.as_message());
            if let Some(inner) = target.get_field_mut(field).as_message_mut() {
                set(rest, given, inner);
            }
        }
    }
}

/// The given value, with the output only fields that the message there has.
fn keep_output(field: &FieldDescriptor, target: &DynamicMessage, given: Value) -> Value {
    match (given, target.get_field(field).as_message()) {
        (Value::Message(given), Some(there)) if target.has_field(field) => {
            let mut whole = there.clone();
            replace(&given, &mut whole);
            Value::Message(whole)
        }
        (given, _) => given,
    }
}

fn clear_settable(field: &FieldDescriptor, target: &mut DynamicMessage) {
    let kept =
        target.has_field(field).then(|| output_only_of(target.get_field(field).as_message())).flatten();
    match kept {
        Some(kept) => target.set_field(field, Value::Message(kept)),
        None => target.clear_field(field),
    }
}

/// What of a message a caller cannot clear; `None` if that is nothing.
fn output_only_of(message: Option<&DynamicMessage>) -> Option<DynamicMessage> {
    let message = message?;
    let shape = Contract::get().shape(message.descriptor().full_name())?;
    if !shape.has_within(Trait::OutputOnly) {
        return None;
    }
    let mut kept = message.clone();
    replace(&DynamicMessage::new(message.descriptor()), &mut kept);
    let is_empty = kept.fields().next().is_none();
    if is_empty { None } else { Some(kept) }
}

/// Every field that a caller can set becomes what it is in `source`, set or not. What is immutable and not given
/// stays: to leave it out is no attempt to change it.
fn replace(source: &DynamicMessage, target: &mut DynamicMessage) {
    for field in source.descriptor().fields() {
        if skipped(&field) {
            continue;
        }
        if source.has_field(&field) {
            target.set_field(&field, keep_output(&field, target, source.get_field(&field).into_owned()));
        } else if !Contract::get().behaves(&field, Trait::Immutable) {
            clear_settable(&field, target);
        }
    }
}

/// Every field that is set in `source` is set; messages are merged, lists and maps replaced.
fn merge(source: &DynamicMessage, target: &mut DynamicMessage) {
    let given: Vec<(FieldDescriptor, Value)> =
        source.fields().map(|(field, value)| (field, value.clone())).collect();
    for (field, value) in given {
        if skipped(&field) {
            continue;
        }
        match (&value, field.is_list() || field.is_map()) {
            (Value::Message(inner), false) if target.has_field(&field) && !is_well_known(inner) => {
                if let Some(there) = target.get_field_mut(&field).as_message_mut() {
                    merge(inner, there);
                }
            }
            _ => target.set_field(&field, value),
        }
    }
}

/// A time or a duration is one value, although it is a message.
fn is_well_known(message: &DynamicMessage) -> bool {
    message.descriptor().full_name().starts_with("google.protobuf.")
}

/// What a caller cannot set: what is output only, and the name, which says what is updated.
fn skipped(field: &FieldDescriptor) -> bool {
    Contract::get().behaves(field, Trait::OutputOnly)
        || (field.name() == "name" && Contract::get().resource(field.parent_message().name()).is_some())
}

fn collect_immutable(
    before: &DynamicMessage,
    after: &DynamicMessage,
    path: &str,
    changed: &mut Vec<(String, String)>,
) {
    for field in before.descriptor().fields() {
        let path = format!("{path}.{}", field.name());
        let (old, new) = (before.get_field(&field), after.get_field(&field));
        if old == new {
            continue;
        }
        if Contract::get().behaves(&field, Trait::Immutable) && !skipped(&field) {
            changed.push((path, "cannot be changed once it is set".to_owned()));
        } else if let (true, Some(old), Some(new)) =
            (before.has_field(&field), old.as_message(), new.as_message())
        {
            collect_immutable(old, new, &path, changed);
        }
    }
}

#[cfg(test)]
mod tests {
    use contact_center_insights::Code;
    use contact_center_insights::proto::insights::conversation::{Expiration, QualityMetadata};
    use contact_center_insights::proto::insights::{
        Conversation, ConversationDataSource, GcsSource, Settings, conversation_data_source::Source,
    };
    use proptest::prelude::*;
    use prost::{Message, Name};

    use super::*;

    fn descriptor<T: Name>() -> MessageDescriptor {
        Contract::get().resource(T::NAME).unwrap().message.clone()
    }

    fn dynamic<T: Message + Name>(message: &T) -> DynamicMessage {
        DynamicMessage::decode(descriptor::<T>(), message.encode_to_vec().as_slice()).unwrap()
    }

    fn update<T: Message + Name + Default>(before: &T, given: &T, paths: &[&str]) -> Result<T, Status> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mask = Mask::read("update_mask", &paths, &descriptor::<T>())?;
        let mut target = dynamic(before);
        mask.apply("resource", &dynamic(given), &mut target)?;
        Ok(target.transcode_to().unwrap())
    }

    fn stored() -> Conversation {
        Conversation {
            name: "n".into(),
            agent_id: "before".into(),
            language_code: "en-US".into(),
            turn_count: 7,
            medium: 1,
            labels: [("a".into(), "1".into()), ("b".into(), "2".into())].into(),
            quality_metadata: Some(QualityMetadata { menu_path: "m".into(), ..QualityMetadata::default() }),
            ..Conversation::default()
        }
    }

    #[test]
    fn r31_only_what_the_mask_names_is_set() {
        let given =
            Conversation { agent_id: "after".into(), language_code: "de".into(), ..Conversation::default() };
        let after = update(&stored(), &given, &["agent_id"]).unwrap();
        assert_eq!(after, Conversation { agent_id: "after".into(), ..stored() });
        let after = update(&stored(), &Conversation::default(), &["agent_id", "labels.a"]).unwrap();
        assert_eq!((after.agent_id.as_str(), after.labels.len()), ("", 1), "not given is cleared");
    }

    #[test]
    fn r32_without_a_mask_all_that_is_given_is_set() {
        let quality = QualityMetadata { customer_satisfaction_rating: 4, ..QualityMetadata::default() };
        let given = Conversation { quality_metadata: Some(quality), ..Conversation::default() };
        let after = update(&stored(), &given, &[]).unwrap();
        let quality = after.quality_metadata.unwrap();
        assert_eq!((quality.customer_satisfaction_rating, quality.menu_path.as_str()), (4, "m"));
        assert_eq!(after.agent_id, "before");
    }

    #[test]
    fn r33_a_star_replaces_all() {
        let given = Conversation { agent_id: "after".into(), turn_count: 99, ..Conversation::default() };
        let after = update(&stored(), &given, &["*"]).unwrap();
        let wanted = Conversation {
            name: "n".into(),
            agent_id: "after".into(),
            turn_count: 7,
            medium: 1,
            ..Conversation::default()
        };
        assert_eq!(after, wanted, "what is output only, immutable or the name stays");
    }

    #[test]
    fn r34_r35_paths_that_lead_nowhere_are_refused_by_name() {
        for (path, why) in [
            ("colour", "`colour`, which is not a field of `Conversation`"),
            ("agentId", "`agentId`"),
            ("quality_metadata.agent_info.0", "repeated `agent_info`"),
            ("quality_metadata.agent_info.team", "repeated `agent_info`"),
            ("agent_id.x", "nothing within"),
            ("labels.a.b", "nothing within"),
            ("quality_metadata.*", "not alone"),
            ("", "``"),
        ] {
            let error = update(&stored(), &stored(), &["agent_id", path]).unwrap_err();
            assert!(
                error.code() == Code::InvalidArgument && error.message().contains(why),
                "{path}: {error}"
            );
        }
    }

    #[test]
    fn r39_what_is_immutable_may_be_repeated_and_not_changed() {
        assert!(update(&stored(), &Conversation { medium: 1, ..stored() }, &["medium"]).is_ok());
        let error = update(&stored(), &Conversation { medium: 2, ..stored() }, &["medium"]).unwrap_err();
        assert!(error.message().contains("`resource.medium`"), "{error}");
        let with = |uri: &str| {
            let source = GcsSource { transcript_uri: uri.into(), audio_uri: uri.into() };
            let data_source = ConversationDataSource { source: Some(Source::GcsSource(source)) };
            Conversation { data_source: Some(data_source), ..stored() }
        };
        for paths in [&["data_source"][..], &[], &["*"]] {
            let error = update(&with("a"), &with("b"), paths).unwrap_err();
            assert!(error.message().contains("data_source.gcs_source.transcript_uri"), "{error}");
        }
        assert!(update(&with("a"), &with("b"), &["data_source.gcs_source.audio_uri"]).is_ok());
    }

    #[test]
    fn r36_output_only_paths_are_ignored() {
        let given = Conversation { turn_count: 9, ..Conversation::default() };
        assert_eq!(update(&stored(), &given, &["turn_count"]).unwrap(), stored());
    }

    #[test]
    fn a_oneof_has_one_field_after_an_update_too() {
        let time = |seconds| Expiration::ExpireTime(prost_types::Timestamp { seconds, nanos: 0 });
        let before = Conversation { expiration: Some(time(5)), ..stored() };
        let ttl = Expiration::Ttl(prost_types::Duration { seconds: 9, nanos: 0 });
        let given = Conversation { expiration: Some(ttl), ..Conversation::default() };
        for paths in [&["ttl"][..], &[], &["*"]] {
            assert_eq!(update(&before, &given, paths).unwrap().expiration, Some(ttl), "{paths:?}");
        }
    }

    #[test]
    fn keys_of_maps_may_have_dots_in_backticks() {
        let with = |value: &str| Settings {
            pubsub_notification_settings: [("a.b".into(), value.into())].into(),
            ..Settings::default()
        };
        let after = update(&with("x"), &with("y"), &["pubsub_notification_settings.`a.b`"]).unwrap();
        assert_eq!(after, with("y"));
    }

    proptest! {
        #[test]
        fn r37_what_was_written_is_read_and_writing_it_again_changes_nothing(
            paths in prop::collection::vec(
                prop::sample::select(vec!["agent_id", "labels", "labels.a", "quality_metadata",
                    "quality_metadata.menu_path", "language_code", "start_time"]), 1..5),
            agent in "[a-c]{0,2}", menu in "[a-c]{0,2}", label in proptest::option::of("[a-c]{0,2}"),
        ) {
            let given = Conversation {
                agent_id: agent,
                labels: label.into_iter().map(|value| ("a".to_owned(), value)).collect(),
                quality_metadata: Some(QualityMetadata { menu_path: menu, ..QualityMetadata::default() }),
                ..Conversation::default()
            };
            let once = update(&stored(), &given, &paths).unwrap();
            prop_assert_eq!(&update(&once, &given, &paths).unwrap(), &once);
            prop_assert_eq!(&update(&once, &once, &paths).unwrap(), &once);
            if paths.contains(&"agent_id") {
                prop_assert_eq!(&once.agent_id, &given.agent_id);
            }
        }

        #[test]
        fn any_path_is_read_without_panic(path in ".{0,40}") {
            let _ = Mask::read("update_mask", &[path], &descriptor::<Conversation>());
        }
    }
}
