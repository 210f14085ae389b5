"""Longer samples: a long-running operation, a fault, time, and what was called."""

import pytest
from google.api_core import exceptions, retry


def test_an_operation_fails_as_told(insights_client, insights_emulator, insights_parent):
    conversation = insights_client.create_conversation(parent=insights_parent, conversation={})
    operation = insights_client.create_analysis(parent=conversation.name, analysis={})
    insights_emulator.fail(operation, "DATA_LOSS", "the recording is damaged")
    with pytest.raises(exceptions.DataLoss, match="the recording is damaged"):
        operation.result(timeout=30)


def test_a_client_gets_over_an_outage(insights_client, insights_emulator, insights_faults, insights_parent):
    insights_faults.add_fault("ListConversations", code="UNAVAILABLE", times=2)
    patient = retry.Retry(retry.if_exception_type(exceptions.ServiceUnavailable), initial=0.01)
    assert list(insights_client.list_conversations(parent=insights_parent, retry=patient)) == []
    insights_emulator.assert_called("ListConversations", 2, code="UNAVAILABLE")
    insights_emulator.assert_called("ListConversations", 1, code="OK")


def test_a_conversation_expires(insights_client, insights_clock, insights_parent):
    conversation = insights_client.create_conversation(parent=insights_parent, conversation={"ttl": {"seconds": 60}})
    insights_clock.advance_clock("61s")
    with pytest.raises(exceptions.NotFound):
        insights_client.get_conversation(name=conversation.name)
