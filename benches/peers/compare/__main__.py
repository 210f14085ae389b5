"""Compares the clients; see benches/peers/README.md."""

import argparse
import contextlib
import os
import sys
import time

from runner.clients import Unusable

from . import clients, figures, phases
from .process import Driver, Failed, Server
from .report import Report

LISTED = 100_000
WAITS_OF_A_KIND = 12


def arguments():
    parser = argparse.ArgumentParser(prog="benches/peers/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="of calls; starts a third, lists a fifth (default: 15)")
    parser.add_argument("--check", action="store_true", help="one round of few calls, compiled for debugging")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    parser.add_argument("--only", action="append", help="this client alone, beside ours; can be given many times")
    asked = parser.parse_args()
    if asked.rounds < 1 or (asked.write and (asked.check or asked.only)):
        parser.error("at least one round; --write only with the whole comparison")
    return asked


def main():
    asked = arguments()
    profile = "debug" if asked.check else "release"
    chosen = [c for c in clients.all_clients(profile) if not asked.only or c.name in [figures.REFERENCE, *asked.only]]
    try:
        began = time.monotonic()
        program = clients.prepare(profile)
        print(f"prepared in {time.monotonic() - began:.0f} s", flush=True)
        compare(asked, chosen, program)
    except (Unusable, Failed) as error:
        sys.exit(f"peers: {error}")


def compare(asked, chosen, program):
    load = [os.getloadavg()[0]]
    rounds = 1 if asked.check else asked.rounds
    listed, each, longest = (2_500, 2, 3) if asked.check else (LISTED, WAITS_OF_A_KIND, phases.LONGEST)
    report = Report(chosen)
    began = time.monotonic()

    def passed(phase):
        print(f"{phase}: done after {time.monotonic() - began:.0f} s", flush=True)

    with Server(program, listed) as server, contextlib.ExitStack() as running:
        report.starts(phases.starts(server, chosen, part(rounds, 3)))
        passed("starts")
        drivers = [running.enter_context(Driver(client, server)) for client in chosen]
        calls = phases.Calls(server, drivers, asked.check)
        passed("warming up")
        report.calls({callers: calls.rounds(callers, rounds) for callers in phases.CONCURRENCY})
        passed("calls")
        peaks = {"calls": {driver.client.name: driver.peak() for driver in drivers}}
        report.lists(phases.lists(drivers, listed, part(rounds, 5)), listed)
        passed("lists")
        # Before the waits: the Python client adds no header to the polls of an operation.
        if anonymous := server.counts()["anonymous"]:
            raise Failed(f"{anonymous} calls came without a token")
        peaks["calls and lists"] = {driver.client.name: driver.peak() for driver in drivers}
        report.memory(peaks)
        waiting = [driver for driver in drivers if driver.client.waits]
        report.waits(phases.waits(server, waiting, each, longest), each, longest)
        passed("waits")
    load.append(os.getloadavg()[0])
    (clients.WORK / "table.md").write_text(report.text(load), encoding="utf-8")
    if asked.write:
        report.write(load)
    print(f"peers clients={len(chosen)} rounds={rounds} load={load[0]:.2f}..{load[1]:.2f}")


def part(rounds, of):
    """So many rounds for what takes long, and one at least."""
    return -(-rounds // of)


if __name__ == "__main__":
    main()
