"""The official Python client against the emulator: the call that Google documents, and futures to their ends."""

import json
import os
import pathlib
import urllib.request

import grpc
import pytest
from conftest import PARENT
from google.api_core import exceptions
from google.cloud import contact_center_insights_v1 as insights
from google.cloud.contact_center_insights_v1 import ContactCenterInsightsClient
from google.cloud.contact_center_insights_v1.services.contact_center_insights.transports import (
    ContactCenterInsightsGrpcTransport,
)
from google.longrunning import operations_pb2
from google.protobuf import json_format
from google.rpc import code_pb2

DOCUMENTED = json.loads((pathlib.Path(os.environ["CCI_DATA"]) / "documented_operation.json").read_text())


def test_the_documented_call_gives_the_documented_operation(emulator, official):
    address = emulator(seed={"operations": [DOCUMENTED]})
    client = official(address)

    operation = client.transport.operations_client.get_operation(DOCUMENTED["name"])

    assert operation.done
    metadata = insights.CreateIssueModelMetadata()
    assert operation.metadata.Unpack(metadata._pb)
    assert metadata.request.issue_model.display_name == "MODEL_NAME"
    assert metadata.create_time.isoformat() == "2021-01-20T10:10:10.123000+00:00"
    model = insights.IssueModel()
    assert operation.response.Unpack(model._pb)
    assert model.state == insights.IssueModel.State.UNDEPLOYED
    assert model.training_stats.analyzed_conversations_count == 8000
    assert len(model.training_stats.issue_stats) == 2


def test_rest_and_protobuf_print_the_same_document(emulator, official):
    address = emulator(seed={"operations": [DOCUMENTED]})
    with urllib.request.urlopen(f"http://{address}/v1/{DOCUMENTED['name']}") as response:
        over_rest = json.load(response)
    operation = official(address).transport.operations_client.get_operation(DOCUMENTED["name"])
    assert over_rest == json.loads(json_format.MessageToJson(operation))


def test_a_future_is_followed_to_its_result(emulator, official):
    client = official(emulator("--profile", "polls:2"))
    model = insights.IssueModel(display_name="billing", model_type="TYPE_V2", input_data_config={"filter": 'medium="CHAT"'})

    future = client.create_issue_model(parent=PARENT, issue_model=model)
    name = future.operation.name
    assert name.startswith(f"{PARENT}/operations/")
    assert isinstance(future.metadata, insights.CreateIssueModelMetadata)

    result = future.result(timeout=60)
    assert isinstance(result, insights.IssueModel)
    assert result.display_name == "billing"
    assert result.state == insights.IssueModel.State.UNDEPLOYED
    assert future.metadata.end_time is not None
    assert client.get_issue_model(name=result.name).display_name == "billing"


def test_a_failing_operation_raises_its_own_error(emulator, official):
    client = official(emulator("--profile", "immediate,fail=RESOURCE_EXHAUSTED:too many models"))
    future = client.create_issue_model(parent=PARENT, issue_model=insights.IssueModel(display_name="m", model_type="TYPE_V2"))
    with pytest.raises(exceptions.ResourceExhausted, match="too many models"):
        future.result(timeout=60)


def test_cancelling_ends_a_future(emulator, official):
    client = official(emulator("--profile", "time:1h"))
    future = client.create_issue_model(parent=PARENT, issue_model=insights.IssueModel(display_name="m", model_type="TYPE_V2"))
    assert future.cancel()
    operation = client.transport.operations_client.get_operation(future.operation.name)
    assert operation.done and operation.error.code == code_pb2.CANCELLED


def test_operations_are_listed_page_by_page(emulator, official):
    names = [f"{PARENT}/operations/{number}" for number in range(7)]
    address = emulator(seed={"operations": [{"name": name} for name in names]})
    client = official(address)
    request = operations_pb2.ListOperationsRequest(name=PARENT, page_size=3)
    seen = []
    while True:
        page = client.list_operations(request)
        seen += [operation.name for operation in page.operations]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert sorted(seen) == names


def test_conversations_live_their_life(emulator, official):
    client = official(emulator("--profile", "immediate"))
    created = client.create_conversation(
        parent=PARENT, conversation=insights.Conversation(agent_id="007"), conversation_id="conv-1"
    )
    assert created.name == f"{PARENT}/conversations/conv-1"
    analysis = client.create_analysis(parent=created.name, analysis=insights.Analysis()).result(timeout=60)
    assert analysis.name.startswith(created.name + "/analyses/")
    assert [c.name for c in client.list_conversations(parent=PARENT)] == [created.name]
    with pytest.raises(exceptions.FailedPrecondition):
        client.delete_conversation(name=created.name)
    client.delete_conversation(request={"name": created.name, "force": True})
    with pytest.raises(exceptions.NotFound):
        client.get_conversation(name=created.name)


def test_what_is_not_served_says_so(emulator, official):
    client = official(emulator())
    with pytest.raises(exceptions.MethodNotImplemented, match="DeleteOperation"):
        client.transport.operations_client.delete_operation(f"{PARENT}/operations/1")
    with pytest.raises(exceptions.NotFound, match="operations/none"):
        client.transport.operations_client.get_operation(f"{PARENT}/operations/none")


def test_compressed_requests_are_taken(emulator):
    channel = grpc.insecure_channel(emulator(), compression=grpc.Compression.Gzip)
    with channel:
        client = ContactCenterInsightsClient(transport=ContactCenterInsightsGrpcTransport(channel=channel))
        created = client.create_conversation(parent=PARENT, conversation=insights.Conversation(agent_id="ada" * 1000))
        assert client.get_conversation(name=created.name).agent_id == "ada" * 1000
