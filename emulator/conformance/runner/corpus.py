"""The corpus: cases of steps, read from JSON, checked against the contract, and filled in as a run goes.

A case has a project of its own. Strings may hold ${location} (its project and a location), ${project}, and whatever an
earlier step saved.
"""

import dataclasses
import json
import pathlib
import re
import zlib

from google.protobuf import json_format

from . import contract

FOLDER = pathlib.Path(__file__).parents[1] / "corpus"
MODES = ("call", "follow", "walk")
STEP_KEYS = {"call", "request", "mode", "expect", "save", "except"}
EXPECT_KEYS = {"code", "reason", "fields", "during", "response", "metadata"}
PLACE = re.compile(r"\$\{(\w+)\}")


class CorpusError(Exception):
    """A case that is not one."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One call, and what it must come back with."""

    method: str
    request: dict
    mode: str
    expect: dict
    save: dict
    # Who cannot send it, and why: a language, a transport, or a client's key.
    exempt: dict

    def concerns(self, client):
        """Whether the client can send it."""
        return not self.exempt.keys() & {client.language, client.transport, client.key}


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    steps: tuple[Step, ...]

    def places(self):
        """What its strings may hold at the start."""
        # A number of its own: answers name projects by number.
        project = 100_000_000_000 + zlib.crc32(self.name.encode())
        return {"project": f"projects/{project}", "location": f"projects/{project}/locations/us-central1"}

    def literals(self):
        """Every string that the case itself has: what a server made up is none of them."""
        return set(_strings([(step.request, step.expect) for step in self.steps]))


class Missing(Exception):
    """A place that no step has filled: the one that should have, failed."""


def fill(value, places):
    """The value with every ${place} filled."""
    if isinstance(value, str):
        return PLACE.sub(lambda found: _place(found[1], places), value)
    if isinstance(value, list):
        return [fill(inner, places) for inner in value]
    if isinstance(value, dict):
        return {fill(key, places): fill(inner, places) for key, inner in value.items()}
    return value


def _place(name, places):
    if name not in places:
        raise Missing(name)
    return places[name]


def pick(document, path):
    """The value at a path such as `operations.0.name`."""
    for key in path.split("."):
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def load(folder=FOLDER):
    """All cases that are written, in order of file name."""
    cases = []
    for path in sorted(folder.glob("*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            cases += [_case(raw) for raw in document["cases"]]
        except (CorpusError, KeyError, ValueError) as error:
            raise CorpusError(f"{path.name}: {error}") from error
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise CorpusError(f"names of more than one case: {', '.join(sorted(twice))}")
    return cases


def _case(raw):
    return Case(raw["name"], tuple(_step(raw["name"], number, step) for number, step in enumerate(raw["steps"])))


def _step(case, number, raw):
    where = f"{case}, step {number + 1}"
    api = contract.load()
    expect = raw.get("expect", {})
    for unknown in sorted((raw.keys() - STEP_KEYS) | (expect.keys() - EXPECT_KEYS)):
        raise CorpusError(f"{where}: `{unknown}` means nothing")
    method = api.methods.get(raw["call"])
    if method is None:
        raise CorpusError(f"{where}: there is no method `{raw['call']}`")
    mode = raw.get("mode", "call")
    if mode not in MODES or (mode == "follow") > method.is_long_running or (mode == "walk") > bool(api.items(method)):
        raise CorpusError(f"{where}: `{mode}` is not for {method.name}")
    request = raw.get("request", {})
    try:
        api.parse(method.request, request)
    except json_format.ParseError as error:
        raise CorpusError(f"{where}: {error}") from error
    return Step(method.name, request, mode, expect, raw.get("save", {}), raw.get("except", {}))


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _strings(inner)
