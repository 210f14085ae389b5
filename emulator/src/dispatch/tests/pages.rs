//! Long lists, page by page, and filters over them: what each costs.

use contact_center_insights::proto::insights::{
    Conversation, DeleteConversationRequest, ListConversationsRequest, ListConversationsResponse,
};
use prost::Message as _;

use super::neighbours::{begin, done, long};
use super::*;

fn many(count: usize) -> Service {
    let service = service(Profile::immediate());
    service
        .change(|state, _| {
            for number in 0..count {
                let name = format!("{L}/conversations/call-{number:05}");
                let seconds = i64::try_from(number % 7).unwrap();
                let create_time = Some(prost_types::Timestamp { seconds, nanos: 0 });
                let labels = [("number".to_owned(), number.to_string())].into();
                let made = Conversation { name, create_time, labels, ..Conversation::default() };
                state.world.store.insert(&made).unwrap();
            }
        })
        .unwrap();
    service
}

/// Walks through all, each page where others wait, and gives the names.
fn walk(service: &Service, order_by: &str) -> Vec<String> {
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListConversationsRequest {
            parent: L.into(),
            page_size: 100,
            order_by: order_by.into(),
            page_token,
            ..ListConversationsRequest::default()
        };
        let page = done(begin(service, "ListConversations", &request)).unwrap();
        let page = ListConversationsResponse::decode(&*page).unwrap();
        names.extend(page.conversations.into_iter().map(|found| found.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return names;
        }
    }
}

#[test]
fn every_page_of_a_long_list_costs_what_the_first_does() {
    const COUNT: usize = 10_000;
    let service = many(COUNT);
    let newest = walk(&service, "");
    assert_eq!(newest, walk(&service, "create_time desc"));
    let mut oldest = walk(&service, "create_time");
    oldest.reverse();
    assert_eq!(newest, oldest);
    let mut sorted = newest.clone();
    sorted.sort_by_key(|name| {
        let number: usize = name.rsplit('-').next().unwrap().parse().unwrap();
        (std::cmp::Reverse(number % 7), std::cmp::Reverse(number))
    });
    assert!(newest.len() == COUNT && newest == sorted);
    // An order in which they are not kept has all of them looked at.
    let request =
        ListConversationsRequest { parent: L.into(), order_by: "turn_count".into(), ..Default::default() };
    assert!(long(begin(&service, "ListConversations", &request))().is_ok());
}

#[test]
fn a_page_goes_on_where_the_last_one_ended_whatever_comes_and_goes() {
    let service = many(300);
    let request = |page_token: String| ListConversationsRequest {
        parent: L.into(),
        page_size: 100,
        page_token,
        ..ListConversationsRequest::default()
    };
    let page = |token| {
        let answer = done(begin(&service, "ListConversations", &request(token))).unwrap();
        ListConversationsResponse::decode(&*answer).unwrap()
    };
    let first = page(String::new());
    let last = first.conversations.last().unwrap().name.clone();
    done(begin(&service, "DeleteConversation", &DeleteConversationRequest { name: last, force: true }))
        .unwrap();
    call(&service, "CreateConversation", &json!({"parent": L, "conversation": {}})).unwrap();
    let mut names: Vec<String> = first.conversations.into_iter().map(|found| found.name).collect();
    let mut token = first.next_page_token;
    while !token.is_empty() {
        let next = page(token);
        names.extend(next.conversations.into_iter().map(|found| found.name));
        token = next.next_page_token;
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), count), (300, 300));
}

#[test]
fn a_filter_is_bounded_by_what_it_looks_at() {
    let comparisons: Vec<String> = (0..1000).map(|number| format!("labels.k{number}=\"x\"")).collect();
    let service = many(200);
    let request = ListConversationsRequest {
        parent: L.into(),
        filter: comparisons.join(" OR "),
        ..ListConversationsRequest::default()
    };
    // Too much where others wait, and little where nobody does.
    let listed = long(begin(&service, "ListConversations", &request))().unwrap();
    assert!(ListConversationsResponse::decode(&*listed).unwrap().conversations.is_empty());
    let view = View::of(&service.0.lock().state, SystemTime::UNIX_EPOCH, Work::of(100_000));
    let Some(Handler::Read(list)) = methods::handler(&format!("{INSIGHTS}/ListConversations")) else {
        panic!("no such method")
    };
    let refused = list(&view, &request.encode_to_vec()).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("steps"), "{}", refused.message());
}
