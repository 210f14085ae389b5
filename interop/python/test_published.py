"""What Google's published Python snippets call works as published: over TLS, with the client made without arguments.

Only what is around the program is changed: which authority it trusts, where the names lead, and a service account whose
key is made up here, with which the client signs tokens by itself.
"""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.longrunning import operations_pb2
from google.protobuf import json_format
from google.cloud import contact_center_insights_v1 as insights  # noqa: F401  (registers the API's types)
from published import CHAT, PROGRAMS
from tunnel import tunnel

PROJECT = "published-snippets"
L = f"projects/{PROJECT}/locations/us-central1"
# Answers name the project by its number.
NUMBER = "900100200300"
NUMBERED = f"projects/{NUMBER}/locations/us-central1"
ENDPOINT = "contactcenterinsights.googleapis.com:443"


@pytest.fixture(scope="module")
def service_account(tmp_path_factory):
    """A key file as the cloud console gives it, for an account that is not there."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("account") / "key.json"
    account = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": key.decode(),
        "client_email": f"tests@{PROJECT}.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    path.write_text(json.dumps(account), encoding="utf-8")
    return path


@pytest.fixture
def program(emulator, service_account, tmp_path):
    """Runs one of the programs, with an emulator behind the names it knows; gives what it prints."""
    bucket = tmp_path / "storage" / "cloud-samples-data" / "ccai"
    bucket.mkdir(parents=True)
    text = {"text": "My phone is broken", "user_id": 1, "role": "CUSTOMER", "start_timestamp_usec": 1_700_000_000_000_000}
    (bucket / "chat_sample.json").write_text(json.dumps({"entries": [text]}), encoding="utf-8")
    authority = tmp_path / "ca.pem"
    address = emulator(
        "--tls",
        "--ca-out",
        str(authority),
        "--gcs-root",
        str(tmp_path / "storage"),
        "--project-number",
        f"{PROJECT}={NUMBER}",
    )
    with tunnel(address) as (proxy, asked):

        def run(name, *arguments):
            around = {
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(authority),
                "grpc_proxy": proxy,
                "GOOGLE_APPLICATION_CREDENTIALS": str(service_account),
            }
            command = [sys.executable, str(pathlib.Path(__file__).with_name("published.py")), name, *arguments]
            done = subprocess.run(command, env=os.environ | around, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        yield run
        assert set(asked) == {ENDPOINT}, "every call went to the published endpoint"


def test_conversations_and_analyses(program):
    conversation = program("create_conversation", PROJECT)
    assert conversation["name"].startswith(f"{NUMBERED}/conversations/")
    assert conversation["medium"] == "CHAT"
    assert conversation["dataSource"]["gcsSource"]["transcriptUri"] == CHAT
    short = program("create_conversation_with_ttl", PROJECT)
    assert "expireTime" in short and "ttl" not in short
    analysis = program("create_analysis", conversation["name"])
    assert analysis["name"].startswith(conversation["name"] + "/analyses/")


def test_phrase_matchers(program):
    both = program("create_phrase_matcher_all_of", PROJECT)
    assert (both["type"], len(both["phraseMatchRuleGroups"])) == ("ALL_OF", 2)
    assert both["phraseMatchRuleGroups"][1]["phraseMatchRules"][0] == {
        "query": "SHIPPING",
        "negated": True,
        "config": {"exactMatchConfig": {}},
    }
    assert program("create_phrase_matcher_any_of", PROJECT)["type"] == "ANY_OF"


def test_issue_models_and_their_operations(program):
    program("create_conversation", PROJECT)
    model = program("create_issue_model", PROJECT)
    assert (model["displayName"], model["state"]) == ("my-model", "UNDEPLOYED")
    # The emulator counts operations up from here.
    operation = program("get_operation", f"{L}/operations/1000000000000000001")
    read = json_format.ParseDict(operation, operations_pb2.Operation())
    assert read.done and read.response.type_url.endswith(".IssueModel")


def test_exports(program):
    program("create_conversation", PROJECT)
    assert program("export_to_bigquery", PROJECT, PROJECT, "dataset", "table") == {}


def test_settings(program):
    topics = [f"projects/{PROJECT}/topics/{name}" for name in ("conversations", "analyses")]
    changed = program("enable_pubsub_notifications", PROJECT, *topics)
    assert changed["pubsubNotificationSettings"] == {
        "create-conversation": topics[0],
        "create-analysis": topics[1],
    }
    settings = program("set_project_ttl", PROJECT)
    assert (settings["name"], settings["conversationTtl"]) == (f"{NUMBERED}/settings", "60s")
    assert "pubsubNotificationSettings" in settings, "the mask names one field"


def test_all_programs_are_run():
    source = pathlib.Path(__file__).read_text(encoding="utf-8")
    assert [name for name in PROGRAMS if f'program("{name}"' not in source] == []
