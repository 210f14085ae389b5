"""An emulator as a process: how it is started, found by the official client, and never left behind."""

from __future__ import annotations

import datetime
import json
import os
import queue
import subprocess
import threading
from typing import IO, TYPE_CHECKING, Any, Mapping, Sequence, Union

from . import _program
from ._admin import Admin, format_time

if TYPE_CHECKING:
    from types import TracebackType

Path = Union[str, "os.PathLike[str]"]
# How long it is given to end before it is killed.
_PATIENCE = 5.0
# How much of what it says is kept, in bytes: the last of it.
_KEPT = 1 << 20


class EmulatorError(RuntimeError):
    """The emulator did not start; the text has what it said."""


class Client:
    """The official client for an emulator; `pip install contact-center-insights-emulator[client]`."""

    address: str
    endpoint: str

    def client(self, transport: str = "grpc") -> Any:
        """A `ContactCenterInsightsClient` over `grpc` or `rest`, without credentials."""
        from google.cloud import contact_center_insights_v1 as insights
        from google.cloud.contact_center_insights_v1.services.contact_center_insights import transports

        if transport == "grpc":
            import grpc

            channel = grpc.insecure_channel(self.address, options=_NO_PROXY)
            return insights.ContactCenterInsightsClient(
                transport=transports.ContactCenterInsightsGrpcTransport(channel=channel)
            )
        if transport == "rest":
            from google.auth import credentials

            anonymous: Any = credentials.AnonymousCredentials
            return insights.ContactCenterInsightsClient(
                transport=transports.ContactCenterInsightsRestTransport(
                    host=self.address, url_scheme="http", credentials=anonymous()
                )
            )
        raise ValueError(f"a transport is 'grpc' or 'rest', not {transport!r}")

    def async_client(self) -> Any:
        """A `ContactCenterInsightsAsyncClient` over gRPC, without credentials."""
        import grpc.aio
        from google.cloud import contact_center_insights_v1 as insights
        from google.cloud.contact_center_insights_v1.services.contact_center_insights import transports

        channel = grpc.aio.insecure_channel(self.address, options=_NO_PROXY)
        return insights.ContactCenterInsightsAsyncClient(
            transport=transports.ContactCenterInsightsGrpcAsyncIOTransport(channel=channel)
        )


# No proxy leads to this machine.
_NO_PROXY = (("grpc.enable_http_proxy", 0),)


class Connected(Admin, Client):
    """An emulator that runs already: `connect`."""


class Emulator(Admin, Client):
    """An emulator that `start` began; it ends with the `with` block, with `stop`, or with this process."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, log: _Log) -> None:
        super().__init__(address)
        self._process = process
        self._log = log

    def stop(self) -> None:
        """Ends it, and waits for that. Has no effect the second time."""
        _end(self._process)

    def output(self) -> str:
        """What it has said on stderr, the last MiB of it."""
        return self._log.text() if self._process.poll() is None else self._log.whole()

    def environment(self) -> dict[str, str]:
        """The variables by which other programs find it: `cci`, and clients that read the first."""
        return {
            "CONTACTCENTERINSIGHTS_EMULATOR_HOST": self.address,
            "CONTACTCENTERINSIGHTS_EMULATOR_ENDPOINT": self.endpoint,
        }

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def connect(address: str) -> Connected:
    """An emulator that runs at HOST:PORT, in a container for example."""
    return Connected(address)


def start(
    *,
    seed: Path | Mapping[str, Any] | None = None,
    profile: str | Mapping[str, str] | None = None,
    clock: str | datetime.datetime | None = None,
    data_dir: Path | None = None,
    gcs_root: Path | None = None,
    port: int = 0,
    args: Sequence[Path] = (),
    binary: Path | None = None,
    timeout: float = 10.0,
) -> Emulator:
    """Starts an emulator, and returns once it answers.

    `seed` is a file or a mapping; `profile` says how operations go (`"immediate"`, `"polls:2"`, `"time:5s"`), for all
    methods or by method; `clock` is `"real"` (the default), `"virtual"`, or the time that a virtual one starts at; `args` are further
    arguments of `contact-center-insights emulator`. Raises `EmulatorError` with what it said if it does not start.
    """
    command = [os.fspath(binary or _program.path()), "emulator", "--exit-with-stdin", "--port", str(port)]
    profiles = {"": profile} if isinstance(profile, str) else dict(profile or {})
    for method, how in profiles.items():
        command += ["--profile", f"{method}={how}" if method else how]
    if isinstance(clock, datetime.datetime):
        clock = f"virtual={format_time(clock)}"
    if clock is not None:
        command += ["--clock", clock]
    if seed is not None and not isinstance(seed, Mapping):
        command += ["--seed", os.fspath(seed)]
    if data_dir is not None:
        command += ["--data-dir", os.fspath(data_dir)]
    if gcs_root is not None:
        command += ["--gcs-root", os.fspath(gcs_root)]
    command += [os.fspath(argument) for argument in args]

    try:
        # Its stdin is a pipe that nobody writes to: it is closed when this process ends, however that ends.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise EmulatorError(f"cannot run {command[0]}: {error}") from error
    log = _Log(process.stderr)
    address, problem = _ready(process, timeout)
    if address is None:
        _end(process)
        said = log.whole().strip()
        raise EmulatorError(f"the emulator {problem}:\n{said}" if said else f"the emulator {problem}")
    emulator = Emulator(process, address, log)
    if isinstance(seed, Mapping):
        try:
            emulator.seed(seed)
        except BaseException:
            emulator.stop()
            raise
    return emulator


def _ready(process: subprocess.Popen[bytes], timeout: float) -> tuple[str | None, str]:
    """The address in its first line, or what went wrong."""
    lines: queue.Queue[bytes] = queue.Queue()
    stdout = process.stdout
    assert stdout is not None

    def read() -> None:
        with stdout:
            lines.put(stdout.readline())
            # Nobody reads what else it may say there, and it must not wait for that.
            while stdout.read(65536):
                pass

    threading.Thread(target=read, name="contact-center-insights-emulator", daemon=True).start()
    try:
        line = lines.get(timeout=timeout)
    except queue.Empty:
        return None, f"was not ready after {timeout} s"
    if not line:
        return None, f"ended with exit code {process.wait()}"
    try:
        return str(json.loads(line)["address"]), ""
    except (ValueError, KeyError, TypeError):
        return None, f"is another program: its first line is {line!r}"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Log:
    """What a process says, read as it comes, so that the process never waits for it to be read."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        self._kept = b""
        self._reader = threading.Thread(target=self._read, args=(pipe,), name="emulator's stderr", daemon=True)
        self._reader.start()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := os.read(pipe.fileno(), 65536):
                self._kept = (self._kept + chunk)[-_KEPT:]

    def text(self) -> str:
        return self._kept.decode(errors="replace")

    def whole(self) -> str:
        """All of it, of a process that has ended."""
        self._reader.join(_PATIENCE)
        return self.text()
