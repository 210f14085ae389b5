"""Drives google-cloud-contact-center-insights: official.py ADDRESS grpc|rest."""

import inspect
import re
import sys

import grpc
from google.api_core import exceptions, operation
from google.auth.credentials import AnonymousCredentials
from google.cloud import contact_center_insights_v1 as insights
from google.cloud.contact_center_insights_v1.services.contact_center_insights import transports
from google.longrunning import operations_pb2
from google.protobuf import any_pb2, empty_pb2, json_format  # noqa: F401  (Empty is met in an Any)
from google.rpc import code_pb2, error_details_pb2  # noqa: F401  (registers the details of errors)
from lines import answer, refused, serve

# Far beyond what any operation of the corpus takes.
PATIENCE = 120


def connect(address, transport):
    if transport == "rest":
        return insights.ContactCenterInsightsClient(
            transport=transports.ContactCenterInsightsRestTransport(
                host=address, url_scheme="http", credentials=AnonymousCredentials()
            )
        )
    channel = grpc.insecure_channel(address)
    return insights.ContactCenterInsightsClient(
        transport=transports.ContactCenterInsightsGrpcTransport(channel=channel)
    )


def plain(message):
    """Any message, of proto-plus or not, as ProtoJSON."""
    if message is None:
        return {}
    if hasattr(type(message), "pb"):
        message = type(message).pb(message)
    return json_format.MessageToDict(message)


def status(error, **more):
    """The status that an exception stands for; over HTTP the client keeps it in the response."""
    details = [detail if isinstance(detail, dict) else packed(detail) for detail in error.details]
    code = error.grpc_status_code
    if code is None and error.response is not None:
        return refused(error.response.json()["error"]["status"], error.message, details, **more)
    return refused(code.name if code else "CLIENT", error.message, details, **more)


def packed(detail):
    wrapper = any_pb2.Any()
    wrapper.Pack(detail)
    return plain(wrapper)


class Driver:
    def __init__(self, address, transport):
        self.client = connect(address, transport)

    def handle(self, name, document, mode):
        method = getattr(self.client, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
        try:
            return self.finish(name, method, self.read(name, document), mode)
        except exceptions.GoogleAPICallError as error:
            return status(error)

    def read(self, name, document):
        """The request in the client's own type: proto-plus for the API, plain for operations."""
        kind = getattr(insights, f"{name}Request", None)
        if kind is None:
            return json_format.ParseDict(document, getattr(operations_pb2, f"{name}Request")())
        return kind.wrap(json_format.ParseDict(document, kind.pb(kind())))

    def finish(self, name, method, request, mode):
        if mode == "walk" and name == "ListOperations":
            pager = self.client.transport.operations_client.list_operations(request.name, request.filter)
            return answer([plain(item) for item in pager])
        found = method(request=request)
        if isinstance(found, operation.Operation):
            return self.follow(found) if mode == "follow" else answer(plain(found.operation))
        if inspect.isdatadescriptor(getattr(type(found), "pages", None)):
            return answer([plain(item) for item in found] if mode == "walk" else plain(next(iter(found.pages))))
        return answer(plain(found))

    def follow(self, future):
        try:
            result = future.result(timeout=PATIENCE)
        except exceptions.GoogleAPICallError as error:
            ended = future.operation.error
            if not ended.code:
                return status(error)
            details = [plain(detail) for detail in ended.details]
            code = code_pb2.Code.Name(ended.code)
            return refused(code, ended.message, details, during="operation", metadata=plain(future.metadata))
        return answer(plain(result), metadata=plain(future.metadata))


if __name__ == "__main__":
    serve(Driver(*sys.argv[1:]).handle)
