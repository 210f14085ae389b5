"""The emulator as a process: it starts, says why it does not, and is never left behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

import contact_center_insights_emulator as insights
from contact_center_insights_emulator import _program

# Bounds what should end by itself.
LIMIT = 30


def is_running(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_the_end(process: int) -> None:
    end = time.monotonic() + LIMIT
    while is_running(process):
        assert time.monotonic() < end, f"{process} is left behind"
        time.sleep(0.01)


def test_it_starts_and_ends_with_the_block() -> None:
    with insights.start() as emulator:
        process = emulator._process.pid
        assert emulator.status()["version"]
        assert emulator.endpoint == f"http://{emulator.address}"
        assert insights.connect(emulator.address).status()["version"] == emulator.status()["version"]
    assert not is_running(process)
    emulator.stop()


def test_what_it_says_is_in_the_error() -> None:
    with pytest.raises(insights.EmulatorError, match=r"(?s)exit code 2:.*--no-such-flag"):
        insights.start(args=["--no-such-flag"])
    with pytest.raises(insights.EmulatorError, match="cannot run /nonexistent"):
        insights.start(binary="/nonexistent")
    with pytest.raises(insights.EmulatorError, match="is another program"):
        insights.start(binary="/bin/echo")
    with insights.start() as emulator:
        pass
    assert emulator.address in emulator.output(), "it is told after the first line, and read once it has ended"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")
@pytest.mark.parametrize("end", ["return", "SystemExit", "SIGTERM", "SIGKILL"])
def test_it_does_not_outlive_the_process_that_started_it(end: str) -> None:
    program = (
        "import os, signal, sys; import contact_center_insights_emulator as insights;"
        "emulator = insights.start(); print(emulator._process.pid, flush=True);"
        "end = sys.argv[1];"
        "end == 'SystemExit' and sys.exit(3);"
        "end.startswith('SIG') and os.kill(os.getpid(), getattr(signal, end))"
    )
    run = subprocess.run([sys.executable, "-c", program, end], stdout=subprocess.PIPE, timeout=LIMIT)
    expected = {"return": 0, "SystemExit": 3, "SIGTERM": -signal.SIGTERM, "SIGKILL": -signal.SIGKILL}
    assert run.returncode == expected[end]
    wait_for_the_end(int(run.stdout))


def test_the_console_script_is_the_program() -> None:
    script = os.path.join(os.path.dirname(sys.executable), "contact-center-insights")
    run = subprocess.run([script, "--version"], stdout=subprocess.PIPE, text=True, timeout=LIMIT)
    assert run.returncode == 0 and run.stdout.startswith("cci "), run
    refused = subprocess.run([script, "emulator", "--port", "x"], stderr=subprocess.PIPE, text=True, timeout=LIMIT)
    assert refused.returncode == 2 and "--port" in refused.stderr


def test_it_looks_names_up() -> None:
    """A program that is linked statically has no loader that could bring it the system's lookup."""
    with insights.start() as emulator:
        for host, code in [("localhost", 0), ("emulator.invalid", 69)]:
            endpoint = f"http://{host}:{emulator.address.rpartition(':')[2]}"
            health = [_program.path(), "emulator", "health", "--endpoint", endpoint]
            run = subprocess.run(health, stderr=subprocess.PIPE, text=True, timeout=LIMIT)
            assert run.returncode == code, run.stderr


def test_data_outlives_it(tmp_path: os.PathLike) -> None:
    seed = {"conversations": [{"name": "projects/7/locations/us-central1/conversations/1", "agentId": "9"}]}
    with insights.start(data_dir=tmp_path, seed=seed) as emulator:
        before = emulator.snapshot()
    with insights.start(data_dir=tmp_path) as emulator:
        assert emulator.snapshot() == before
        assert emulator.export()["conversations"][0]["agentId"] == "9"
