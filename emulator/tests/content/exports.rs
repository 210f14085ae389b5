//! Exports of conversations to tables, which are files here.

use contact_center_insights::Code;
use contact_center_insights::proto::insights::export_insights_data_request::{
    BigQueryDestination, Destination, WriteDisposition,
};
use contact_center_insights::proto::insights::{ExportInsightsDataMetadata, ExportInsightsDataRequest};
use serde_json::Value;

use super::ingest::{chat, ingestion, put, world};
use crate::support::{L, World, metadata, refused};

fn export(table: &str, filter: &str, disposition: WriteDisposition) -> ExportInsightsDataRequest {
    let destination =
        BigQueryDestination { project_id: String::new(), dataset: "calls".into(), table: table.into() };
    ExportInsightsDataRequest {
        parent: L.into(),
        destination: Some(Destination::BigQueryDestination(destination)),
        filter: filter.into(),
        write_disposition: disposition.into(),
        ..ExportInsightsDataRequest::default()
    }
}

#[tokio::test]
async fn rows_are_written_replaced_and_appended() {
    let (root, mut world) = world("immediate").await;
    for (index, line) in ["My bill", "My parcel"].iter().enumerate() {
        put(root.path(), &format!("b/{index}.json"), &chat(&["Hello", line, "Sorry"][..=index + 1]));
    }
    world.insights.ingest_conversations(ingestion("gs://b")).await.unwrap();
    let file = root.path().join("bigquery/123456789012/calls/t.ndjson");
    let rows = || -> Vec<Value> {
        let text = std::fs::read_to_string(&file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    for (filter, disposition, count) in [
        ("", WriteDisposition::Unspecified, 2),
        ("turn_count=\"3\"", WriteDisposition::WriteAppend, 3),
        ("turn_count=\"3\"", WriteDisposition::WriteTruncate, 1),
    ] {
        let done =
            world.insights.export_insights_data(export("t", filter, disposition)).await.unwrap().into_inner();
        let seen: ExportInsightsDataMetadata = metadata(&done);
        assert!(done.done && seen.end_time.is_some() && seen.partial_errors.is_empty());
        assert_eq!(rows().len(), count, "{filter} {disposition:?}");
    }
    assert_eq!(rows()[0]["transcript"], "Hello\nMy parcel\nSorry");
    assert_eq!(rows()[0]["turnCount"], 3);
}

#[tokio::test]
async fn r04_an_export_that_cannot_start_is_refused() {
    let (root, mut world) = world("immediate").await;
    let none =
        ExportInsightsDataRequest { destination: None, ..export("t", "", WriteDisposition::Unspecified) };
    for (request, why) in [
        (export("", "", WriteDisposition::Unspecified), "big_query_destination.table"),
        (export("../../x", "", WriteDisposition::Unspecified), "big_query_destination.table"),
        (export("..", "", WriteDisposition::Unspecified), "big_query_destination.table"),
        (export("t", "color=\"x\"", WriteDisposition::Unspecified), "no field `color`"),
        (none, "big_query_destination"),
    ] {
        let status = refused(world.insights.export_insights_data(request).await);
        assert!(status.code() == Code::InvalidArgument && status.message().contains(why), "{status}");
    }
    assert!(std::fs::read_dir(root.path()).unwrap().next().is_none(), "nothing was written");
    let mut bare = World::new("immediate").await;
    let request = export("t", "", WriteDisposition::Unspecified);
    assert!(bare.insights.export_insights_data(request).await.unwrap().into_inner().done, "to nowhere");
}
