"""The table of methods and clients: as a page for people, and as JSON that the emulator serves."""

import json
import pathlib

from . import clients, contract

EMULATOR = pathlib.Path(__file__).parents[2]
PAGE = EMULATOR / "COVERAGE.md"
DATA = EMULATOR / "coverage.json"
HEAD = """# Coverage

Which methods of the API answer which client as the corpus of `emulator/conformance` says, and alike. Made by
`emulator/conformance/run --write`; CI makes it anew, and fails if it differs.

✓: every step of the corpus with this method came back as expected, and as it does over bare gRPC. A number: so many
steps did not; they are listed below. –: the corpus has no step that this client could send. `bare` speaks the wire
itself; `ours` is the client of this repository; all others are Google's.

"""

RETRIES = """
## Retries

One call of `GetSettings` that is refused twice with `UNAVAILABLE`, as each client makes it of itself.

| client | attempts | ends with |
|---|---|---|
"""


def table(outcomes):
    """{method: {client key: [faults]}}; None where there was nothing to play."""
    found = {}
    for method in contract.load().methods:
        row = {}
        for key, steps in outcomes.items():
            played = [(where, step) for where, step in steps.items() if step.method == method]
            faults = [f"{case}, step {number + 1}: {step.faults[0]}" for (case, number), step in played if step.faults]
            row[key] = faults if played else None
        found[method] = row
    return found


def totals(rows):
    """How many methods pass, by client key."""
    keys = next(iter(rows.values()))
    return {key: sum(row[key] == [] for row in rows.values()) for key in keys}


def page(rows, played, cases):
    columns = [client for client in clients.all_clients() if client.key in played]
    lines = [
        "| method | " + " | ".join(f"{client.language} {name(client.transport)}" for client in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for method, row in rows.items():
        lines.append(f"| {method} | " + " | ".join(mark(row[client.key]) for client in columns) + " |")
    passed = totals(rows)
    lines.append(f"| **of {len(rows)}** | " + " | ".join(f"**{passed[client.key]}**" for client in columns) + " |")
    return HEAD + "\n".join(lines) + "\n" + gaps(rows) + retried(played) + left_out(cases)


def gaps(rows):
    """The steps that did not pass, with who failed; what exactly was wrong, the run prints."""
    failed = {}
    for method, row in rows.items():
        for key, faults in row.items():
            for fault in faults or []:
                failed.setdefault((method, fault.split(": ")[0]), []).append(key)
    lines = [f"- {method} in {where}: {', '.join(keys)}" for (method, where), keys in failed.items()]
    return "\n## Gaps\n\n" + "\n".join(lines) + "\n" if lines else ""


def retried(played):
    """How each client tried a call that was refused twice."""
    lines = [f"| {key} | {count} | {code} |" for key, (count, code) in ((key, one.retried) for key, one in played.items())]
    return RETRIES + "\n".join(lines) + "\n"


def left_out(cases):
    """The steps that some clients cannot send, or cannot read the answer of, by their own nature."""
    found = {}
    for case in cases:
        for step in case.steps:
            for who, why in step.exempt.items():
                found.setdefault((who, why), set()).add(step.method)
    lines = []
    for (who, why), methods in sorted(found.items()):
        about = ", ".join(sorted(methods)) if len(methods) < 4 else f"{len(methods)} methods"
        lines.append(f"- {who}: {why} ({about})")
    return "\n## Steps that clients are spared\n\n" + "\n".join(lines) + "\n" if lines else ""


def data(rows, played):
    columns = [client for client in clients.all_clients() if client.key in played]
    return {
        "clients": [
            {"key": client.key, "language": client.language, "transport": client.transport, "package": client.package}
            for client in columns
        ],
        "methods": [
            {"method": method, "results": {key: word(faults) for key, faults in row.items()}}
            for method, row in rows.items()
        ],
        "attempts": {key: one.retried[0] for key, one in played.items()},
        "passed": totals(rows),
        "total": len(rows),
    }


def render(rows, played, cases):
    """Both documents, by the file they belong in."""
    return {
        PAGE: page(rows, played, cases),
        DATA: json.dumps(data(rows, played), indent=1, ensure_ascii=False) + "\n",
    }


def name(transport):
    return {"grpc": "gRPC", "rest": "REST"}[transport]


def mark(faults):
    return "–" if faults is None else str(len(faults)) if faults else "✓"


def word(faults):
    return "untested" if faults is None else "gap" if faults else "pass"
