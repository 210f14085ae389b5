//! Conversations to a table. There is no BigQuery: a table is a file with a JSON object to a line, below the directory
//! for Cloud Storage: `bigquery/PROJECT/DATASET/TABLE.ndjson`.

use std::time::SystemTime;

use contact_center_insights::proto::insights::export_insights_data_request::{
    BigQueryDestination, Destination, WriteDisposition,
};
use contact_center_insights::proto::insights::{
    Conversation, ExportInsightsDataMetadata, ExportInsightsDataRequest, ExportInsightsDataResponse,
    PhraseMatcher,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Code, Status, any};
use prost::Message;
use prost_types::Any;

use super::context::Context;
use super::shared::{buckets, matching};
use crate::content::export::{Schema, row};
use crate::engine::{Job, Moment};
use crate::errors;
use crate::names::{self, LOCATION};
use crate::world::World;

pub(super) fn export(
    context: &mut Context<'_>,
    request: ExportInsightsDataRequest,
) -> Result<Operation, Status> {
    let parent = request.parent.clone();
    LOCATION.check("parent", &parent)?;
    let schema = context.rest_only.export_schema_version.clone();
    Schema::read(&schema).map_err(|why| errors::invalid("export_schema_version", &why))?;
    context.start("ExportInsightsData", &parent, Vec::new(), Export { request: Some(request), schema })
}

/// The rows are written when the operation completes, unless there is no directory to write to.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Export {
    #[prost(message, optional, tag = "1")]
    request: Option<ExportInsightsDataRequest>,
    /// The version of the table's schema, as the REST API names it.
    #[prost(string, tag = "2")]
    schema: String,
}

impl Export {
    /// The file that the table is.
    fn table(&self) -> Result<String, Status> {
        let request = self.request.clone().unwrap_or_default();
        let Some(Destination::BigQueryDestination(table)) = request.destination else {
            return Err(errors::invalid("big_query_destination", "is required: it says where the data goes"));
        };
        let BigQueryDestination { project_id, dataset, table } = table;
        let project =
            if project_id.is_empty() { names::project(&request.parent).to_owned() } else { project_id };
        for (field, part) in [("project_id", &project), ("dataset", &dataset), ("table", &table)] {
            let fits = |c: char| c.is_alphanumeric() || "_-.:$".contains(c);
            if part.is_empty() || part.starts_with('.') || !part.chars().all(fits) {
                let why = format!("`{part}` is not the name of a project, a dataset or a table");
                return Err(errors::invalid(&format!("big_query_destination.{field}"), &why));
            }
        }
        Ok(format!("gs://bigquery/{project}/{dataset}/{table}.ndjson"))
    }

    fn appends(&self) -> Result<bool, Status> {
        let written = self.request.as_ref().map_or(0, |request| request.write_disposition);
        match WriteDisposition::try_from(written) {
            Ok(WriteDisposition::WriteAppend) => Ok(true),
            Ok(WriteDisposition::Unspecified | WriteDisposition::WriteTruncate) => Ok(false),
            Err(_) => {
                Err(errors::invalid("write_disposition", &format!("{written} is not a `WriteDisposition`")))
            }
        }
    }
}

impl Job<World> for Export {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        let request = self.request.clone().unwrap_or_default();
        self.table()?;
        self.appends()?;
        matching(&world.store, &request.parent, "filter", &request.filter).map(drop)
    }

    fn metadata(&self, moment: &Moment) -> Any {
        any::pack(&ExportInsightsDataMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
            partial_errors: Vec::new(),
        })
    }

    fn complete(&mut self, world: &mut World, _now: SystemTime) -> Result<Any, Status> {
        const FIELD: &str = "big_query_destination";
        let request = self.request.clone().unwrap_or_default();
        let buckets = buckets(&world.settings)?;
        if buckets.is_open() {
            let uri = self.table()?;
            let mut file = match buckets.read(FIELD, &uri) {
                Ok(there) if self.appends()? => there,
                Err(status) if self.appends()? && status.code() != Code::NotFound => return Err(status),
                _ => Vec::new(),
            };
            let schema = Schema::read(&self.schema).map_err(errors::internal)?;
            let matchers = world.store.all::<PhraseMatcher>(&request.parent)?.into_iter();
            let revisions = matchers.map(|(_, matcher)| (matcher.name, matcher.revision_id)).collect();
            for name in matching(&world.store, &request.parent, "filter", &request.filter)? {
                let row = row(&world.store.get::<Conversation>(&name)?, schema, &revisions);
                file.extend(row.to_string().into_bytes());
                file.push(b'\n');
            }
            buckets.write(FIELD, &uri, &file)?;
        }
        Ok(any::pack(&ExportInsightsDataResponse {}))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}
