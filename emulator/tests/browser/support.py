"""An emulator as a process, and how a check is told."""

import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request


class Emulator:
    """With a seed in it, on a free port unless one is given."""

    def __init__(self, cci, *flags, seed=None, port=0):
        self.seed = tempfile.NamedTemporaryFile("w", suffix=".json")
        json.dump(seed or {}, self.seed)
        self.seed.flush()
        command = [cci, "emulator", "--port", str(port), "--seed", self.seed.name, *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = json.loads(self.process.stdout.readline())["address"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.seed.close()

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    def get(self, path, accept="*/*"):
        """Status, content type and text of what a client that is not a browser gets."""
        request = urllib.request.Request(f"http://{self.address}{path}", headers={"accept": accept})
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, reply.headers["content-type"], reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["content-type"], error.read().decode()


def check(what, is_good, seen=""):
    print(("ok      " if is_good else "FAILED  ") + what, flush=True)
    if not is_good:
        print(seen)
        sys.exit(1)
