"""What a test tells an emulator, and asks it: the admin API, as JSON over plain HTTP of the standard library."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence, Union

Duration = Union[str, int, float, datetime.timedelta]
Json = Any
_PREFIX = "/_emulator/v1/"
_WHOLE = "application/json"


class AdminError(Exception):
    """The emulator refused a request of the admin API. `status` is a code's name, such as INVALID_ARGUMENT."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Call:
    """A call that the emulator got. `code` is empty while it runs, and if its caller never learnt it."""

    sequence: int
    method: str
    transport: str
    code: str
    fault: str
    attempt: int
    raw: Mapping[str, Json] = field(repr=False)


@dataclass(frozen=True)
class Nearest:
    """Calls that were not asked for, and came nearest."""

    method: str
    code: str
    transport: str
    count: int


class Admin:
    """State, operations, faults, time and calls of an emulator at `address` (HOST:PORT)."""

    def __init__(self, address: str, timeout: float = 30.0) -> None:
        self.address = address
        self.endpoint = f"http://{address}"
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address!r})"

    # State.

    def reset(self, project: str | None = None) -> None:
        """Drops all resources and operations, or those of one project. Faults, quotas, clock and calls stay."""
        self.request("POST", "reset", {"project": project} if project else {})

    def seed(self, seed: Mapping[str, Json]) -> None:
        """Adds resources: lists by kind, such as `{"conversations": [{"name": ...}]}`."""
        self.request("POST", "seed", seed)

    def export(self) -> dict[str, Json]:
        """All that is there, as a seed."""
        exported: dict[str, Json] = self.request("GET", "export")
        return exported

    def snapshot(self) -> bytes:
        """All resources and operations; the same state gives the same bytes."""
        return self._send("GET", "snapshot", b"")

    def restore(self, snapshot: bytes) -> None:
        """Puts back what `snapshot` gave, in place of everything."""
        self._send("POST", "restore", snapshot)

    # Operations.

    def advance(self, operation: object, polls: int = 1) -> bool:
        """Counts as so many polls of an operation (its name, or what has one); whether it is done."""
        return self._operation("advance", operation, polls=polls)

    def complete(self, operation: object) -> None:
        """Ends an operation now, as it would have ended by itself."""
        self._operation("complete", operation)

    def fail(self, operation: object, code: int | str = 13, message: str = "failed by the test") -> None:
        """Ends an operation now, in an error. A code is a number of google.rpc.Code, or its name."""
        self._operation("fail", operation, error={"code": code_number(code), "message": message})

    def _operation(self, verb: str, operation: object, **fields: Json) -> bool:
        return bool(self.request("POST", f"operations:{verb}", {"name": name_of(operation), **fields}).get("done"))

    # Faults and quotas.

    def add_fault(
        self,
        method: str = "",
        *,
        code: int | str | None = None,
        message: str = "scripted by the test",
        times: int = 1,
        always: bool = False,
        after: int = 0,
        delay: Duration | None = None,
        transport: str | None = None,
        after_execution: bool = False,
        **more: Json,
    ) -> None:
        """Adds a fault: the next calls of `method` (of any, if empty) end in `code`, or in a fault of the transport
        such as `"ABORT"`, `"STALL"` or `"HALF"`. `more` has the other fields of the admin API's Fault.
        """
        fault: dict[str, Json] = {"method": method, "always": always, "after": after, **more}
        fault["afterExecution"] = after_execution
        if not always:
            fault["times"] = times
        if code is not None:
            fault["status"] = {"code": code_number(code), "message": message}
        if transport is not None:
            fault["transport"] = transport
        if delay is not None:
            fault["delay"] = duration(delay)
        self.request("POST", "faults", {"faults": [fault]})

    def faults(self) -> list[dict[str, Json]]:
        """The faults there are, each with `matched` and `hit`."""
        return list(self.request("GET", "faults").get("faults", []))

    def clear_faults(self) -> None:
        """Takes all faults away."""
        self.request("DELETE", "faults")

    def set_quotas(self, quotas: Mapping[str, Json] | None = None) -> None:
        """Sets calls per minute, as in `{"all": 3000, "methods": {"CreateAnalysis": 300}}`; none without argument."""
        self.request("PUT", "quotas", dict(quotas or {}))

    # Time.

    def now(self) -> datetime.datetime:
        """The emulator's time."""
        return parse_time(self.request("GET", "clock")["time"])

    def advance_clock(self, by: Duration) -> datetime.datetime:
        """Moves a virtual clock: seconds, a timedelta, or a text such as `"90s"` or `"2h"`."""
        return parse_time(self.request("POST", "clock:advance", {"by": duration(by)})["time"])

    def set_clock(self, to: datetime.datetime) -> datetime.datetime:
        """Sets a virtual clock. A time without a zone is UTC."""
        return parse_time(self.request("POST", "clock:set", {"time": format_time(to)})["time"])

    # Calls.

    def calls(self, method: str = "", *, after: int = 0, limit: int = 1000) -> list[Call]:
        """The calls so far, oldest first: of one method, or of all; only those after a call's `sequence`."""
        query = f"journal?method={method}&after={after}&limit={limit}"
        return [_call(call) for call in self.request("GET", query).get("calls", [])]

    def count(self, method: str = "", *, code: int | str = "", transport: str = "", after: int = 0) -> int:
        """How many calls were so."""
        return self._count(method, code, transport, after)[0]

    def assert_called(self, method: str, times: int | None = None, *, code: int | str = "", after: int = 0) -> None:
        """Fails, with what came nearest, unless the method was called: so often, or at all."""
        count, nearest = self._count(method, code, "", after)
        if count == times or (times is None and count > 0):
            return
        wanted = "at least once" if times is None else f"{times} times"
        ended = f" with {_code_name(code)}" if code != "" else ""
        seen = "; ".join(f"{kind.method} {kind.code or 'running'} ({kind.count})" for kind in nearest)
        hint = f"; nearest: {seen}" if seen else ""
        raise AssertionError(f"{method}{ended} was called {count} times, not {wanted}{hint}")

    def clear_calls(self) -> None:
        """Forgets the calls so far."""
        self.request("DELETE", "journal")

    def _count(
        self, method: str, code: int | str, transport: str, after: int
    ) -> tuple[int, Sequence[Nearest]]:
        asked = {"method": method, "code": _code_name(code), "transport": transport, "after": str(after)}
        reply = self.request("POST", "journal:count", asked)
        kinds = [
            Nearest(kind.get("method", ""), kind.get("code", ""), kind.get("transport", ""), kind.get("count", 0))
            for kind in reply.get("nearest", [])
        ]
        return reply.get("count", 0), kinds

    # The wire.

    def status(self) -> dict[str, Json]:
        """Version, clock, and how much there is."""
        status: dict[str, Json] = self.request("GET", "status")
        return status

    def request(self, verb: str, path: str, body: object = None) -> Json:
        """Any request of the admin API, and its answer; docs/admin-api.md in the repository has all of them."""
        sent = b"" if body is None else json.dumps(body).encode()
        return json.loads(self._send(verb, path, sent) or b"{}")

    def _send(self, verb: str, path: str, body: bytes) -> bytes:
        # Imported here, since a program that only starts an emulator does without.
        import http.client

        connection = http.client.HTTPConnection(self.address, timeout=self._timeout)
        try:
            connection.request(verb, _PREFIX + path, body, {"content-type": _WHOLE} if body else {})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise _error(response.status, content)
        return content


