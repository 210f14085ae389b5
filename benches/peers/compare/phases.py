"""What is measured, each a function: starts, calls, lists, waits. Clients take turns within every round."""

import concurrent.futures
import time

from .process import Driver, Failed

# A sample of calls is about as long as this.
SAMPLE_SECONDS = 0.12
CONCURRENCY = (1, 16)
KINDS = ("deploy", "train")
# Operations end after between so many seconds.
SHORTEST, LONGEST = 2, 60


def turns(clients, number):
    """All clients, in another order each round."""
    first = number % len(clients)
    return clients[first:] + clients[:first]


def starts(server, clients, rounds):
    """Per round and client: processor time and clock, in seconds, from the start of the process to its first reply."""
    measured = []
    # One before, so that every file is in the page cache.
    for number in range(rounds + 1):
        one = {}
        for client in turns(clients, number):
            with Driver(client, server) as driver:
                driver.tell("calls 1 1")
                if driver.line() != {"calls": 1}:
                    raise Failed(f"{client.name}: its first call")
                one[client.name] = (driver.cpu(), time.perf_counter() - driver.began)
        measured.append(one)
    return measured[1:]


class Calls:
    """Samples of calls, each as long as the others, whatever a client makes of it."""

    def __init__(self, server, drivers, is_check):
        self.server = server
        self.drivers = drivers
        self.many = {}
        for driver in drivers:
            calls = 64 if is_check else driver.client.warm_up
            for callers in CONCURRENCY[::-1]:
                self.sample(driver, calls, callers)
                # In blocks that all callers can share.
                _, wall = self.sample(driver, 64, callers)
                block = 64 if is_check else int(64 * SAMPLE_SECONDS / wall)
                self.many[driver.client.name, callers] = max(64, block // 16 * 16)

    def sample(self, driver, calls, callers):
        """Seconds of processor time and of the clock; the server must have seen every call."""
        before = self.server.counts()["gets"]
        took = driver.ask(f"calls {calls} {callers}", {"calls": calls})
        seen = self.server.counts()["gets"] - before
        if seen != calls:
            raise Failed(f"{driver.client.name}: {seen} calls arrived of {calls}")
        return took

    def rounds(self, callers, rounds):
        """Per round and client: microseconds of processor time a call, and calls a second."""
        cpu, rate = [], []
        for number in range(rounds):
            cpu.append({})
            rate.append({})
            for driver in turns(self.drivers, number):
                name = driver.client.name
                calls = self.many[name, callers]
                used, wall = self.sample(driver, calls, callers)
                cpu[-1][name] = used / calls * 1e6
                rate[-1][name] = calls / wall
        return cpu, rate


def lists(drivers, listed, rounds):
    """Per round and client: seconds of processor time and of the clock for one walk over the whole list."""
    measured = []
    for number in range(rounds):
        measured.append(
            {driver.client.name: driver.ask("list", {"operations": listed}) for driver in turns(drivers, number)}
        )
    return measured


def waits(server, drivers, each, longest):
    """Per kind and client: by how many seconds each end was noticed late, and how often a client asked an operation.

    Every client starts all its operations at once and waits for them; the clients do so at the same time.
    """
    takes = [SHORTEST + (longest - SHORTEST) * (i + 0.5) / each for i in range(each)]

    def one(driver):
        models = [model(driver, kind, i, took) for kind in KINDS for i, took in enumerate(takes)]
        driver.tell(" ".join(["wait", *models]))
        return {driver.line()["ended"]: time.time() for _ in models}

    with concurrent.futures.ThreadPoolExecutor(len(drivers)) as pool:
        noticed = list(pool.map(one, drivers))
    counts = server.counts()
    measured = {}
    for driver, ends in zip(drivers, noticed, strict=True):
        for kind in KINDS:
            late = [at - counts["ends"][model] for model, at in ends.items() if f"/{kind}-" in model]
            if len(late) != each or min(late) < 0:
                raise Failed(f"{driver.client.name}: {len(late)} ends of {each}, the earliest {min(late)} s late")
            measured[kind, driver.client.name] = (late, counts["calls"][location(driver, kind)] / each)
    return measured


def location(driver, kind):
    """The client's own for each kind, by which its calls are counted."""
    return f"projects/{driver.client.name}-{kind}/locations/us-central1"


def model(driver, kind, number, seconds):
    """Its name says what is done with it, and for how long."""
    return f"{location(driver, kind)}/issueModels/{kind}-{number}-{seconds * 1000:.0f}"
