"""The processes of the comparison, and what the kernel says of them: the server, and a client spoken to in lines.

Processor time and memory are those of the whole process, read from outside and by the same means for every language.
"""

import json
import os
import pathlib
import select
import subprocess
import time
import urllib.request

from . import clients

# No answer takes longer: not a wait, and not a list on a slow machine.
PATIENCE_SECONDS = 400
LONG = 1 << 16


class Failed(Exception):
    """A client did not do what it was told to."""


def start(command, core, **streams):
    """Starts a process on one core, where there are two: that of the server, or that of all clients."""
    own = os.sched_getaffinity(0)
    cores = sorted(own)
    if len(cores) > 1:
        # Inherited by the process and all its threads.
        os.sched_setaffinity(0, {cores[core]})
    try:
        environment = os.environ | {"GOMAXPROCS": "1"}
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, **streams)
    finally:
        os.sched_setaffinity(0, own)


class Server:
    """The neutral server, on the first core."""

    def __init__(self, program, listed):
        files = [clients.WORK / name for name in ("name", "token")]
        self.name, self.token = (file.read_text(encoding="utf-8") for file in files)
        self.process = start([program, clients.WORK / "operation.bin", self.name, str(listed)], core=0)
        self.addresses = json.loads(self.process.stdout.readline())

    def arguments(self, client):
        """What a client's driver is started with."""
        return [self.addresses["rest" if client.transport == "REST" else "grpc"], self.name, self.token]

    def counts(self):
        """What it was asked so far."""
        with urllib.request.urlopen(f"http://{self.addresses['rest']}/counts", timeout=10) as answer:
            return json.load(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)


class Driver:
    """A running client, on the last core."""

    def __init__(self, client, server):
        self.client = client
        self.log = open(clients.WORK / f"{client.name}.log", "ab")  # noqa: SIM115  (closed with the driver)
        self.rest = b""
        self.began = time.perf_counter()
        self.process = start([*client.command, *server.arguments(client)], core=-1, stderr=self.log)

    def tell(self, command):
        """Writes a line."""
        self.process.stdin.write(f"{command}\n".encode())
        self.process.stdin.flush()

    def line(self):
        """The next line, read; a client that reports an error, or says nothing any more, has failed."""
        until = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), LONG) if ready else b""
            if not more:
                raise Failed(f"{self.client.name}: no answer, see {self.log.name}")
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(f"{self.client.name}: {answer['error']}")
        return answer

    def ask(self, command, expected):
        """Seconds of processor time and of the clock that the command took; the answer must be the expected one."""
        cpu, wall = self.cpu(), time.perf_counter()
        self.tell(command)
        answer = self.line()
        took = self.cpu() - cpu, time.perf_counter() - wall
        if answer != expected:
            raise Failed(f"{self.client.name}: {answer} and not {expected} after {command!r}")
        return took

    def cpu(self):
        """Seconds of processor time since the start of the process, of all its threads, those that ended too."""
        # The kernel's number of another process's clock: CPUCLOCK_SCHED in the low bits (linux/posix-timers.h).
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def peak(self):
        """The most memory that the process has had resident, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        self.log.close()


def end(process):
    """Ends a process by the end of its stdin; by force, if that is not enough."""
    try:
        process.stdin.close()
        process.wait(timeout=5)
    except (BrokenPipeError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()
    process.stdout.close()
