"""The processes of a run: an emulator of its own for each client, and the client's driver, spoken to in lines."""

import json
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading

FIXTURES = pathlib.Path(__file__).parents[1] / "gcs"
# An operation is done at its first poll, so that pollers with long waits need none. One method takes two polls, so that
# every poller waits at least once.
PROFILES = ["polls:1", "UndeployIssueModel=polls:2"]
# No answer takes longer: pollers give up before.
PATIENCE_SECONDS = 200


class Emulator:
    """`cci emulator` on a free port, with a copy of the fixtures as its Cloud Storage."""

    def __init__(self, log, *arguments):
        self.storage = tempfile.TemporaryDirectory()
        shutil.copytree(FIXTURES, self.storage.name, dirs_exist_ok=True)
        command = [os.environ["CCI_BIN"], "emulator", "--port", "0", "--gcs-root", self.storage.name]
        command += ["--min-training-conversations", "0"]
        for profile in PROFILES:
            command += ["--profile", profile]
        with open(log, "w", encoding="utf-8") as stderr:
            self.process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=stderr, text=True)
        ready = self.process.stdout.readline()
        if not ready:
            raise RuntimeError(f"the emulator did not start, see {log}: {' '.join(command)}")
        self.address = json.loads(ready)["address"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.storage.cleanup()


class Driver:
    """A client's driver: takes a call a line, gives an answer a line."""

    def __init__(self, command, address, transport, log):
        self.log = open(log, "w", encoding="utf-8")  # noqa: SIM115  (closed with the driver)
        self.process = subprocess.Popen(
            [*command, address, transport],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def ask(self, method, request, mode):
        """The answer to one call; if there is none, that is the answer."""
        try:
            self.process.stdin.write(json.dumps({"method": method, "request": request, "mode": mode}) + "\n")
            self.process.stdin.flush()
            line = self.lines.get(timeout=PATIENCE_SECONDS)
            return json.loads(line)
        except queue.Empty:
            self.process.kill()
            return {"code": "CLIENT", "message": f"no answer within {PATIENCE_SECONDS} s"}
        except (BrokenPipeError, json.JSONDecodeError) as error:
            return {"code": "CLIENT", "message": f"the driver is gone: {error} (see {self.log.name})"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
            self.process.wait(timeout=10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
        self.log.close()
