"""The clients that are driven: what each is called, how its driver is made, and what it does not show its users."""

import dataclasses
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).parents[3]
CLIENTS = ROOT / "emulator" / "conformance" / "clients"
WORK = ROOT / "target" / "conformance"

# How much of what a failed command said is repeated.
LONG = 4000


class Unusable(Exception):
    """A toolchain is missing, or a driver could not be made."""


@dataclasses.dataclass(frozen=True)
class Client:
    """One client over one transport."""

    language: str
    transport: str
    package: str
    # How the driver is started; address and transport follow.
    command: tuple[str, ...]
    # What the client keeps from its users, with nobody's fault in the emulator: see README.md.
    hides: frozenset[str] = frozenset()
    # Whether it calls again when UNAVAILABLE says so.
    retries: bool = True

    @property
    def key(self):
        return f"{self.language}-{self.transport}"


def _python(script):
    return (os.environ["CCI_PYTHON"], str(CLIENTS / "python" / script))


def _built(name):
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return (str(target / "debug" / name),)


def all_clients():
    """All, in the order of the table's columns; the first is what the others are held against."""
    node = ("node", str(CLIENTS / "node" / "driver.js"))
    go = (str(WORK / "go" / "driver"),)
    java = ("java", "-cp", f"{WORK}/java/classes:{WORK}/java/lib/*", "conformance.Driver")
    return [
        Client("bare", "grpc", "the wire itself", _python("bare.py"), retries=False),
        Client("bare", "rest", "the wire itself", _python("bare.py"), retries=False),
        Client("python", "grpc", "google-cloud-contact-center-insights", _python("official.py"), retries=False),
        Client("python", "rest", "google-cloud-contact-center-insights", _python("official.py"), retries=False),
        Client("node", "grpc", "@google-cloud/contact-center-insights", node),
        Client("node", "rest", "@google-cloud/contact-center-insights", node, retries=False),
        Client("java", "grpc", "google-cloud-contact-center-insights", java, frozenset({"operation details"})),
        Client("java", "rest", "google-cloud-contact-center-insights", java, frozenset({"details"})),
        Client("go", "grpc", "cloud.google.com/go/contactcenterinsights", go),
        Client("go", "rest", "cloud.google.com/go/contactcenterinsights", go),
        Client(
            "rust",
            "rest",
            "google-cloud-contactcenterinsights-v1",
            _built("conformance-rust"),
            frozenset({"metadata"}),
        ),
        Client("ours", "grpc", "contact-center-insights", _built("contact-center-insights-conformance")),
    ]


def languages():
    """Every language that `--only` may name."""
    return list(dict.fromkeys(client.language for client in all_clients()))


def prepare(language):
    """Makes the driver of a language, with all that it needs, below target/conformance."""
    {"node": _node, "go": _go, "java": _java, "rust": _rust, "ours": _ours}.get(language, lambda: None)()


def run_tool(needs, command, cwd, seconds, **environment):
    """Runs a command of a toolchain; what it says is told only if it fails."""
    if shutil.which(needs) is None:
        raise Unusable(f"{needs} is missing: install it, or leave its language out with --only")
    try:
        subprocess.run(
            command,
            cwd=cwd,
            check=True,
            timeout=seconds,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        what = f"`{' '.join(map(str, command))}` ended with {error.returncode}"
        raise Unusable(f"{what}:\n{error.stdout[-LONG:]}") from error
    except subprocess.TimeoutExpired as error:
        raise Unusable(f"`{' '.join(map(str, command))}` took more than {seconds} s") from error


def _node():
    into = WORK / "node"
    into.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(CLIENTS / "node" / name, into / name)
    run_tool("npm", ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], into, 300)
    os.environ["CCI_NODE_MODULES"] = str(into)


def _go():
    (WORK / "go").mkdir(parents=True, exist_ok=True)
    run_tool("go", ["go", "build", "-mod=readonly", "-o", WORK / "go" / "driver", "."], CLIENTS / "go", 600)


def _java():
    run_tool("mvn", ["mvn", "-q", "-B", f"-Dwork={WORK}/java", "process-classes"], CLIENTS / "java", 600)


def _rust():
    # It shares our target directory, and little else: its dependencies have features of their own.
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    run_tool("cargo", ["cargo", "build", "--locked", "--quiet"], CLIENTS / "rust", 900, CARGO_TARGET_DIR=target)


def _ours():
    package = "contact-center-insights-conformance"
    run_tool("cargo", ["cargo", "build", "--locked", "--quiet", "--package", package], ROOT, 900)
