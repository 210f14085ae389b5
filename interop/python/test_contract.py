"""The contract in proto/ is the one inside the official Python package.

The package has messages as descriptors, and services, HTTP bindings and operation types as generated code; so
the former are compared as descriptors, and the latter with what that code does or says.
"""

import ast
import inspect
import os
import pathlib
import re

import pytest
from google.api import annotations_pb2, client_pb2, field_behavior_pb2, field_info_pb2, resource_pb2, routing_pb2
from google.cloud.contact_center_insights_v1.services.contact_center_insights import client as client_module
from google.cloud.contact_center_insights_v1.services.contact_center_insights.transports import grpc, rest_base
from google.longrunning import operations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.rpc import code_pb2, error_details_pb2, status_pb2
from google.type import interval_pb2

PACKAGE = "google.cloud.contactcenterinsights.v1"
SERVICE = f"{PACKAGE}.ContactCenterInsights"
# Whole files that the package's dependencies carry with all their options.
COMMON = [
    annotations_pb2,
    client_pb2,
    code_pb2,
    error_details_pb2,
    field_behavior_pb2,
    field_info_pb2,
    interval_pb2,
    operations_pb2,
    resource_pb2,
    routing_pb2,
    status_pb2,
]


def read_ours():
    files = descriptor_pb2.FileDescriptorSet()
    files.ParseFromString(pathlib.Path(os.environ["CCI_DESCRIPTORS"]).read_bytes())
    return {file.name: file for file in files.file}


OURS = read_ours()
INSIGHTS = [OURS[f"google/cloud/contactcenterinsights/v1/{name}.proto"] for name in ("resources", "contact_center_insights")]
(SERVICE_PROTO,) = INSIGHTS[1].service


def messages(container, scope):
    nested = container.nested_type if isinstance(container, descriptor_pb2.DescriptorProto) else container.message_type
    for message in nested:
        name = f"{scope}.{message.name}"
        yield name, message
        yield from messages(message, name)


def enums(container, scope):
    for enum in container.enum_type:
        yield f"{scope}.{enum.name}", enum
    nested = container.nested_type if isinstance(container, descriptor_pb2.DescriptorProto) else container.message_type
    for message in nested:
        yield from enums(message, f"{scope}.{message.name}")


OUR_MESSAGES = {name: message for file in INSIGHTS for name, message in messages(file, PACKAGE)}
OUR_ENUMS = {name: enum for file in INSIGHTS for name, enum in enums(file, PACKAGE)}
THEIR_FILES = {
    field.file.name
    for name in ("Conversation", "CreateConversationRequest")
    for field in [descriptor_pool.Default().FindMessageTypeByName(f"{PACKAGE}.{name}")]
}


def their_files():
    for name in sorted(THEIR_FILES):
        file = descriptor_pb2.FileDescriptorProto()
        descriptor_pool.Default().FindFileByName(name).CopyToProto(file)
        yield file


THEIR_MESSAGES = {name: message for file in their_files() for name, message in messages(file, PACKAGE)}
THEIR_ENUMS = {name: enum for file in their_files() for name, enum in enums(file, PACKAGE)}


def field_shape(message, field):
    """What makes a field: its name without the underscore that Python adds to keywords, and all that travels."""
    oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None
    return {
        "name": field.name.rstrip("_"),
        "number": field.number,
        "label": field.label,
        "type": field.type,
        "type_name": field.type_name,
        "optional": field.proto3_optional,
        "oneof": None if field.proto3_optional else oneof,
        "json": re.sub("_$", "", field.json_name or camel(field.name)),
    }


def camel(name):
    head, *tail = name.rstrip("_").split("_")
    return head + "".join(part.capitalize() for part in tail)


def test_the_messages_are_the_same():
    assert len(OUR_MESSAGES) == 237
    assert sorted(OUR_MESSAGES) == sorted(THEIR_MESSAGES)


@pytest.mark.parametrize("name", sorted(OUR_MESSAGES))
def test_fields_are_the_same(name):
    def shapes(message):
        return sorted((field_shape(message, field) for field in message.field), key=lambda shape: shape["number"])

    assert shapes(OUR_MESSAGES[name]) == shapes(THEIR_MESSAGES[name])


def test_enums_are_the_same():
    def values(all_enums):
        return {name: {value.name: value.number for value in enum.value} for name, enum in all_enums.items()}

    assert len(OUR_ENUMS) == 23
    assert values(OUR_ENUMS) == values(THEIR_ENUMS)


