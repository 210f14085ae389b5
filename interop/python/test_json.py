"""`cci operations decode` accepts, refuses and prints what protobuf's own JSON parser and printer do."""

import collections
import json
import math
import os
import subprocess

from google.cloud import contact_center_insights_v1  # noqa: F401  (registers the API)
from google.longrunning import operations_pb2
from google.protobuf import duration_pb2, empty_pb2, field_mask_pb2, json_format, struct_pb2  # noqa: F401
from google.protobuf import timestamp_pb2, wrappers_pb2  # noqa: F401  (registers the types)
from google.rpc import error_details_pb2, status_pb2  # noqa: F401

import json_corpus


def theirs(text):
    """What protobuf prints of a text; None if it refuses it, to read or to print."""
    try:
        return json_format.MessageToDict(json_format.Parse(text, operations_pb2.Operation()))
    except (json_format.Error, ValueError, RecursionError):
        return None


def ours(text, *arguments):
    command = [os.environ["CCI_BIN"], "operations", "decode", *arguments]
    run = subprocess.run(command, input=text.encode("utf-8", "surrogatepass"), capture_output=True, timeout=60)
    assert run.returncode in (0, 2), (text, run.stderr)
    assert b"panicked" not in run.stderr, (text, run.stderr)
    return json.loads(run.stdout) if run.returncode == 0 else None


def same(a, b):
    """Equal to the last bit, and of the same types: 1 is not true, and 0.0 is not -0.0."""
    if type(a) is not type(b):
        return {type(a), type(b)} == {int, float} and a == b and not isinstance(a, bool) and not isinstance(b, bool)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return a == b


def without_form(text):
    """Whether protobuf reads a text and cannot print it: ours prints the bytes then."""
    try:
        json_format.Parse(text, operations_pb2.Operation())
    except (json_format.Error, ValueError, RecursionError):
        return False
    return theirs(text) is None


def test_the_corpus_has_one_verdict():
    kinds = collections.Counter()
    differences = []
    for kind, text in json_corpus.corpus():
        if not text.strip().startswith("{") or json_corpus.is_stated(text):
            continue  # decode takes what does not begin with a brace for another form
        kinds[kind] += 1
        mine, wanted = ours(text), theirs(text)
        if without_form(text):
            is_same = mine is not None and "@bytes" in json.dumps(mine)
        else:
            is_same = (mine is None) == (wanted is None) and same(mine, wanted)
        if not is_same:
            differences.append(f"{kind}: {text[:200]}\n  ours   {json.dumps(mine)[:200]}\n  theirs {json.dumps(wanted)[:200]}")
    print("corpus:", sum(kinds.values()), "inputs:", ", ".join(f"{kind} {count}" for kind, count in kinds.items()))
    assert sum(kinds.values()) >= 300
    assert not differences, f"{len(differences)} differences\n" + "\n".join(differences)


def test_what_is_stated_to_differ_does():
    text = json_corpus.response("SpeechConfig", "")
    assert theirs(text) == ours(text)
    largest = json_corpus.own("FloatValue", "3.4028235e38")
    assert theirs(largest) is None
    assert ours(largest)["response"]["value"] == 3.4028235e38
