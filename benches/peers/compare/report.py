"""What a comparison found: a line of figures for each client and phase, and the tables of docs/performance.md."""

import os
import pathlib
import platform
import re
import subprocess

from . import figures, phases
from .clients import CLIENTS, ROOT, pinned

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- peers: begin -->\n", "<!-- peers: end -->"


class Report:
    """Collects lines, which it prints, and tables."""

    def __init__(self, clients):
        self.clients = clients
        self.tables = []

    def line(self, phase, client, *pairs):
        print(" ".join([f"peers_{phase} client={client.name}", *pairs]), flush=True)

    def table(self, title, columns, rows):
        """One row a client, each what it is called and its cells."""
        self.tables.append(f"### {title}\n")
        self.tables.append("| client | " + " | ".join(columns) + " |")
        self.tables.append("|---|" + "--:|" * len(columns))
        for client, cells in rows:
            self.tables.append(f"| {client.name} | " + " | ".join(cells) + " |")
        self.tables.append("")

    def starts(self, rounds):
        cpu = [{name: used for name, (used, _) in one.items()} for one in rounds]
        wall = [{name: clock for name, (_, clock) in one.items()} for one in rounds]
        rows = []
        for client in self.clients:
            own = [figures.of(of, client.name) for of in (wall, cpu)]
            ratios = [figures.ratios(of, client.name) for of in (wall, cpu)]
            self.line(
                "start",
                client,
                f"wall_ms={own[0].median * 1e3:.1f} {ratios[0].pairs('wall_ratio', 2)}",
                f"cpu_ms={own[1].median * 1e3:.1f} {ratios[1].pairs('cpu_ratio', 2)}",
            )
            cells = []
            for one, ratio in zip(own, ratios, strict=True):
                cells += [f"{one.median * 1e3:.1f}", shown(client, ratio, 1)]
            rows.append((client, cells))
        title = f"Start: from the start of the process to its first reply ({len(rounds)} rounds)"
        self.table(title, ["ms", "ratio to ours", "CPU ms", "ratio to ours"], rows)

    def calls(self, measured):
        """Of each concurrency: rounds of processor time a call, and of calls a second."""
        rows = {client.name: [] for client in self.clients}
        for callers, (cpu, rate) in measured.items():
            for client in self.clients:
                own, ratio = figures.of(cpu, client.name), figures.ratios(cpu, client.name)
                speed = figures.ratios(rate, client.name)
                self.line(
                    "calls",
                    client,
                    f"c={callers} cpu_us={own.median:.1f} {ratio.pairs('cpu_ratio', 2)}",
                    speed.pairs("throughput_ratio", 3),
                )
                per_second = figures.of(rate, client.name).median
                rows[client.name] += [f"{own.median:.1f}", shown(client, ratio, 2), f"{per_second:.0f}"]
        columns = [f"c = {c}: {name}" for c in measured for name in ("CPU µs", "ratio to ours", "calls/s")]
        rounds = len(next(iter(measured.values()))[0])
        title = f"Calls: `GetOperation`, metadata and response decoded ({rounds} rounds)"
        self.table(title, columns, [(client, rows[client.name]) for client in self.clients])

    def lists(self, rounds, listed):
        cpu = [{name: used for name, (used, _) in one.items()} for one in rounds]
        wall = [{name: clock for name, (_, clock) in one.items()} for one in rounds]
        rows = []
        for client in self.clients:
            own, ratio = figures.of(cpu, client.name), figures.ratios(cpu, client.name)
            clock = figures.of(wall, client.name)
            self.line("list", client, f"cpu_s={own.median:.2f} {ratio.pairs('cpu_ratio', 2)} wall_s={clock.median:.2f}")
            rows.append((client, [f"{own.median:.2f}", shown(client, ratio, 2), f"{clock.median:.2f}"]))
        title = f"Lists: {listed:,} operations in pages of 1,000, each decoded ({len(rounds)} rounds)"
        self.table(title, ["CPU s", "ratio to ours", "s"], rows)

    def memory(self, peaks):
        """Per phase and client, the peak of resident memory until its end, in MiB."""
        rows = []
        for client in self.clients:
            own = [phase[client.name] for phase in peaks.values()]
            named = [f"{key}_mib={mib:.1f}" for key, mib in zip(("calls", "lists"), own, strict=True)]
            self.line("memory", client, *named)
            ratios = [mib / phase[figures.REFERENCE] for mib, phase in zip(own, peaks.values(), strict=True)]
            rows.append((client, [f"{value:.1f}" for pair in zip(own, ratios, strict=True) for value in pair]))
        columns = [column for name in peaks for column in (f"{name}: MiB", "ratio to ours")]
        self.table("Memory: the peak of what is resident", columns, rows)

    def waits(self, measured, each, longest):
        rows = []
        for client in self.clients:
            cells = []
            for kind in phases.KINDS:
                if not client.waits:
                    cells += ["–", "–"]
                    continue
                late, calls = measured[kind, client.name]
                spread = figures.Spread(late)
                self.line("wait", client, f"kind={kind} {spread.pairs('late_s', 2)} calls={calls:.1f}")
                cells += [spread.show(1), f"{calls:.1f}"]
            rows.append((client, cells))
        names = {"deploy": "deployment", "train": "training"}
        columns = [f"{names[kind]}: {what}" for kind in phases.KINDS for what in ("s late", "calls")]
        title = f"Waits: {each} operations of each kind, which end after {phases.SHORTEST} to {longest} s"
        self.table(title, columns, rows)

    def where(self, load):
        """Machine and versions."""
        models = re.findall(r"^model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
        cpu = models[0] if models else platform.machine()
        tools = {
            "Go": first("go", "version").split()[2].removeprefix("go"),
            "Java": first("java", "-version").split('"')[1],
            "Node": first("node", "--version").removeprefix("v"),
            "Python": platform.python_version(),
            "Rust": first("rustc", "--version").split()[1],
            "the server's grpc-go": pinned("google.golang.org/grpc", CLIENTS / "go" / "go.mod"),
        }
        yield f"Machine: {cpu.strip()}, {os.cpu_count()} cores, Linux {platform.release().partition('-')[0]}."
        yield f"Load (1 min) before and after: {load[0]:.2f} and {load[1]:.2f}."
        yield "Versions: " + ", ".join(f"{name} {version}" for name, version in tools.items()) + "."
        yield ""
        yield "| client | package | version | transport | calls to warm up |"
        yield "|---|---|---|---|--:|"
        for client in self.clients:
            package = f"`{client.package}`" if " " not in client.package else client.package
            yield f"| {client.name} | {package} | {client.version()} | {client.transport} | {client.warm_up:,} |"
        yield ""

    def text(self, load):
        return "\n".join([*self.where(load), *self.tables]).rstrip("\n") + "\n"

    def write(self, load):
        """The tables into the page, between its marks."""
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(before + BEGIN + self.text(load) + END + after, encoding="utf-8")


def shown(client, ratio, digits):
    """A ratio as a cell; the reference's own says nothing."""
    return "1" if client.name == figures.REFERENCE else ratio.show(digits)


def first(*command):
    """The first line of what a tool says; Java says it on stderr."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.stdout.partition("\n")[0]
