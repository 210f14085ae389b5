"""Fixtures for pytest: one emulator for a session, and for each test a project of its own.

`insights_client` is the official client, `insights_parent` where the test's resources go. An emulator that
CONTACTCENTERINSIGHTS_EMULATOR_HOST names is used in place of one of our own, as under `… emulator exec -- pytest`; it is
for one process of pytest, since faults are of all its clients.
"""

from __future__ import annotations

import os
import uuid
from typing import Any, Dict, Generator, Iterator, Union

import pytest

from ._admin import Admin, Call
from ._emulator import Connected, Emulator, connect, start

HOST_VARIABLE = "CONTACTCENTERINSIGHTS_EMULATOR_HOST"
LOCATION = "us-central1"
# How many calls of a test are shown when it fails.
SHOWN = 20
_KEY = pytest.StashKey["Union[Emulator, Connected]"]()
_WATCHED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("insights_emulator_args", "arguments of the emulator, as `emulator --help` has them", "args")
    parser.addini("insights_emulator_seed", "a file with what is there at the start of the session", "string")


@pytest.fixture(scope="session")
def insights_emulator_options(pytestconfig: pytest.Config) -> Dict[str, Any]:
    """What `start` is called with; override it in conftest.py."""
    options: Dict[str, Any] = {"args": list(pytestconfig.getini("insights_emulator_args"))}
    seed = pytestconfig.getini("insights_emulator_seed")
    if seed:
        options["seed"] = pytestconfig.rootpath / str(seed)
    return options


@pytest.fixture(scope="session")
def insights_emulator(
    pytestconfig: pytest.Config, insights_emulator_options: Dict[str, Any]
) -> Iterator[Union[Emulator, Connected]]:
    """The emulator of this session."""
    named = os.environ.get(HOST_VARIABLE)
    if named:
        pytestconfig.stash[_KEY] = connect(f"127.0.0.1:{named}" if named.isdigit() else named)
        yield pytestconfig.stash[_KEY]
        return
    with start(**insights_emulator_options) as emulator:
        pytestconfig.stash[_KEY] = emulator
        yield emulator
    del pytestconfig.stash[_KEY]


@pytest.fixture
def insights_project(
    request: pytest.FixtureRequest, insights_emulator: Union[Emulator, Connected]
) -> Iterator[str]:
    """A project of this test alone. Before the test, calls are forgotten; after it, the project is emptied, and faults
    and quotas are taken away.
    """
    project = f"test-{uuid.uuid4().hex[:12]}"
    insights_emulator.clear_calls()
    request.node.stash[_WATCHED] = True
    yield project
    insights_emulator.reset(project)
    insights_emulator.clear_faults()
    insights_emulator.set_quotas()


@pytest.fixture
def insights_parent(insights_project: str) -> str:
    """Where this test's resources go: projects/PROJECT/locations/us-central1."""
    return f"projects/{insights_project}/locations/{LOCATION}"


@pytest.fixture
def insights_client(insights_emulator: Union[Emulator, Connected], insights_project: str) -> Iterator[Any]:
    """The official client over gRPC."""
    client = insights_emulator.client()
    yield client
    client.transport.close()


@pytest.fixture
def insights_faults(insights_emulator: Union[Emulator, Connected], insights_project: str) -> Admin:
    """`add_fault` and `faults`; what is added is taken away after the test."""
    return insights_emulator


@pytest.fixture
def insights_clock(insights_emulator: Union[Emulator, Connected]) -> Admin:
    """`advance_clock`, `set_clock` and `now` of a virtual clock; skips the test where the clock is real."""
    if not insights_emulator.status().get("clock", {}).get("virtual"):
        pytest.skip("the emulator's clock is real: set insights_emulator_args = --clock virtual")
    return insights_emulator


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Shows what the emulator saw and said, below a test that failed."""
    outcome = yield
    report = outcome.get_result()
    emulator = item.config.stash.get(_KEY, None)
    if not report.failed or call.when != "call" or emulator is None or _WATCHED not in item.stash:
        return
    try:
        calls = emulator.calls(limit=10_000)
    except (OSError, ValueError) as error:
        report.sections.append(("calls of the emulator", f"it does not answer: {error}"))
    else:
        lines = [_line(call) for call in calls[-SHOWN:]]
        if len(calls) > SHOWN:
            lines.insert(0, f"({len(calls) - SHOWN} calls before these)")
        report.sections.append(("calls of the emulator", "\n".join(lines) or "none"))
    if isinstance(emulator, Emulator) and emulator.output().strip():
        report.sections.append(("stderr of the emulator", emulator.output()[-4000:]))


def _line(call: Call) -> str:
    fault = f" ({call.fault})" if call.fault else ""
    return f"{call.method} {call.transport} {call.code or 'no status reached the caller'}{fault}"
