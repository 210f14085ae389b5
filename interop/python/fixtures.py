"""Operations of every long-running method in every state, as protobuf's own JSON printer prints them.

    fixtures.py write FILE    writes the fixture that tests/json.rs reads
    fixtures.py check FILE    fails unless the installed protobuf still prints the same

Which methods there are, and what their operations hold, is read from the descriptors that the official client
registers; every field is filled by a rule, so that no kind of field is forgotten.
"""

import base64
import json
import sys

from google.api import annotations_pb2  # noqa: F401  (registers google.api.http)
from google.cloud import contact_center_insights_v1  # noqa: F401  (registers the API)
from google.longrunning import operations_pb2
from google.protobuf import any_pb2, descriptor_pool, empty_pb2, json_format, message_factory  # noqa: F401
from google.rpc import code_pb2, error_details_pb2, status_pb2

PACKAGE = "google.cloud.contactcenterinsights.v1"
POOL = descriptor_pool.Default()
DEPTH = 4

# The runtime descriptors of the official package carry no operation_info; its client says the types in code.
# These pairs are what `PACKAGE.<method>` promises, and tests/contract.rs has them from the protos.
PAIRS = {
    "UploadConversation": ("Conversation", "UploadConversationMetadata"),
    "CreateAnalysis": ("Analysis", "CreateAnalysisOperationMetadata"),
    "BulkAnalyzeConversations": None,
    "BulkDeleteConversations": None,
    "IngestConversations": None,
    "ExportInsightsData": None,
    "CreateIssueModel": ("IssueModel", "CreateIssueModelMetadata"),
    "DeleteIssueModel": ("google.protobuf.Empty", "DeleteIssueModelMetadata"),
    "DeployIssueModel": None,
    "UndeployIssueModel": None,
    "ExportIssueModel": None,
    "ImportIssueModel": None,
    "InitializeEncryptionSpec": None,
    "QueryMetrics": None,
    "TuneQaScorecardRevision": None,
    "BulkUploadFeedbackLabels": None,
    "BulkDownloadFeedbackLabels": None,
}

TIMES = [(1611137410, 0), (1611137410, 123_000_000), (1611137410, 123_456_000), (1611137410, 123_456_789), (-1, 5)]
DURATIONS = [(3, 0), (3, 120_000_000), (0, -500_000_000), (-3, -1)]


