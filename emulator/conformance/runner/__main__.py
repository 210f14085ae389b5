"""Plays the corpus through every client, compares, and writes or checks the coverage table. See README.md."""

import argparse
import concurrent.futures
import sys
import time

from . import clients, corpus, coverage, derived, play, retries

# How many faults are printed before the rest is left to the page, and how much of each.
LONG = 600
SHOWN = 60
# Their pollers wait for seconds before the first poll.
SLOW = ("java", "ours")


def arguments():
    parser = argparse.ArgumentParser(prog="emulator/conformance/run", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=clients.languages(),
        help="play with this language's clients only, and with bare gRPC; can be given many times",
    )
    parser.add_argument("--case", action="append", help="play only cases whose name has this in it")
    parser.add_argument("--write", action="store_true", help="write COVERAGE.md and coverage.json")
    parser.add_argument("--jobs", type=int, default=2, help="clients at a time (default: 2)")
    return parser.parse_args()


def main():
    asked = arguments()
    cases = corpus.load()
    cases += derived.cases(cases)
    cases = [case for case in cases if not asked.case or any(part in case.name for part in asked.case)]
    wanted = [client for client in clients.all_clients() if not asked.only or client.language in [*asked.only, "bare"]]
    for language in dict.fromkeys(client.language for client in wanted):
        began = time.monotonic()
        try:
            clients.prepare(language)
        except clients.Unusable as error:
            sys.exit(f"conformance: {error}")
        print(f"prepared {language} in {time.monotonic() - began:.0f} s", flush=True)
    done = played(wanted, cases, asked.jobs)
    outcomes = {key: one.steps for key, one in done.items()}
    judge(outcomes)
    rows = coverage.table(outcomes)
    failed = report(rows)
    impatient = report_retries(wanted, done)
    print(f"steps per client: {', '.join(f'{key}={len(steps)}' for key, steps in outcomes.items())}")
    is_whole = not asked.only and not asked.case
    if is_whole:
        # Gaps that the committed page has are known; the page says so to everybody.
        failed = write_or_check(coverage.render(rows, done, cases), asked.write)
        failed |= untested(rows)
    passed = " ".join(f"{key}={count}" for key, count in coverage.totals(rows).items())
    print(f"conformance methods={len(rows)} {passed}")
    sys.exit(1 if failed or impatient else 0)


def played(wanted, cases, jobs):
    """What each client made of it, in the order of the clients; so many play at a time, the slowest first."""
    logs = clients.WORK / "logs"
    logs.mkdir(parents=True, exist_ok=True)

    def one(client):
        began = time.monotonic()
        one = play.play(client, cases, logs / f"{client.key}.log")
        print(f"played {client.key} in {time.monotonic() - began:.0f} s", flush=True)
        return client.key, one

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = dict(pool.map(one, sorted(wanted, key=lambda client: client.language not in SLOW)))
    return {client.key: done[client.key] for client in wanted}


def judge(outcomes):
    """Holds every client's answers against those of the first, and adds where they differ."""
    reference = next(iter(outcomes.values()))
    for steps in outcomes.values():
        for where, outcome in steps.items():
            first = reference.get(where)
            if not outcome.faults and outcome.settled and first and first.settled:
                outcome.faults += play.compare(first.settled, outcome.settled)


def report(rows):
    """Prints the gaps, and says whether there are any. What all clients share is said once."""
    shared = {}
    for method, row in rows.items():
        for key, faults in row.items():
            for fault in faults or []:
                shared.setdefault((method, fault.split(": ")[0]), []).append((key, fault))
    for (method, _), found in list(shared.items())[:SHOWN]:
        print(f"{method}: {found[0][1][:LONG]} ({', '.join(key for key, _ in found)})")
    if len(shared) > SHOWN:
        print(f"and {len(shared) - SHOWN} more")
    return bool(shared)


def report_retries(wanted, done):
    """Prints which clients did not try again as they should, and says whether there are any."""
    found = [f"{client.key}: {fault}" for client in wanted for fault in retries.faults(client, done[client.key].retried)]
    for line in found:
        print(f"retries of {line}")
    return bool(found)


def untested(rows):
    """A method that a client never called is a hole in the corpus."""
    holes = {method: [key for key in row if row[key] is None] for method, row in rows.items()}
    for method, keys in holes.items():
        if keys:
            print(f"no step with {method} for {', '.join(keys)}")
    return any(holes.values())


def write_or_check(documents, write):
    """Writes the table, or says whether what is there differs."""
    stale = [path for path, text in documents.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if write:
            path.write_text(documents[path], encoding="utf-8")
            print(f"wrote {path}")
        else:
            print(f"{path} is not what this run gives: emulator/conformance/run --write, and look")
    return bool(stale) and not write


if __name__ == "__main__":
    main()
