//! Operations on an emulator, as a worker meets them.

use std::time::SystemTime;

use contact_center_insights::any::pack;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::proto::longrunning::{Operation, operation};
use contact_center_insights::{Client, Credentials};
use contact_center_insights_emulator::Emulator;
use prost_types::Timestamp;

pub const PARENT: &str = "projects/p/locations/us-central1";

/// The name of an operation.
pub fn name(number: usize) -> String {
    format!("{PARENT}/operations/{number}")
}

pub fn client(endpoint: &str) -> Client {
    Client::builder().with_endpoint(endpoint).with_credentials(Credentials::anonymous()).build().unwrap()
}

fn metadata() -> CreateIssueModelMetadata {
    let create_time = Some(Timestamp::from(SystemTime::now()));
    CreateIssueModelMetadata { create_time, ..Default::default() }
}

/// Places an operation that runs until it is ended.
pub fn begin(emulator: &Emulator, number: usize) -> String {
    let name = name(number);
    let operation = Operation { name: name.clone(), metadata: Some(pack(&metadata())), ..Default::default() };
    emulator.put_operation(operation).unwrap();
    name
}

/// An operation that has ended in a model of this name.
pub fn ended(number: usize) -> Operation {
    let create_time = Some(Timestamp::from(SystemTime::now()));
    let metadata = CreateIssueModelMetadata { create_time, end_time: create_time, ..Default::default() };
    let model = IssueModel { display_name: format!("model {number}"), ..Default::default() };
    Operation {
        name: name(number),
        metadata: Some(pack(&metadata)),
        done: true,
        result: Some(operation::Result::Response(pack(&model))),
    }
}

/// Ends an operation.
pub fn end(emulator: &Emulator, number: usize) {
    emulator.put_operation(ended(number)).unwrap();
}
