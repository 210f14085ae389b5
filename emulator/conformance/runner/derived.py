"""Cases that follow from the contract, for every method alike: what is REQUIRED, and what a name must look like.

Only gRPC can carry them: over REST these fields are the path.
"""

import re

from . import contract
from .corpus import Case, Step

ONLY_GRPC = {"rest": "the path cannot lack a name, or have a malformed one"}
NESTED = {"node": "the client reads the name out of the resource, for its routing header"}
CHECKED = {"ours": "the client checks the name of an operation before it sends it"}
# Required by the descriptors, and not by the service: its documentation and Google's tools leave them out.
OPTIONAL = {("BulkAnalyzeConversations", "filter"), ("TuneQaScorecardRevision", "filter")}
VARIABLE = re.compile(r"\{([\w.]+)=")
PLACE_OF_ANOTHER_STEP = re.compile(r"\$\{(?!location|project)\w+\}")


def cases(written):
    """The derived cases; good requests are taken from those that are written."""
    return [_required(), _malformed(written)]


def _required():
    """An empty request is refused with all that it lacks."""
    steps = []
    for method in contract.load().methods.values():
        required = contract.load().required(method.request)
        missing = [field for field in required if (method.name, field) not in OPTIONAL]
        if missing:
            refusal = {"code": "INVALID_ARGUMENT", "reason": "REQUIRED_FIELD_MISSING", "fields": missing}
            steps.append(_step(method, {}, refusal, NESTED if "." in _variable(method) else {}))
    return Case("required_fields_of_every_method", tuple(steps))


def _malformed(written):
    """A good request whose name or parent is not a name is refused with that field."""
    good = {}
    for case in written:
        for step in case.steps:
            if step.expect.get("code", "OK") == "OK":
                good.setdefault(step.method, step.request)
    steps = []
    for method in contract.load().methods.values():
        variable = _variable(method)
        request = _with(good[method.name], variable.split("."), "no/name")
        refusal = {"code": "INVALID_ARGUMENT", "fields": [variable]}
        checked = method.name in ("GetOperation", "CancelOperation")
        steps.append(_step(method, _settled(request), refusal, CHECKED if checked else {}))
    return Case("malformed_names_of_every_method", tuple(steps))


def _variable(method):
    """The field that the path names the resource with."""
    return VARIABLE.search(method.template)[1]


def _step(method, request, expect, exempt):
    return Step(method.name, request, "call", expect, {}, ONLY_GRPC | exempt)


def _with(request, path, value):
    """A copy of the request with the field at the path set."""
    first, *rest = path
    key = re.sub(r"_(.)", lambda found: found[1].upper(), first)
    return request | {key: _with(request.get(key, {}), rest, value) if rest else value}


def _settled(value):
    """Without the places that other steps would fill: any name does."""
    if isinstance(value, str):
        return PLACE_OF_ANOTHER_STEP.sub("projects/p/locations/us", value)
    if isinstance(value, list):
        return [_settled(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _settled(inner) for key, inner in value.items()}
    return value
