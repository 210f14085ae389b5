use contact_center_insights::Code;
use contact_center_insights::proto::insights::conversation::Expiration;
use contact_center_insights::proto::insights::{Analysis, Conversation, IssueModel, QaScorecardRevision};
use prost_types::Timestamp;

use super::*;

fn model(location: &str, id: &str) -> IssueModel {
    IssueModel { name: format!("projects/p/locations/{location}/issueModels/{id}"), ..IssueModel::default() }
}

fn conversation(id: &str, expires: Option<i64>) -> Conversation {
    Conversation {
        name: format!("projects/p/locations/l/conversations/{id}"),
        expiration: expires.map(|seconds| Expiration::ExpireTime(Timestamp { seconds, nanos: 0 })),
        ..Conversation::default()
    }
}

fn analysis(conversation: &str, id: &str) -> Analysis {
    let name = format!("projects/p/locations/l/conversations/{conversation}/analyses/{id}");
    Analysis { name, ..Analysis::default() }
}

/// Takes out what expires up to this second.
fn expire(store: &mut Store, until: i64) {
    while let Some(expiry) = store.next_expiry(None).filter(|(seconds, ..)| *seconds <= until).cloned() {
        store.expire(&expiry);
    }
}

fn ids(store: &Store) -> Vec<String> {
    store.everything().map(|item| names::id(wire::text(&item.bytes, NAME)).to_owned()).collect()
}

#[test]
fn every_resource_has_its_name_first() {
    for resource in Contract::get().resources() {
        assert_eq!(resource.message.get_field_by_name("name").unwrap().number(), NAME, "{}", resource.kind);
    }
    let expiring = Contract::get().resources().iter().filter(|resource| resource.expire_time.is_some());
    assert_eq!(expiring.map(|resource| resource.kind.as_str()).collect::<Vec<_>>(), ["conversation"]);
}

#[test]
fn r28_r41_names_are_taken_once_and_given_up_once() {
    let (mut store, models) = (Store::default(), of::<IssueModel>().unwrap());
    store.insert(&model("l", "a")).unwrap();
    assert_eq!(store.insert(&model("l", "a")).unwrap_err().code(), Code::AlreadyExists);
    let name = model("l", "a").name;
    store.remove(models, &name).unwrap();
    assert_eq!(store.remove(models, &name).unwrap_err().code(), Code::NotFound);
    assert_eq!(store.get::<IssueModel>(&name).unwrap_err().code(), Code::NotFound);
}

#[test]
fn what_lies_below_is_that_of_the_parent_alone() {
    let mut store = Store::default();
    for (location, id) in [("l", "b"), ("l2", "b"), ("k", "c"), ("l", "a")] {
        store.insert(&model(location, id)).unwrap();
    }
    let found: Vec<(u64, IssueModel)> = store.all("projects/p/locations/l").unwrap();
    assert_eq!(found, [(4, model("l", "a")), (1, model("l", "b"))]);
    for (card, id) in [("c1", "x"), ("c2", "y"), ("c10", "z")] {
        let name = format!("projects/p/locations/l/qaScorecards/{card}/revisions/{id}");
        store.insert(&QaScorecardRevision { name, ..QaScorecardRevision::default() }).unwrap();
    }
    let count = |parent: &str| store.below(of::<QaScorecardRevision>().unwrap(), parent).count();
    let l = "projects/p/locations/l";
    assert_eq!(
        (count(l), count(&format!("{l}/qaScorecards/c1")), count(&format!("{l}/qaScorecards/-"))),
        (3, 1, 3)
    );
}

#[test]
fn what_lies_below_goes_too() {
    let mut store = Store::default();
    for id in ["c", "c2"] {
        store.insert(&conversation(id, None)).unwrap();
        store.insert(&analysis(id, &format!("of-{id}"))).unwrap();
    }
    store.remove(of::<Conversation>().unwrap(), &conversation("c", None).name).unwrap();
    assert_eq!(ids(&store), ["of-c2", "c2"]);
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let mut store = Store::default();
    store.insert(&model("l", "a")).unwrap();
    let before = store.snapshot();
    store.insert(&model("l", "b")).unwrap();
    store.update::<IssueModel>(&model("l", "a").name, |model| model.issue_count = 3).unwrap();
    assert_eq!(before.all::<IssueModel>("projects/p/locations/l").unwrap(), [(1, model("l", "a"))]);
}

#[test]
fn conversations_expire_when_their_time_has_come() {
    let mut store = Store::default();
    for (id, expires) in [("late", Some(20)), ("soon", Some(10)), ("never", None), ("moved", Some(10))] {
        store.insert(&conversation(id, expires)).unwrap();
        store.insert(&analysis(id, id)).unwrap();
    }
    store.put(&conversation("moved", Some(30))).unwrap();
    expire(&mut store, 9);
    assert_eq!(ids(&store).len(), 8);
    expire(&mut store, 25);
    assert_eq!(ids(&store), ["moved", "never", "moved", "never"]);
}

#[test]
fn changes_done_again_give_the_same() {
    let (mut store, mut again) = (Store::default(), Store::default());
    store.record();
    store.insert(&model("l", "a")).unwrap();
    store.insert(&conversation("c", Some(5))).unwrap();
    store.insert(&analysis("c", "a")).unwrap();
    store.update::<IssueModel>(&model("l", "a").name, |model| model.issue_count = 3).unwrap();
    expire(&mut store, 9);
    store
        .insert(&IssueModel { name: "projects/q/locations/l/issueModels/m".into(), ..IssueModel::default() })
        .unwrap();
    store.clear(Some("q"));
    store.take_changes().into_iter().for_each(|change| again.apply(change));
    assert_eq!((ids(&again), ids(&store)), (vec!["a".to_owned()], vec!["a".to_owned()]));
    assert!(store.take_changes().is_empty() && again.take_changes().is_empty());
}

#[test]
fn ids_have_nineteen_digits_and_pass_those_that_are_there() {
    let mut store = Store::default();
    let first = store.new_id();
    assert_eq!(first.to_string().len(), 19);
    store.insert(&model("l", &(first + 5).to_string())).unwrap();
    assert_eq!(store.new_id(), first + 6);
    let taken = "projects/p/locations/l/operations/1000000000000000009";
    store.reserve(taken);
    assert!(store.new_operation("projects/p/locations/l").as_str() > taken);
    store.reserve("projects/p/locations/l/operations/9999999999999999999");
    assert_eq!(store.new_id(), first + 7);
}

#[test]
fn what_expires_is_under_one_name_however_its_project_is_written() {
    let mut store = Store::default();
    let number = ProjectNumbers::default().of("p").into_owned();
    store.insert(&model("l", "a")).unwrap();
    let by_id = conversation("c", Some(10));
    let by_number = Conversation { name: by_id.name.replace("/p/", &format!("/{number}/")), ..by_id.clone() };
    store.insert(&by_number).unwrap();
    store.remove(of::<Conversation>().unwrap(), &by_id.name).unwrap();
    store.insert(&conversation("c", None)).unwrap();
    expire(&mut store, 20);
    assert_eq!(ids(&store), ["c", "a"], "it is another one, which never expires");
}