class Filler:
    """Fills messages, each value a little different from the last."""

    def __init__(self):
        self.count = 0

    def message(self, name, depth=DEPTH):
        message = message_factory.GetMessageClass(POOL.FindMessageTypeByName(name))()
        self.fill(message, depth)
        return message

    def fill(self, message, depth):
        special = getattr(self, "fill_" + message.DESCRIPTOR.name.lower(), None)
        if message.DESCRIPTOR.file.package == "google.protobuf" and special:
            return special(message)
        chosen = set()
        for field in message.DESCRIPTOR.fields:
            oneof = field.containing_oneof
            if oneof is not None and len(oneof.fields) > 1:
                # One member of each oneof, another one each time.
                if oneof.name in chosen or oneof.fields[self.count % len(oneof.fields)] is not field:
                    continue
                chosen.add(oneof.name)
            self.count += 1
            self.fill_field(message, field, depth)

    def fill_field(self, message, field, depth):
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            entries = getattr(message, field.name)
            value = field.message_type.fields_by_name["value"]
            for key in ("zoo", "ant", "10", "9"):
                if value.message_type is None:
                    entries[key] = self.scalar(value)
                elif depth > 0:
                    self.fill(entries[key], depth - 1)
        elif field.message_type is not None:
            if depth <= 0:
                return
            repeated = field.is_repeated
            for _ in range(2 if repeated else 1):
                child = getattr(message, field.name)
                child = child.add() if repeated else child
                child.SetInParent() if not repeated else None
                self.fill(child, depth - 1)
        elif field.is_repeated:
            getattr(message, field.name).extend([self.scalar(field), self.scalar(field)])
        else:
            setattr(message, field.name, self.scalar(field))

    def scalar(self, field):
        self.count += 1
        kind = field.cpp_type
        if kind == field.CPPTYPE_ENUM:
            values = field.enum_type.values
            # Now and then a number that has no name.
            return 99 if self.count % 7 == 0 else values[self.count % len(values)].number
        if kind == field.CPPTYPE_BOOL:
            return self.count % 2 == 0
        if kind == field.CPPTYPE_STRING:
            return ['plain', 'quote " and \\', 'é ü 漢 \u2028', '<html> & \t'][self.count % 4] + str(self.count)
        if kind in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT):
            return [0.1, 1.0, -2.5, 1e-7, 12345678.0, float("nan"), float("inf"), float("-inf"), 0.0][self.count % 9]
        if kind in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64):
            return [12000, 2**53 + 1, -(2**63)][self.count % 3]
        return [7, -(2**31), 2**31 - 1][self.count % 3]

    def fill_timestamp(self, message):
        self.count += 1
        message.seconds, message.nanos = TIMES[self.count % len(TIMES)]

    def fill_duration(self, message):
        self.count += 1
        message.seconds, message.nanos = DURATIONS[self.count % len(DURATIONS)]

    def fill_fieldmask(self, message):
        message.paths.extend(["foo_bar.baz_qux", "a"])

    def fill_empty(self, message):
        pass

    def fill_any(self, message):
        self.count += 1
        details = [
            error_details_pb2.ErrorInfo(reason="QUOTA", domain="example.com", metadata={"b": "2", "a": "1"}),
            error_details_pb2.BadRequest(
                field_violations=[error_details_pb2.BadRequest.FieldViolation(field="parent", description="missing")]
            ),
            error_details_pb2.LocalizedMessage(locale="de", message="zu viel"),
        ]
        message.Pack(details[self.count % len(details)], deterministic=True)
        if self.count % 3 == 1:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromMilliseconds(1500)
            message.Pack(retry, deterministic=True)


def packed(message):
    any_message = any_pb2.Any()
    # Maps in order of key, so that the bytes are the same every time.
    any_message.Pack(message, deterministic=True)
    return any_message


def full_name(name):
    return name if "." in name else f"{PACKAGE}.{name}"


def operations():
    service = contact_center_insights_v1.ContactCenterInsightsClient
    for method, pair in PAIRS.items():
        response, metadata = (full_name(name) for name in pair or (method + "Response", method + "Metadata"))
        assert hasattr(service, to_snake(method)), method
        for state in ("running", "done", "failed", "cancelled"):
            filler = Filler()
            operation = operations_pb2.Operation(
                name=f"projects/p/locations/us-central1/operations/{method}-{state}", done=state != "running"
            )
            operation.metadata.CopyFrom(packed(filler.message(metadata)))
            if state == "done":
                operation.response.CopyFrom(packed(filler.message(response)))
            elif state == "failed":
                status = status_pb2.Status(code=code_pb2.RESOURCE_EXHAUSTED, message="too many")
                for _ in range(4):
                    filler.fill_any(status.details.add())
                operation.error.CopyFrom(status)
            elif state == "cancelled":
                operation.error.CopyFrom(status_pb2.Status(code=code_pb2.CANCELLED))
            yield method, state, operation


def to_snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def fixture():
    cases = []
    for method, state, operation in operations():
        cases.append(
            {
                "method": method,
                "state": state,
                "bytes": base64.b64encode(operation.SerializeToString(deterministic=True)).decode(),
                "json": json.loads(json_format.MessageToJson(operation)),
            }
        )
    return json.dumps(cases, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True) + "\n"


def main():
    mode, path = sys.argv[1:]
    if mode == "write":
        with open(path, "w", encoding="utf-8") as file:
            file.write(fixture())
    elif mode == "check":
        with open(path, encoding="utf-8") as file:
            if file.read() != fixture():
                sys.exit(f"{path} is not what this protobuf prints; run `fixtures.py write {path}` and look")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
