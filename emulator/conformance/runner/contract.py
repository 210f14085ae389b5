"""What the descriptors say of every method, and messages read from ProtoJSON and printed in one canonical form."""

import dataclasses
import functools
import os
import pathlib

from google.api import annotations_pb2, client_pb2, field_behavior_pb2, resource_pb2  # noqa: F401  (extensions)
from google.longrunning import operations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.rpc import code_pb2, error_details_pb2  # noqa: F401  (the details of errors)

INSIGHTS = "google.cloud.contactcenterinsights.v1.ContactCenterInsights"
OPERATIONS = "google.longrunning.Operations"
CAN_BE_MISSING = {
    descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
    descriptor_pb2.FieldDescriptorProto.TYPE_ENUM,
}
# The operations methods that the service's configuration has; it lacks Delete and Wait.
MIXIN = {
    "GetOperation": ("get", "/v1/{name=projects/*/locations/*/operations/*}", ""),
    "ListOperations": ("get", "/v1/{name=projects/*/locations/*}/operations", ""),
    "CancelOperation": ("post", "/v1/{name=projects/*/locations/*/operations/*}:cancel", "*"),
}


@dataclasses.dataclass(frozen=True)
class Method:
    """One method: its messages, its first HTTP binding, and what its operation ends in, if it starts one."""

    service: str
    name: str
    request: str
    response: str
    verb: str
    template: str
    body: str
    result: str | None
    metadata: str | None

    @property
    def path(self):
        return f"/{self.service}/{self.name}"

    @property
    def is_long_running(self):
        return self.result is not None


class Contract:
    """The methods by name, in the order of the protos, the three of operations last."""

    def __init__(self, path):
        files = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(path).read_bytes())
        self.pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            self.pool.Add(file)
        # Field behaviour is read from these: extensions are known to the default pool only.
        self.protos = {}
        for file in files.file:
            self._index(file.package, file.message_type)
        self.methods = {}
        for file in files.file:
            for service in file.service:
                if f"{file.package}.{service.name}" == INSIGHTS:
                    self.methods.update((method.name, _read(method)) for method in service.method)
        for name, (verb, template, body) in MIXIN.items():
            declared = self.pool.FindMethodByName(f"{OPERATIONS}.{name}")
            types = (declared.input_type.full_name, declared.output_type.full_name)
            self.methods[name] = Method(OPERATIONS, name, *types, verb, template, body, None, None)

    def _index(self, scope, messages):
        for message in messages:
            self.protos[f"{scope}.{message.name}"] = message
            self._index(f"{scope}.{message.name}", message.nested_type)

    def message(self, full_name):
        """An empty message of that type."""
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(full_name))()

    def parse(self, full_name, document):
        """Reads ProtoJSON strictly; an unknown field or a bad value is a ParseError."""
        return json_format.ParseDict(document, self.message(full_name), descriptor_pool=self.pool)

    def show(self, message):
        """The one form that answers of all clients are compared in: ProtoJSON with names for enums."""
        return json_format.MessageToDict(message, descriptor_pool=self.pool)

    def canonical(self, full_name, document):
        """A client's ProtoJSON in the one form."""
        return self.show(self.parse(full_name, document))

    def required(self, full_name):
        """The REQUIRED fields of a message that can be missing, by name: a number's zero is a value."""
        return [
            field.name
            for field in self.protos[full_name].field
            if field_behavior_pb2.REQUIRED in field.options.Extensions[field_behavior_pb2.field_behavior]
            and field.type in CAN_BE_MISSING
        ]

    def items(self, method):
        """JSON name of the repeated field that a paged response is about; None if the method has no pages."""
        fields = self.pool.FindMessageTypeByName(method.response).fields_by_name
        return next(iter(fields.values())).json_name if "next_page_token" in fields else None


def _read(method):
    rule = method.options.Extensions[annotations_pb2.http]
    info = method.options.Extensions[operations_pb2.operation_info]
    verb = rule.WhichOneof("pattern")
    scope = method.input_type.lstrip(".").rpartition(".")[0]
    full = lambda name: name if "." in name else f"{scope}.{name}"  # noqa: E731
    return Method(
        service=INSIGHTS,
        name=method.name,
        request=method.input_type.lstrip("."),
        response=method.output_type.lstrip("."),
        verb=verb,
        template=getattr(rule, verb),
        body=rule.body,
        result=full(info.response_type) if info.response_type else None,
        metadata=full(info.metadata_type) if info.metadata_type else None,
    )


@functools.cache
def load():
    """The contract that this repository's protos state."""
    return Contract(os.environ["CCI_DESCRIPTORS"])


def code_name(number):
    """The name of a status code: NOT_FOUND for 5."""
    return code_pb2.Code.Name(number)
