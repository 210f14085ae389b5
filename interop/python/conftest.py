"""What the interoperability tests share: the emulator as a process, and the official client pointed at it."""

import json
import os
import subprocess

import grpc
import pytest
from google.cloud.contact_center_insights_v1 import ContactCenterInsightsClient
from google.cloud.contact_center_insights_v1.services.contact_center_insights.transports import (
    ContactCenterInsightsGrpcTransport,
)

PARENT = "projects/123456789012/locations/us-central1"


@pytest.fixture
def emulator(tmp_path):
    """Starts `cci emulator` with the given arguments and seed; gives its address."""
    running = []

    def start(*arguments, seed=None):
        command = [os.environ["CCI_BIN"], "emulator", "--port", "0", "--min-training-conversations", "0", *arguments]
        if seed is not None:
            path = tmp_path / "seed.json"
            path.write_text(json.dumps(seed), encoding="utf-8")
            command += ["--seed", str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        ready = json.loads(process.stdout.readline())
        assert ready["ready"] is True
        return ready["address"]

    yield start
    for process in running:
        process.terminate()
        assert process.wait(timeout=10) == 0, "SIGTERM ends the emulator with exit 0"


@pytest.fixture
def official():
    """The official client over an insecure channel to an address."""
    channels = []

    def connect(address):
        channel = grpc.insecure_channel(address)
        channels.append(channel)
        return ContactCenterInsightsClient(transport=ContactCenterInsightsGrpcTransport(channel=channel))

    yield connect
    for channel in channels:
        channel.close()