class RecordingChannel:
    """Notes which paths and messages the generated stubs ask a channel for."""

    def __init__(self):
        self.methods = {}

    def unary_unary(self, path, request_serializer=None, response_deserializer=None, **_):
        def message(function):
            owner = getattr(function, "__self__", None)
            if owner is None:
                owner = inspect.getclosurevars(function).nonlocals.get("cls")
            pb = owner.pb() if hasattr(owner, "pb") else owner
            return pb.DESCRIPTOR.full_name

        self.methods[path] = (message(request_serializer), message(response_deserializer))


def test_methods_and_their_messages_are_the_same():
    channel = RecordingChannel()
    transport = object.__new__(grpc.ContactCenterInsightsGrpcTransport)
    transport._logged_channel = channel
    transport._stubs = {}
    for method in SERVICE_PROTO.method:
        getattr(transport, snake(method.name))
    ours = {
        f"/{SERVICE}/{method.name}": (method.input_type.lstrip("."), method.output_type.lstrip("."))
        for method in SERVICE_PROTO.method
    }
    assert len(ours) == 74
    assert channel.methods == ours
    # And theirs has no method that ours lacks.
    base = client_module.ContactCenterInsightsClient
    theirs = set(re.findall(r"self\._transport\._wrapped_methods\[self\._transport\.(\w+)\]", inspect.getsource(base)))
    theirs |= set(re.findall(r"_wrapped_methods\[\s*self\._transport\.(\w+)\s*\]", inspect.getsource(base)))
    assert theirs - {"get_operation", "list_operations", "cancel_operation"} == {snake(m.name) for m in SERVICE_PROTO.method}


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def bindings(rule):
    for one in [rule, *rule.additional_bindings]:
        verb = one.WhichOneof("pattern")
        binding = {"method": verb, "uri": getattr(one, verb)}
        if one.body:
            binding["body"] = one.body
        yield binding


@pytest.mark.parametrize("method", SERVICE_PROTO.method, ids=lambda method: method.name)
def test_http_bindings_are_the_same(method):
    base = rest_base._BaseContactCenterInsightsRestTransport
    theirs = getattr(base, f"_Base{method.name}")._get_http_options()
    assert list(bindings(method.options.Extensions[annotations_pb2.http])) == theirs


def operation_types():
    """Method to (response, metadata), as the client's code hands them to `operation.from_gapic`."""
    found = {}
    for node in ast.walk(ast.parse(inspect.getsource(client_module))):
        if not isinstance(node, ast.FunctionDef):
            continue
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "operation.from_gapic":
                (metadata,) = [keyword.value for keyword in call.keywords if keyword.arg == "metadata_type"]
                found[node.name] = tuple(ast.unparse(part).split(".")[-1] for part in (call.args[2], metadata))
    return found


def test_operation_types_are_the_same():
    ours = {}
    for method in SERVICE_PROTO.method:
        if method.options.HasExtension(operations_pb2.operation_info):
            info = method.options.Extensions[operations_pb2.operation_info]
            ours[snake(method.name)] = (info.response_type.split(".")[-1], info.metadata_type.split(".")[-1])
    assert len(ours) == 17
    assert ours == operation_types()


@pytest.mark.parametrize("module", COMMON, ids=lambda module: module.DESCRIPTOR.name)
def test_common_files_are_the_same(module):
    theirs = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(theirs)
    ours = descriptor_pb2.FileDescriptorProto()
    ours.CopyFrom(OURS[theirs.name])
    for file in (ours, theirs):
        file.ClearField("source_code_info")
        for service in file.service:
            for method in service.method:
                # `{}` and `;` after an rpc say the same.
                if method.HasField("options") and not method.options.ListFields():
                    method.ClearField("options")
        for scope in [file, *(message for _, message in messages(file, ""))]:
            fields = scope.field if isinstance(scope, descriptor_pb2.DescriptorProto) else scope.extension
            for field in fields:
                field.json_name = field.json_name or camel(field.name)
        for extension in file.extension:
            # The published set says `[packed = false]` on field_behavior, the release of the common protos does
            # not: a matter of how descriptors are laid out, which readers accept both ways.
            extension.options.ClearField("packed")
            if not extension.options.ListFields():
                extension.ClearField("options")
    assert ours == theirs
