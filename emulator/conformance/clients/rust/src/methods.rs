//! Every method of the client, by its name.

use google_cloud_contactcenterinsights_v1::client::ContactCenterInsights;
use google_cloud_contactcenterinsights_v1::model::*;
use google_cloud_gax::paginator::ItemPaginator;
use google_cloud_longrunning::model::{CancelOperationRequest, GetOperationRequest, ListOperationsRequest};
use google_cloud_lro::{Poller, PollingResult};
use serde::Serialize;
use serde_json::Value;

use crate::{Answer, Failure, read, show};

include!(concat!(env!("OUT_DIR"), "/methods.rs"));

macro_rules! dispatch {
    (
        $client:ident, $method:ident, $request:ident, $mode:ident;
        unary { $($unary:ident $unary_request:ident,)* }
        paged { $($paged:ident $paged_request:ident,)* }
        long_running { $($lro:ident $lro_request:ident,)* }
    ) => {
        match format!("{}Request", $method).as_str() {
            $(stringify!($unary_request) => {
                let call = $client.$unary().with_request(read::<$unary_request>($request)?);
                show(&call.send().await?)
            })*
            $(stringify!($paged_request) => {
                let call = $client.$paged().with_request(read::<$paged_request>($request)?);
                if $mode == "walk" { walk(call.by_item()).await } else { show(&call.send().await?) }
            })*
            $(stringify!($lro_request) => {
                let call = $client.$lro().with_request(read::<$lro_request>($request)?);
                if $mode == "follow" { follow(call.poller()).await } else { show(&call.send().await?) }
            })*
            "GetOperationRequest" => {
                let call = $client.get_operation().with_request(read::<GetOperationRequest>($request)?);
                show(&call.send().await?)
            }
            "ListOperationsRequest" => {
                let call = $client.list_operations().with_request(read::<ListOperationsRequest>($request)?);
                if $mode == "walk" { walk(call.by_item()).await } else { show(&call.send().await?) }
            }
            "CancelOperationRequest" => {
                let call = $client.cancel_operation().with_request(read::<CancelOperationRequest>($request)?);
                show(&call.send().await?)
            }
            _ => Err(Failure::Client(format!("the client has no method {}", $method))),
        }
    };
}

/// All items, by the client's own iterator.
async fn walk<T, R>(
    mut items: impl ItemPaginator<T, google_cloud_gax::error::Error>,
) -> Result<Answer, Failure>
where
    T: google_cloud_gax::paginator::internal::PageableResponse<PageItem = R>,
    R: Serialize,
{
    let mut all = Vec::new();
    while let Some(item) = items.next().await {
        all.push(serde_json::to_value(item?)?);
    }
    Ok(Answer { response: Value::Array(all) })
}

/// Polls to the end. What fails before there is an operation is an error of the call. The last metadata is not to be
/// had: the poller gives none with the result.
async fn follow<R: Serialize, M>(mut poller: impl Poller<R, M>) -> Result<Answer, Failure> {
    if let Some(PollingResult::Completed(result)) = poller.poll().await {
        return show(&result?);
    }
    match poller.until_done().await {
        Ok(response) => show(&response),
        Err(error) => Err(Failure::Operation(error)),
    }
}

/// Makes one call by the name of its method.
pub(crate) async fn call(
    client: &ContactCenterInsights,
    method: &str,
    request: Value,
    mode: &str,
) -> Result<Answer, Failure> {
    with_methods! { dispatch! { client, method, request, mode; } }
}