def _error(status: int, content: bytes) -> AdminError:
    try:
        error = json.loads(content)["error"]
        return AdminError(error["status"], error["message"])
    except (ValueError, KeyError, TypeError):
        return AdminError(f"HTTP {status}", content.decode(errors="replace")[:1000])


def _call(raw: Mapping[str, Json]) -> Call:
    return Call(
        sequence=int(raw.get("sequence", 0)),
        method=raw.get("method", ""),
        transport=raw.get("transport", ""),
        code=raw.get("code", ""),
        fault=raw.get("fault", ""),
        attempt=raw.get("attempt", 0),
        raw=raw,
    )


def name_of(operation: object) -> str:
    """The name of an operation: a text, a message, or the future of an official client."""
    if isinstance(operation, str):
        return operation
    message = getattr(operation, "operation", operation)
    name = getattr(message, "name", None)
    if not isinstance(name, str):
        raise TypeError(f"{operation!r} is not an operation, nor the name of one")
    return name


CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS "
    "UNAUTHENTICATED"
).split()


def code_number(code: int | str) -> int:
    """A code of google.rpc.Code by its number or name."""
    if isinstance(code, int):
        return code
    if code.upper() not in CODES:
        raise ValueError(f"{code!r} is not one of {', '.join(CODES)}")
    return CODES.index(code.upper())


def _code_name(code: int | str) -> str:
    if code == "":
        return ""
    return CODES[code] if isinstance(code, int) else CODES[code_number(code)]


def duration(value: Duration) -> str:
    """A duration as the admin API takes it."""
    if isinstance(value, str):
        return value
    seconds = value.total_seconds() if isinstance(value, datetime.timedelta) else value
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def format_time(time: datetime.datetime) -> str:
    """A time in RFC 3339; one without a zone is UTC."""
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.timezone.utc)
    return time.isoformat()


def parse_time(text: str) -> datetime.datetime:
    """A time of the admin API, in UTC; nanoseconds are cut to microseconds."""
    whole, _, parts = text.rstrip("Z").partition(".")
    time = datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    return time.replace(microsecond=int((parts + "000000")[:6]))
