//! gRPC server reflection, over the descriptors as they were compiled, byte for byte.
//!
//! tonic-reflection's own server decodes them into types that do not know `google.api.http` and other options, and so
//! loses these; here, files are cut out of the descriptor sets and passed on. v1alpha has v1's messages under another
//! name.

mod index;

use std::pin::Pin;

use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::server_reflection_server::{ServerReflection, ServerReflectionServer};
use tonic_reflection::pb::v1::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse,
    ServerReflectionRequest, ServerReflectionResponse, ServiceResponse,
};

use self::index::Index;

/// Where reflection answers.
pub(crate) const PATH: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
/// Where it answers to older clients.
pub(crate) const ALPHA_PATH: &str = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

/// Answers at [`PATH`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reflection;

impl Reflection {
    pub(crate) fn server() -> ServerReflectionServer<Self> {
        ServerReflectionServer::new(Self)
    }
}

#[tonic::async_trait]
impl ServerReflection for Reflection {
    type ServerReflectionInfoStream =
        Pin<Box<dyn Stream<Item = Result<ServerReflectionResponse, Status>> + Send>>;

    async fn server_reflection_info(
        &self,
        request: Request<Streaming<ServerReflectionRequest>>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        let answers = request.into_inner().map(|question| question.map(answer));
        Ok(Response::new(Box::pin(answers)))
    }
}

fn answer(question: ServerReflectionRequest) -> ServerReflectionResponse {
    let index = Index::get();
    let message = match &question.message_request {
        Some(MessageRequest::FileByFilename(name)) => files(index.file(name), "file", name),
        Some(MessageRequest::FileContainingSymbol(symbol)) => {
            files(index.with_symbol(symbol), "symbol", symbol)
        }
        Some(MessageRequest::FileContainingExtension(wanted)) => {
            let (name, number) = (&wanted.containing_type, wanted.extension_number);
            files(index.with_extension(name, number), "extension", &format!("{name} {number}"))
        }
        Some(MessageRequest::AllExtensionNumbersOfType(name)) => match index.extensions(name) {
            Some(extension_number) => MessageResponse::AllExtensionNumbersResponse(ExtensionNumberResponse {
                base_type_name: name.clone(),
                extension_number,
            }),
            None => not_found("type", name),
        },
        Some(MessageRequest::ListServices(_)) => {
            let service = index.services().map(|name| ServiceResponse { name: name.to_owned() }).collect();
            MessageResponse::ListServicesResponse(ListServiceResponse { service })
        }
        None => refusal(Code::InvalidArgument, "the request asks for nothing".to_owned()),
    };
    ServerReflectionResponse {
        valid_host: question.host.clone(),
        original_request: Some(question),
        message_response: Some(message),
    }
}

fn files(found: Option<Vec<Vec<u8>>>, kind: &str, name: &str) -> MessageResponse {
    found.map_or_else(
        || not_found(kind, name),
        |file_descriptor_proto| {
            MessageResponse::FileDescriptorResponse(FileDescriptorResponse { file_descriptor_proto })
        },
    )
}

fn not_found(kind: &str, name: &str) -> MessageResponse {
    let name: String = name.chars().take(200).collect();
    refusal(Code::NotFound, format!("the emulator does not know the {kind} `{name}`"))
}

fn refusal(code: Code, error_message: String) -> MessageResponse {
    MessageResponse::ErrorResponse(ErrorResponse { error_code: code as i32, error_message })
}
