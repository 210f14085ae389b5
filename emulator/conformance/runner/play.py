"""Plays the corpus through one client, on an emulator of its own, and sees how the client retries."""

import dataclasses

from google.protobuf import json_format

from . import contract, corpus, expect, process, retries, same


@dataclasses.dataclass
class Outcome:
    """What became of one step."""

    method: str
    # What is wrong, a line each; none is good.
    faults: list[str]
    # The answer, settled for comparison; None if there was none to compare.
    settled: dict | None = None


@dataclasses.dataclass
class Played:
    """What a client made of it all."""

    # By case and number of step: every step that the client can send.
    steps: dict
    # How many attempts it made of a call that was refused twice, and how that ended.
    retried: tuple


def play(client, cases, log):
    """Plays every case, and then the call that is refused."""
    outcomes = {}
    emulator = process.Emulator(log.with_suffix(".emulator.log"))
    with emulator, process.Driver(client.command, emulator.address, client.transport, log) as driver:
        for case in cases:
            run = Run(client, case, driver)
            for number, step in enumerate(case.steps):
                if step.concerns(client):
                    outcomes[case.name, number] = run.step(step)
        return Played(outcomes, retries.attempts(emulator.address, driver))


class Run:
    """One case with one client, step by step."""

    def __init__(self, client, case, driver):
        self.client = client
        self.driver = driver
        self.places = case.places()
        self.names = same.Names(case.literals())

    def step(self, step):
        try:
            request = corpus.fill(step.request, self.places)
            wanted = corpus.fill(step.expect, self.places)
        except corpus.Missing as place:
            return Outcome(step.method, [f"not reached: no earlier step gave ${{{place}}}"])
        answer = self.driver.ask(step.method, request, step.mode)
        try:
            answer = self.read(step, answer)
        except json_format.ParseError as error:
            return Outcome(step.method, [f"the client's answer is not ProtoJSON of its type: {error}"])
        faults = expect.faults(wanted, answer)
        for place, path in step.save.items():
            try:
                self.places[place] = corpus.pick(answer["response"], path)
            except (KeyError, IndexError, TypeError, ValueError):
                faults.append(f"the response has no {path}")
        return Outcome(step.method, faults, self.settle(answer))

    def read(self, step, answer):
        """The answer with its messages in canonical form, and without what the client hides."""
        api = contract.load()
        method = api.methods[step.method]
        shown = dict(answer)
        if answer["code"] == "OK":
            shown["response"] = self.canonical(api, method, step.mode, answer.get("response") or {})
        if answer.get("metadata"):
            shown["metadata"] = api.canonical(method.metadata, answer["metadata"])
        during = "operation details" if answer.get("during") == "operation" else "details"
        if during in self.client.hides or "details" in self.client.hides:
            shown |= {"reason": expect.NOTHING, "fields": expect.NOTHING}
        if "metadata" in self.client.hides:
            shown["metadata"] = expect.NOTHING
        return shown

    def canonical(self, api, method, mode, response):
        if mode == "walk":
            items = api.pool.FindMessageTypeByName(method.response).fields[0].message_type.full_name
            return [api.canonical(items, item) for item in response]
        return api.canonical(method.result if mode == "follow" else method.response, response)

    def settle(self, answer):
        """What must be equal in all clients: code, details, messages. What people read is not."""
        kept = ("code", "reason", "fields", "during", "response", "metadata")
        shown = {key: answer[key] for key in kept if answer.get(key) not in (None, [])}
        return {key: value if value is expect.NOTHING else self.names.settle(value) for key, value in shown.items()}


def compare(reference, other):
    """Where a settled answer differs from that of the reference; what is hidden is equal to anything."""
    found = []
    if not expect.same_code(reference["code"], other["code"]):
        found.append(f"code is {other['code']}, and {reference['code']} for the bare gRPC client")
    for key in sorted((reference.keys() | other.keys()) - {"code"}):
        ours, theirs = reference.get(key), other.get(key)
        if expect.NOTHING not in (ours, theirs) and ours != theirs:
            found.append(f"{key} is {theirs}, and {ours} for the bare gRPC client")
    return found
