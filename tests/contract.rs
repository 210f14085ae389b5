//! The contract that `build.rs` compiled is the published one, and the generator read it right.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

#[allow(dead_code, reason = "shared with xtask, which uses all of it")]
#[path = "../xtask/src/canonical.rs"]
mod canonical;
#[path = "../build/contract.rs"]
#[allow(dead_code, reason = "the generator uses all of it")]
mod contract;
#[path = "../build/emit.rs"]
mod emit;
#[path = "../build/names.rs"]
mod names;

use contact_center_insights::Payload;
use contact_center_insights::call::methods;
use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use contract::Contract;
use prost_reflect::DescriptorPool;

const INSIGHTS: &str = "google.cloud.contactcenterinsights.v1.ContactCenterInsights";

fn read() -> Contract {
    Contract::read(FILE_DESCRIPTOR_SET, &[INSIGHTS, "google.longrunning.Operations"]).unwrap()
}

/// The digest was taken when `proto/` was printed, of the published descriptors themselves.
#[test]
fn the_compiled_contract_is_the_published_one() {
    let published = include_str!("../proto/contract.sha256").trim();
    assert_eq!(canonical::digest(FILE_DESCRIPTOR_SET).unwrap(), published);
}

#[test]
fn a_changed_field_number_changes_the_digest() {
    let mut set = prost_types::FileDescriptorSet::default();
    prost::Message::merge(&mut set, FILE_DESCRIPTOR_SET).unwrap();
    let file = set.file.iter_mut().find(|file| file.name().ends_with("v1/resources.proto")).unwrap();
    file.message_type.first_mut().unwrap().field.first_mut().unwrap().number = Some(99);
    let published = include_str!("../proto/contract.sha256").trim();
    assert_ne!(canonical::digest(&prost::Message::encode_to_vec(&set)).unwrap(), published);
}

#[test]
fn custom_options_survive_compilation() {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let http = pool.get_extension_by_name("google.api.http").unwrap();
    let service = pool.get_service_by_name(INSIGHTS).unwrap();
    assert!(service.methods().all(|method| method.options().has_extension(&http)));
}

#[test]
fn the_contract_has_74_methods_17_of_them_long_running() {
    let contract = read();
    let insights: Vec<_> = contract.methods.iter().filter(|method| method.service == INSIGHTS).collect();
    assert_eq!(insights.len(), 74);
    assert_eq!(insights.iter().filter(|method| method.operation.is_some()).count(), 17);
    assert_eq!(insights.iter().filter(|method| method.page.is_some()).count(), 12);
    assert_eq!(methods::ALL.len(), 79);
}

#[test]
fn every_method_of_the_api_has_one_routing_field_in_its_path() {
    for method in read().methods.iter().filter(|method| method.service == INSIGHTS) {
        assert_eq!(method.routing.len(), 1, "{}", method.name);
    }
}

#[test]
fn what_operations_promise_has_a_payload() {
    for (response, metadata) in read().methods.iter().filter_map(|method| method.operation.as_ref()) {
        for message in [response, metadata] {
            assert!(Payload::TYPES.contains(&message.full_name()), "{}", message.full_name());
        }
    }
    for detail in ["ErrorInfo", "RetryInfo", "BadRequest", "QuotaFailure", "Help", "LocalizedMessage"] {
        assert!(Payload::TYPES.contains(&format!("google.rpc.{detail}").as_str()), "{detail}");
    }
}

#[test]
fn generated_methods_carry_the_comment_and_the_types() {
    let client = emit::client_methods(&read());
    let (_, after) = client.split_once("pub fn create_issue_model(").unwrap();
    assert!(
        after.starts_with("&self, request: crate::proto::insights::CreateIssueModelRequest) -> Call<Poller<")
    );
    assert!(after.contains("Routing::new(&[(\"parent\", request.parent.as_str())])"));
    assert!(client.contains(
        "(\"conversation.name\", request.conversation.as_ref().map_or(\"\", |m| m.name.as_str()))"
    ));
}

#[test]
fn the_generated_tables_hold_what_the_descriptors_say() {
    let contract = read();
    let table = emit::method_table(&contract);
    assert!(table.contains("\"/google.longrunning.Operations/GetOperation\", true);"));
    assert!(
        table
            .contains("\"/google.cloud.contactcenterinsights.v1.ContactCenterInsights/DeleteView\", false);")
    );
    let pages = emit::pages(&contract);
    assert!(pages.contains("impl Page for crate::proto::longrunning::ListOperationsResponse {"));
    // Numbers of the request's fields: page_size = 2, page_token = 3.
    assert!(pages.contains("Some(PageFields::new(2, 3))"));
    // ListIssueModels and ListIssues do not page.
    assert_eq!(pages.matches("FIELDS: Option<PageFields> = None").count(), 2);
    let payload = emit::payload(&contract);
    assert!(payload.contains("    IssueModel(Box<crate::proto::insights::IssueModel>),"));
    assert!(payload.contains("    Empty(Box<()>),"));
}

#[test]
fn each_resource_has_a_name_type_with_a_constructor_a_pattern() {
    let contract = read();
    assert_eq!(contract.resources.len(), 14);
    let written = names::resource_names(&contract);
    assert_eq!(written.matches("resource_name! {").count(), 14);
    assert!(written.contains(
        "    in_authorized_view(project, location, authorized_view_set, authorized_view, conversation) = \
         \"projects/{project}/locations/{location}/authorizedViewSets/{authorized_view_set}/authorizedViews/\
         {authorized_view}/conversations/{conversation}\",\n"
    ));
}

/// Every RPC, resource and operation metadata message is described, in every file that describes them.
#[test]
fn services_methods_and_messages_are_described() {
    let files = [
        include_str!("../proto/google/cloud/contactcenterinsights/v1/contact_center_insights.proto"),
        include_str!("../proto/google/cloud/contactcenterinsights/v1/resources.proto"),
        include_str!("../proto/google/longrunning/operations.proto"),
    ];
    for file in files {
        let mut above = "";
        for line in file.lines().map(str::trim) {
            if ["service ", "rpc ", "message "].iter().any(|start| line.starts_with(start)) {
                assert!(above.starts_with("//"), "no comment above `{line}`");
            }
            above = line;
        }
    }
}
