//! Every method of the client, by its name.

use contact_center_insights::any::Unpack;
use contact_center_insights::call::Call;
use contact_center_insights::call::Page;
use contact_center_insights::json::{from_message, from_operation, to_message};
use contact_center_insights::lro::Poller;
use contact_center_insights::proto::insights;
use contact_center_insights::proto::longrunning::{
    self, CancelOperationRequest, GetOperationRequest, ListOperationsRequest,
};
use contact_center_insights::{Client, Operation};
use prost::{Message, Name};
use serde_json::Value;
use tokio_stream::StreamExt as _;

use crate::{Answer, Failure};

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
                show(&$client.$unary(to_message::<insights::$unary_request>($request)?).await?)
            })*
            $(stringify!($paged_request) => {
                let call = $client.$paged(to_message::<insights::$paged_request>($request)?);
                if $mode == "walk" { walk(call).await } else { show(&call.await?) }
            })*
            $(stringify!($lro_request) => {
                let poller = $client.$lro(to_message::<insights::$lro_request>($request)?).await?;
                if $mode == "follow" { follow(poller).await } else { snapshot(&poller) }
            })*
            "GetOperationRequest" => {
                let GetOperationRequest { name } = to_message($request)?;
                operation($client.get_operation(name).await?.raw())
            }
            "ListOperationsRequest" => {
                let call = $client.list_operations(to_message::<ListOperationsRequest>($request)?);
                if $mode == "walk" { walk(call).await } else { show(&call.await?) }
            }
            "CancelOperationRequest" => {
                let CancelOperationRequest { name } = to_message($request)?;
                show(&$client.cancel_operation(name).await?)
            }
            _ => Err(Failure::Client(format!("the client has no method {}", $method))),
        }
    };
}

fn show<T: Message + Name>(message: &T) -> Result<Answer, Failure> {
    Ok(Answer { response: from_message(message)?, metadata: None })
}

fn operation(operation: &longrunning::Operation) -> Result<Answer, Failure> {
    Ok(Answer { response: from_operation(operation)?, metadata: None })
}

/// The operation as the call came back with it.
fn snapshot<R: Unpack, M: Unpack>(poller: &Poller<R, M>) -> Result<Answer, Failure> {
    let last = poller.last().ok_or_else(|| Failure::Client("the call brought no operation".to_owned()))?;
    operation(last.raw())
}

/// All items, by the client's own iterator.
async fn walk<P: Page>(call: Call<P>) -> Result<Answer, Failure>
where
    P::Item: Message + Name,
{
    let mut items = call.into_pages().into_items();
    let mut all = Vec::new();
    while let Some(item) = items.next().await {
        all.push(from_message(&item?)?);
    }
    Ok(Answer { response: Value::Array(all), metadata: None })
}

/// Polls to the end, with what the operation held then.
async fn follow<R, M>(mut poller: Poller<R, M>) -> Result<Answer, Failure>
where
    R: Unpack + Message + Name,
    M: Unpack + Message + Name,
{
    let ended = poller.until_done().await;
    let metadata = poller.last().and_then(Operation::metadata).and_then(Result::ok);
    let metadata = metadata.map(|metadata| from_message(&metadata)).transpose()?;
    match ended {
        Ok(response) => Ok(Answer { response: from_message(&response)?, metadata }),
        Err(error) => Err(Failure::Refused(Box::new(error), metadata)),
    }
}

/// Makes one call by the name of its method.
pub(crate) async fn call(
    client: &Client,
    method: &str,
    request: &Value,
    mode: &str,
) -> Result<Answer, Failure> {
    with_methods! { dispatch! { client, method, request, mode; } }
}
