//! Statistics: of conversations, of issue models, and metrics by dimension and time.

use std::time::SystemTime;

use contact_center_insights::proto::insights::dimension::DimensionKey;
use contact_center_insights::proto::insights::query_metrics_request::TimeGranularity;
use contact_center_insights::proto::insights::{
    CalculateIssueModelStatsRequest, CalculateIssueModelStatsResponse, CalculateStatsRequest,
    CalculateStatsResponse, Conversation, Issue, IssueModel, QueryMetricsMetadata, QueryMetricsRequest,
    QueryMetricsResponse,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Status, any};
use prost::Message;
use prost_types::Any;

use super::context::{Context, View};
use crate::content::metrics::{Answer, Chosen, Query};
use crate::content::stats::{ModelStats, Stats};
use crate::engine::{Job, Moment};
use crate::errors;
use crate::filter::Filter;
use crate::message::{splice, wire};
use crate::names::{self, LOCATION, Pattern};
use crate::store::{self, Resources};
use crate::work::Work;
use crate::world::World;

/// The other form that the annotations of these methods allow. Here a view shows all of its location.
const AUTHORIZED_VIEW: Pattern = Pattern(
    "projects/{project}/locations/{location}/authorizedViewSet/{authorized_view_set}/authorizedView/{authorized_view}",
);

/// Of a conversation: statistics are not about its words, which are most of its bytes.
const TRANSCRIPT: &[u32] = &[8];
const CREATE_TIME: u32 = 3;
/// What it takes to decode one.
const BYTES_A_STEP: usize = 16;

fn check_location(name: &str) -> Result<&str, Status> {
    if !AUTHORIZED_VIEW.matches(name) {
        LOCATION.check("location", name)?;
    }
    Ok(names::location(name))
}

/// Hands every conversation of a location that the filter asks for to `each`, without its transcript.
fn each_matching(
    resources: &Resources,
    location: &str,
    filter: &Filter,
    work: &Work,
    mut each: impl FnMut(&Conversation),
) -> Result<(), Status> {
    for item in resources.below(store::of::<Conversation>()?, location) {
        if filter.selects(&item.bytes, work)? {
            work.spend(item.bytes.len() / BYTES_A_STEP)?;
            // Cut short, it would be counted as if the rest of it had never been.
            let bytes = if wire::is_whole(&item.bytes) {
                splice::without(&item.bytes, TRANSCRIPT).into()
            } else {
                item.bytes.clone()
            };
            each(&store::decode(&bytes)?);
        }
    }
    Ok(())
}

fn compile(filter: &str) -> Result<Filter, Status> {
    Filter::compile(filter, &store::of::<Conversation>()?.message)
}

pub(super) fn calculate(
    view: &View,
    request: CalculateStatsRequest,
) -> Result<CalculateStatsResponse, Status> {
    let CalculateStatsRequest { location, filter } = request;
    let (location, filter) = (check_location(&location)?, compile(&filter)?);
    let mut stats = Stats::default();
    each_matching(&view.resources, location, &filter, &view.work, |conversation| stats.add(conversation))?;
    Ok(stats.response())
}

pub(super) fn calculate_issue_model(
    view: &View,
    request: CalculateIssueModelStatsRequest,
) -> Result<CalculateIssueModelStatsResponse, Status> {
    let CalculateIssueModelStatsRequest { issue_model } = request;
    names::check(store::of::<IssueModel>()?, "issue_model", &issue_model)?;
    view.resources.get::<IssueModel>(&issue_model)?;
    let issues: Vec<Issue> = view.resources.all(&issue_model)?.into_iter().map(|(_, issue)| issue).collect();
    let mut stats = ModelStats::new(&issue_model, &issues);
    let all = Filter::compile("", &store::of::<Conversation>()?.message)?;
    let location = names::location(&issue_model);
    each_matching(&view.resources, location, &all, &view.work, |conversation| stats.add(conversation))?;
    Ok(CalculateIssueModelStatsResponse { current_stats: Some(stats.finish()) })
}

pub(super) fn query(context: &mut Context<'_>, request: QueryMetricsRequest) -> Result<Operation, Status> {
    let location = check_location(&request.location)?.to_owned();
    context.start("QueryMetrics", &location, Vec::new(), Metrics { request: Some(request) })
}

/// Metrics are of what is there when the operation completes.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Metrics {
    #[prost(message, optional, tag = "1")]
    request: Option<QueryMetricsRequest>,
}

impl Metrics {
    /// What is asked, if it can be answered.
    fn query(&self) -> Result<(Filter, Query), Status> {
        let request = self.request.clone().unwrap_or_default();
        let filter = compile(&request.filter)?;
        let (Some((start, _)), Some((end, _))) = filter.bounds(CREATE_TIME) else {
            let why = "must bound `create_time` from both sides, as in \
                       create_time>=\"2025-01-01T00:00:00Z\" create_time<\"2025-02-01T00:00:00Z\"";
            return Err(errors::invalid("filter", why));
        };
        if start > end {
            return Err(errors::invalid(
                "filter",
                "`create_time` is limited to a time that ends before it starts",
            ));
        }
        let granularity = TimeGranularity::try_from(request.time_granularity);
        let granularity = granularity.map_err(|_| {
            errors::invalid(
                "time_granularity",
                &format!("{} is not a `TimeGranularity`", request.time_granularity),
            )
        })?;
        let dimension = match request.dimensions.as_slice() {
            [] => DimensionKey::Unspecified,
            [one] if one.dimension_key() != DimensionKey::Unspecified => one.dimension_key(),
            [one] => {
                let why = format!("{} is not a key of a dimension", one.dimension_key);
                return Err(errors::invalid("dimensions[0].dimension_key", &why));
            }
            more => {
                let why = format!("{} dimensions were given; at most one is allowed", more.len());
                return Err(errors::invalid("dimensions", &why));
            }
        };
        let paths = request.measure_mask.map(|mask| mask.paths).unwrap_or_default();
        let chosen = Chosen::read(&paths).map_err(|why| errors::invalid("measure_mask", &why))?;
        Ok((filter, Query { start, end, granularity, dimension, chosen }))
    }
}

impl Job<World> for Metrics {
    fn begin(&mut self, _world: &mut World, _now: SystemTime) -> Result<(), Status> {
        self.query().map(drop)
    }

    fn metadata(&self, _moment: &Moment) -> Any {
        any::pack(&QueryMetricsMetadata {})
    }

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        let location = self.request.clone().unwrap_or_default().location;
        let (filter, query) = self.query()?;
        let mut answer = Answer::new(query);
        let within = names::location(&location);
        each_matching(&world.store, within, &filter, &Work::most(), |conversation| answer.add(conversation))?;
        let (slices, macro_average_slice) = answer.finish();
        Ok(any::pack(&QueryMetricsResponse {
            location,
            update_time: Some(now.into()),
            slices,
            macro_average_slice,
        }))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}
