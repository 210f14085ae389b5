"""The clients that are compared: how each is made and started, and which version of what it is."""

import dataclasses
import os
import pathlib
import re

from runner import clients as conformance

ROOT = conformance.ROOT
CLIENTS = conformance.CLIENTS
PEERS = ROOT / "benches" / "peers"
WORK = ROOT / "target" / "peers"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


@dataclasses.dataclass(frozen=True)
class Client:
    """One client: its driver's command, and the file in which its version is pinned."""

    name: str
    package: str
    transport: str
    command: tuple[str, ...]
    pinned: pathlib.Path
    # What stands before the version there.
    pin: str
    # Calls before the first that counts: until a compiler at run time has done its part.
    warm_up: int
    # Whether it has a way to wait for an operation.
    waits: bool = True

    def version(self):
        """The version of the package."""
        return pinned(self.pin, self.pinned)


def all_clients(profile):
    """All, ours first: the others are held against it."""
    rust = TARGET / profile
    node = WORK.parent / "conformance" / "node"
    os.environ["CCI_NODE_MODULES"] = str(node)
    java = f"{WORK}/java:{conformance.WORK}/java/lib/*"
    return [
        Client(
            "ours",
            "contact-center-insights",
            "gRPC",
            (str(rust / "peers-ours"),),
            ROOT / "Cargo.toml",
            "[workspace.package]\nversion",
            2_000,
        ),
        Client(
            "tonic",
            "tonic, the bare stub",
            "gRPC",
            (str(rust / "peers-tonic"),),
            ROOT / "Cargo.lock",
            'name = "tonic"\nversion',
            2_000,
            waits=False,
        ),
        Client(
            "rust",
            "google-cloud-contactcenterinsights-v1",
            "REST",
            (str(rust / "peers-official"),),
            CLIENTS / "rust" / "Cargo.toml",
            "google-cloud-contactcenterinsights-v1 = { version",
            2_000,
        ),
        Client(
            "go",
            "cloud.google.com/go/contactcenterinsights",
            "gRPC",
            (str(WORK / "client-go"),),
            CLIENTS / "go" / "go.mod",
            "cloud.google.com/go/contactcenterinsights",
            2_000,
        ),
        Client(
            "java",
            "google-cloud-contact-center-insights",
            "gRPC",
            ("java", "-XX:ActiveProcessorCount=1", "-cp", java, "Client"),
            CLIENTS / "java" / "pom.xml",
            "google-cloud-contact-center-insights</artifactId>\n      <version",
            40_000,
        ),
        Client(
            "node",
            "@google-cloud/contact-center-insights",
            "gRPC",
            ("node", str(PEERS / "clients" / "node" / "client.js")),
            CLIENTS / "node" / "package.json",
            "@google-cloud/contact-center-insights",
            10_000,
        ),
        Client(
            "python",
            "google-cloud-contact-center-insights",
            "gRPC",
            (os.environ["CCI_PYTHON"], str(PEERS / "clients" / "python" / "client.py")),
            ROOT / "interop" / "python" / "requirements.txt",
            "google-cloud-contact-center-insights",
            2_000,
        ),
    ]


def pinned(what, where):
    """The version that a file has after these words."""
    return re.search(re.escape(what) + r'[="v\s<>a-z:/]*(\d[\w.]*)', where.read_text(encoding="utf-8")).group(1)


def prepare(profile):
    """Makes the server and all drivers, and the operation that is asked about; says where the server is."""
    WORK.mkdir(parents=True, exist_ok=True)
    run = conformance.run_tool
    cargo = ["cargo", "build", "--locked", "--quiet", *(["--release"] if profile == "release" else [])]
    run("cargo", [*cargo, "--package", "contact-center-insights-peers"], ROOT, 1800)
    official = [*cargo, "--features", "peers", "--bin", "peers-official"]
    run("cargo", official, CLIENTS / "rust", 1800, CARGO_TARGET_DIR=str(TARGET))
    run(str(TARGET / profile / "peers-data"), [TARGET / profile / "peers-data", WORK], ROOT, 60)
    # Built as files of the module that has the versions, that of the conformance run.
    for name, folder in (("server", PEERS / "server"), ("client-go", PEERS / "clients" / "go")):
        files = sorted(folder.glob("*.go"))
        run("go", ["go", "build", "-mod=readonly", "-o", WORK / name, *files], CLIENTS / "go", 600)
    conformance.prepare("node")
    conformance.prepare("java")
    source = PEERS / "clients" / "java" / "Client.java"
    run("javac", ["javac", "-cp", f"{conformance.WORK}/java/lib/*", "-d", WORK / "java", source], ROOT, 300)
    return WORK / "server"
