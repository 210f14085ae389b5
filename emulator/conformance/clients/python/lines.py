"""The line protocol of a driver, for those in Python: a call in, an answer out, a line of JSON each.

A call is {"method", "request" (ProtoJSON), "mode"}; the mode is `call` for one RPC, `follow` to wait for the operation
with the client's own poller, `walk` to list with the client's own iterator. README.md has what an answer holds.
"""

import json
import sys


def answer(response, **more):
    """A call that went well."""
    return {"code": "OK", "response": response, **more}


def refused(code, message, details=(), during="call", **more):
    """A call, or an operation, that failed; details are ErrorInfo, BadRequest and so on as ProtoJSON with @type."""
    reason, fields = None, []
    for detail in details:
        kind = detail.get("@type", "").rpartition(".")[2]
        if kind == "ErrorInfo":
            reason = detail.get("reason")
        elif kind == "BadRequest":
            fields = [violation.get("field", "") for violation in detail.get("fieldViolations", [])]
    return {"code": code, "message": message, "reason": reason, "fields": fields, "during": during, **more}


def unsent(error):
    """The client would not send it, or could not read what came back: not a status."""
    return {"code": "CLIENT", "message": f"{type(error).__name__}: {error}"}


def serve(handle):
    """Answers each line on stdin on stdout, until stdin ends."""
    for line in sys.stdin:
        call = json.loads(line)
        try:
            result = handle(call["method"], call["request"], call["mode"])
        except Exception as error:  # whatever a client throws is what it makes of the emulator
            result = unsent(error)
        print(json.dumps(result), flush=True)
