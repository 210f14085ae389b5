"""How often a client tries a call that is refused twice with UNAVAILABLE, and would be answered the third time."""

import json
import urllib.parse
import urllib.request

METHOD = "GetSettings"
NAME = "projects/conf-retries/locations/us-central1/settings"
REFUSALS = 2


def attempts(address, driver):
    """The number of attempts that the emulator saw, and how the call ended for the client."""
    admin(address, "POST", "faults", {"faults": [fault()]})
    before = admin(address, "GET", "journal", query={"method": METHOD, "limit": 10_000}).get("calls", [])
    answer = driver.ask(METHOD, {"name": NAME}, "call")
    after = admin(address, "GET", "journal", query={"method": METHOD, "limit": 10_000}).get("calls", [])
    admin(address, "DELETE", "faults")
    return len(after) - len(before), answer["code"]


def fault():
    status = {"code": 14, "message": "scripted: try again"}
    return {"method": METHOD, "fields": {"name": NAME}, "times": REFUSALS, "status": status}


def admin(address, verb, path, body=None, query=None):
    """One call of the emulator's admin API."""
    url = f"http://{address}/_emulator/v1/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=verb)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def faults(client, seen):
    """What is wrong with what was seen: a client that has a policy must get its answer at the third attempt."""
    wanted = (REFUSALS + 1, "OK") if client.retries else (1, None)
    count, code = seen
    found = [] if count == wanted[0] else [f"{count} attempts, not {wanted[0]}"]
    if wanted[1] and code != wanted[1]:
        found.append(f"ended with {code}, not {wanted[1]}")
    return found
