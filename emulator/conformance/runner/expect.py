"""Whether an answer is what a step expects: every word of the expectation, and nothing about the rest.

Objects may have more than is expected of them, lists may not. Special objects: {"$any": true} is there, whatever it is;
{"$absent": true} is not there; {"$length": N} is a list of N; {"$match": REGEX} is a string of that form; {"$has": [...]}
is a list that has these among others.
"""

import re

# What HTTP calls each code (AIP-193). Some clients keep no more than this number.
HTTP = {
    "OK": 200,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
NOTHING = object()


def same_code(wanted, found):
    """Whether a code, or a number of HTTP such as HTTP_404, is the code that is wanted."""
    if found.startswith("HTTP_"):
        return found == f"HTTP_{HTTP[wanted]}"
    return found == wanted


def faults(expect, answer):
    """What is wrong with the answer, a line each."""
    wanted = expect.get("code", "OK")
    if not same_code(wanted, answer["code"]):
        told = answer.get("message", "")
        return [f"code is {answer['code']}, not {wanted}" + (f": {told}" if told else "")]
    found = []
    for key in ("reason", "during"):
        if key in expect and answer.get(key) is not NOTHING and answer.get(key) != expect[key]:
            found.append(f"{key} is {answer.get(key)}, not {expect[key]}")
    if "fields" in expect and answer.get("fields") is not NOTHING:
        missing = sorted(set(expect["fields"]) - set(answer.get("fields") or []))
        if missing:
            found.append(f"fields are {answer.get('fields')}, without {', '.join(missing)}")
    for key in ("response", "metadata"):
        if key in expect and answer.get(key) is not NOTHING:
            found += differences(expect[key], answer.get(key, NOTHING), key)
    return found


def differences(wanted, found, path):
    """Where what was found is not as wanted, a line each."""
    if isinstance(wanted, dict) and any(key.startswith("$") for key in wanted):
        return _special(wanted, found, path)
    if found is NOTHING:
        return [f"{path} is missing"]
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return [f"{path} is {found!r}, not an object"]
        return [
            line for key, inner in wanted.items() for line in differences(inner, found.get(key, NOTHING), f"{path}.{key}")
        ]
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            return [f"{path} is {found!r}, not a list of {len(wanted)}"]
        pairs = enumerate(zip(wanted, found))
        return [line for place, (want, have) in pairs for line in differences(want, have, f"{path}[{place}]")]
    if isinstance(wanted, float) and isinstance(found, (int, float)):
        return [] if abs(wanted - found) < 1e-6 else [f"{path} is {found!r}, not {wanted!r}"]
    return [] if wanted == found and type(wanted) is type(found) else [f"{path} is {found!r}, not {wanted!r}"]


def _special(wanted, found, path):
    ((key, value),) = wanted.items()
    match key:
        case "$any":
            return [f"{path} is missing"] if found is NOTHING else []
        case "$absent":
            return [] if found is NOTHING else [f"{path} is {found!r}, and should not be there"]
        case "$length":
            have = len(found) if isinstance(found, list) else 0
            return [] if have == value else [f"{path} has {have} items, not {value}"]
        case "$match":
            return [] if re.fullmatch(value, str(found)) else [f"{path} is {found!r}, not of the form {value}"]
        case "$has":
            items = found if isinstance(found, list) else []
            return [
                f"{path} has none like {want!r}"
                for want in value
                if all(differences(want, item, path) for item in items)
            ]
    raise ValueError(f"{key} means nothing in an expectation")
