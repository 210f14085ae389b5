"""The admin API from Python."""

import datetime
import http.client
import json
import pathlib
import subprocess
import sys
from typing import Any, Iterator

import pytest

import contact_center_insights_emulator as insights
from contact_center_insights_emulator import _admin

PARENT = "projects/7/locations/us-central1"
NAME = PARENT + "/operations/{}"
START = datetime.datetime(2026, 11, 24, 9, tzinfo=datetime.timezone.utc)


@pytest.fixture
def emulator() -> Iterator[insights.Emulator]:
    operations = [{"name": NAME.format(number), "done": False} for number in range(3)]
    seed = {"operations": operations}
    with insights.start(clock=START, seed=seed, profile={"CreateIssueModel": "immediate"}) as started:
        yield started


def test_time_moves_when_told(emulator: insights.Emulator) -> None:
    assert emulator.now() == START
    assert emulator.advance_clock("90s") == START + datetime.timedelta(seconds=90)
    assert emulator.advance_clock(0.5) == START + datetime.timedelta(seconds=90.5)
    assert emulator.advance_clock(datetime.timedelta(hours=1)).hour == 10
    assert emulator.set_clock(datetime.datetime(2027, 1, 1)).year == 2027
    with insights.start() as real, pytest.raises(insights.AdminError, match="FAILED_PRECONDITION: the clock is real"):
        real.advance_clock("1s")


def test_a_refusal_names_what_is_wrong(emulator: insights.Emulator) -> None:
    with pytest.raises(insights.AdminError) as caught:
        emulator.request("POST", "faults", {"faults": [{"transport": "Reset"}]})
    assert caught.value.status == "INVALID_ARGUMENT" and "faults[0].transport" in caught.value.message
    with pytest.raises(ValueError, match="is not one of OK"):
        emulator.add_fault(code="LATE")
    with pytest.raises(TypeError, match="not an operation"):
        emulator.complete(7)
    with pytest.raises(insights.AdminError, match="HTTP 404|NOT_FOUND"):
        emulator.complete(NAME.format(99))


def test_the_lines_for_python_make_clients(emulator: insights.Emulator, tmp_path: pathlib.Path) -> None:
    snippets: Any = emulator.request("GET", f"snippets?address={emulator.address}")
    (lines,) = [snippet["code"] for snippet in snippets["snippets"] if snippet["language"] == "python"]
    program = tmp_path / "lines.py"
    program.write_text(f"{lines}\nfor one in (client, rest):\n    list(one.list_views(parent={PARENT!r}))\n")
    subprocess.run([sys.executable, str(program)], check=True, timeout=60)
    emulator.assert_called("ListViews", 2)


def send(emulator: insights.Emulator, verb: str, path: str, body: str = "") -> tuple:
    """A status and a document of the emulated API over REST."""
    connection = http.client.HTTPConnection(emulator.address)
    connection.request(verb, f"/v1/{path}", body)
    response = connection.getresponse()
    document = json.loads(response.read())
    connection.close()
    return response.status, document


def test_operations_end_as_told(emulator: insights.Emulator) -> None:
    names = []
    for _ in range(3):
        _, conversation = send(emulator, "POST", f"{PARENT}/conversations", "{}")
        _, operation = send(emulator, "POST", f"{conversation['name']}/analyses", "{}")
        names.append(operation["name"])

    def get(number: int) -> Any:
        return send(emulator, "GET", names[number])[1]

    emulator.complete(names[0])
    assert get(0)["done"] and "error" not in get(0)
    emulator.fail(names[1], "ABORTED", "by hand")
    assert get(1)["error"]["code"] == 10 and get(1)["error"]["message"] == "by hand"
    assert [emulator.advance(names[2]) for _ in range(2)] == [False, True]


def test_state_is_taken_and_put_back(emulator: insights.Emulator) -> None:
    before = emulator.snapshot()
    emulator.reset("7")
    assert "operations" not in emulator.export()
    emulator.restore(before)
    assert emulator.snapshot() == before
    emulator.reset()
    assert emulator.status().get("operations", "0") == "0"


def test_calls_are_counted_and_what_came_nearest_is_told(emulator: insights.Emulator) -> None:
    def get(path: str) -> int:
        status: int = send(emulator, "GET", path)[0]
        return status

    emulator.add_fault("GetOperation", code="UNAVAILABLE", delay=0.001)
    assert emulator.faults()[0]["status"]["code"] == 14
    assert [get(NAME.format(2)) for _ in range(2)] == [503, 200]
    assert emulator.count("GetOperation") == 2
    emulator.assert_called("GetOperation", 1, code="UNAVAILABLE")
    with pytest.raises(AssertionError, match=r"NOT_FOUND was called 0 times, not at least once; nearest: GetOperation"):
        emulator.assert_called("GetOperation", code="NOT_FOUND")
    first, second = emulator.calls("GetOperation")
    assert (first.code, second.code, first.transport) == ("UNAVAILABLE", "OK", "REST") and first.fault
    assert emulator.calls(after=first.sequence) == [second]
    emulator.clear_calls()
    assert emulator.calls() == []
    emulator.clear_faults()
    assert emulator.faults() == []
    emulator.set_quotas({"all": 1})
    assert [get(NAME.format(2)) for _ in range(2)] == [200, 429]


def test_values_are_written_as_the_admin_api_reads_them() -> None:
    assert [_admin.duration(value) for value in (1, 0.25, datetime.timedelta(minutes=1), "5m")] == [
        "1s",
        "0.25s",
        "60s",
        "5m",
    ]
    assert _admin.parse_time("2026-11-24T09:00:00.123456789Z").microsecond == 123456
    assert _admin.code_number("aborted") == 10 and _admin.code_number(3) == 3
