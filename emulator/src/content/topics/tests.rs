//! Topics of bills and parcels.

use super::*;

fn conversations() -> Vec<Vec<&'static str>> {
    let bills = [
        "my bill is too high",
        "why was I charged twice on this bill",
        "the bill has a wrong charge",
        "I was charged for a bill I paid",
    ];
    let parcels = [
        "my parcel never arrived",
        "the parcel was delivered broken",
        "where is my parcel delivery",
        "delivery of the parcel is late",
    ];
    bills.into_iter().chain(parcels).map(|text| vec!["hello", text]).collect()
}

fn issues(topics: &[Topic]) -> Vec<Issue> {
    let named = topics.iter().enumerate().map(|(index, topic)| Issue {
        name: format!("m/issues/{index}"),
        display_name: topic.display_name.clone(),
        display_description: topic.display_description.clone(),
        sample_utterances: topic.sample_utterances.clone(),
        ..Issue::default()
    });
    named.collect()
}

#[test]
fn two_topics_are_told_apart() {
    let all = conversations();
    let topics = train(&all);
    assert_eq!(topics.len(), 2, "{topics:?}");
    let words = |word: &str| topics.iter().filter(|topic| topic.display_description.contains(word)).count();
    assert_eq!((words("bill"), words("parcel")), (1, 1), "{topics:?}");
    assert!(topics.iter().all(|topic| (1..=3).contains(&topic.sample_utterances.len())));
    let issues = issues(&topics);
    let classifier = Classifier::new(&issues);
    let assigned: Vec<_> = all.iter().map(|texts| classifier.assign(texts).unwrap().issue).collect();
    assert!(assigned[..4].iter().all(|issue| *issue == assigned[0]), "{assigned:?}");
    assert!(assigned[4..].iter().all(|issue| *issue == assigned[4]), "{assigned:?}");
    assert_ne!(assigned[0], assigned[4]);
    assert_eq!(classifier.assign(&["what a sunny weather"]), None);
}

#[test]
fn the_same_conversations_give_the_same_topics() {
    assert_eq!(train(&conversations()), train(&conversations()));
}

#[test]
fn there_is_nothing_to_learn_from_silence() {
    assert_eq!(train(&[]), []);
    assert_eq!(train(&[vec!["hello", "bye"], vec![]]), []);
    assert_eq!(train(&vec![vec!["my parcel"]; 50]).len(), 1, "fifty times the same is one topic");
}

#[test]
fn the_number_of_topics_follows_that_of_conversations() {
    for (conversations, topics) in [(0, 1), (1, 1), (7, 1), (8, 2), (18, 3), (100, 7), (1_000_000, 20)] {
        assert_eq!(wanted_topics(conversations), topics, "{conversations}");
    }
}
