//! Random filters over random conversations: what is served agrees with the obvious evaluator.

use contact_center_insights::proto::insights::conversation::QualityMetadata;
use contact_center_insights::proto::insights::conversation::quality_metadata::AgentInfo;
use contact_center_insights::proto::insights::{Analysis, Conversation};
use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use prost_types::Duration;

use super::{descriptor, oracle, time};
use crate::filter::Filter;

fn any_conversation() -> impl Strategy<Value = Conversation> {
    let agent =
        (0..3, prop::collection::vec("[ab]{0,2}", 0..3), 0..4).prop_map(|(id, teams, kind): (i32, _, _)| {
            AgentInfo {
                agent_id: if id == 0 { String::new() } else { id.to_string() },
                teams,
                agent_type: kind,
                ..AgentInfo::default()
            }
        });
    let quality = (0..3, prop::collection::vec(agent, 0..3)).prop_map(|(rating, agent_info)| {
        QualityMetadata { customer_satisfaction_rating: rating, agent_info, ..QualityMetadata::default() }
    });
    let labels = prop::collection::btree_map("[ab]", "[ab]{0,2}", 0..3);
    (
        (-2..3, 0..3, "[ab]{0,2}"),
        prop::option::of(0_i64..4),
        prop::option::of((-1_i64..3, prop::sample::select(vec![0, 500_000_000]))),
        prop::option::of(quality),
        labels,
        prop::option::of(prop::option::of(0_i64..4)),
    )
        .prop_map(
            |((turn_count, medium, language_code), created, duration, quality_metadata, labels, analysed)| {
                Conversation {
                    turn_count,
                    medium,
                    language_code,
                    create_time: created.map(time),
                    duration: duration.map(|(seconds, nanos)| Duration {
                        seconds,
                        nanos: if seconds < 0 { -nanos } else { nanos },
                    }),
                    quality_metadata,
                    labels,
                    latest_analysis: analysed
                        .map(|at| Analysis { create_time: at.map(time), ..Analysis::default() }),
                    ..Conversation::default()
                }
            },
        )
}

fn any_comparison() -> impl Strategy<Value = String> {
    let order = || prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">=", ":"]);
    let equal = || prop::sample::select(vec!["=", "!=", ":"]);
    let text = || "(\\*?[ab]{0,2}\\*?)";
    prop_oneof![
        (order(), -2..3).prop_map(|(op, n)| format!(r#"turn_count{op}"{n}""#)),
        (order(), 0..3)
            .prop_map(|(op, n)| format!(r"quality_metadata.customer_satisfaction_rating {op} {n}")),
        (equal(), prop::sample::select(vec!["PHONE_CALL", "CHAT", "MEDIUM_UNSPECIFIED"]))
            .prop_map(|(op, name)| format!(r#"medium{op}"{name}""#)),
        (equal(), text()).prop_map(|(op, text)| format!(r#"language_code{op}"{text}""#)),
        (equal(), "[ab]", text()).prop_map(|(op, key, text)| format!(r#"labels.{key}{op}"{text}""#)),
        text().prop_map(|text| format!(r#"labels:"{text}""#)),
        text().prop_map(|text| format!(r#"quality_metadata.agent_info.teams:"{text}""#)),
        (0..3).prop_map(|n| format!(r#"quality_metadata.agent_info.agent_id:"{n}""#)),
        (order(), 0..4).prop_map(|(op, s)| format!(r#"create_time{op}"1970-01-01T00:00:0{s}Z""#)),
        (order(), 0..4)
            .prop_map(|(op, s)| format!(r#"latest_analysis.create_time{op}"1970-01-01T00:00:0{s}Z""#)),
        (order(), prop::sample::select(vec!["-0.5s", "0s", "0.5s", "1s", "2.5s"]))
            .prop_map(|(op, span)| format!(r#"duration{op}"{span}""#)),
        prop::sample::select(vec![
            "turn_count",
            "medium",
            "language_code",
            "labels",
            "labels.a",
            "quality_metadata",
            "quality_metadata.agent_info",
            "quality_metadata.agent_info.teams",
            "quality_metadata.customer_satisfaction_rating",
            "latest_analysis",
            "latest_analysis.create_time",
            "duration",
        ])
        .prop_map(|field| format!(r#"{field}:"*""#)),
    ]
}

fn any_filter() -> impl Strategy<Value = String> {
    any_comparison().prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), prop::sample::select(vec![" AND ", " OR ", " "]), inner.clone())
                .prop_map(|(a, join, b)| format!("{a}{join}{b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("NOT ({a})")),
            any_comparison().prop_map(|a| format!("-{a}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn served_and_obvious_evaluation_agree(conversation in any_conversation(), filter in any_filter()) {
        let listed = descriptor("Conversation");
        let bytes = conversation.encode_to_vec();
        let message = DynamicMessage::decode(listed.clone(), bytes.as_slice()).unwrap();
        let served = Filter::compile(&filter, &listed).unwrap().matches(&bytes);
        prop_assert_eq!(served, oracle::matches(&filter, &message), "{}", filter);
    }

    #[test]
    fn any_text_is_compiled_or_refused(text in "[a-z_.:=<>()\"'*0-9 -]{0,40}|\\PC{0,40}", bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let listed = descriptor("Conversation");
        if let Ok(filter) = Filter::compile(&text, &listed) {
            let _ = filter.matches(&bytes);
        }
    }
}
