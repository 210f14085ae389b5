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
        ("agent_id.x", "a field that has no fields"),
        ("labels.a.b", "a field that has no fields"),
        ("quality_metadata.*", "not the whole path"),
        ("", "``"),
    ] {
        let error = update(&stored(), &stored(), &["agent_id", path]).unwrap_err();
        assert!(error.code() == Code::InvalidArgument && error.message().contains(why), "{path}: {error}");
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
        let (is_named, before) = (|path: &str| paths.contains(&path), stored());
        let agent = if is_named("agent_id") { &given } else { &before };
        prop_assert_eq!(&once.agent_id, &agent.agent_id);
        // A key is read as it was written, also where it is written alone.
        let label = if is_named("labels") || is_named("labels.a") { &given } else { &before };
        prop_assert_eq!(once.labels.get("a"), label.labels.get("a"));
        let kept = if is_named("labels") { None } else { before.labels.get("b") };
        prop_assert_eq!(once.labels.get("b"), kept);
        let named = is_named("quality_metadata") || is_named("quality_metadata.menu_path");
        let quality = if named { &given } else { &before };
        prop_assert_eq!(&once.quality_metadata, &quality.quality_metadata);
    }

    #[test]
    fn any_path_is_read_without_panic(path in ".{0,40}") {
        let _ = Mask::read("update_mask", &[path], &descriptor::<Conversation>());
    }
}
