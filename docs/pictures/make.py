#!/usr/bin/env python3
"""Draws the pictures of cli/README.md from real runs: cci in a terminal of a fixed size, against an emulator that starts
with the same operations each time.

    cargo build --package contact-center-insights-cli
    docs/pictures/make.py target/debug/cci
"""
import fcntl
import html
import json
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

COLORS = {"31": "#d1242f", "32": "#1a7f37", "33": "#9a6700", "36": "#0969da"}
ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")
PLACE = "projects/7/locations/us-central1"


def seed():
    """Operations of each state, as old as their ids say, told from now."""
    package = "type.googleapis.com/google.cloud.contactcenterinsights.v1."
    stamp = lambda ago: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))
    name = lambda number: f"{PLACE}/operations/{1000000000000000000 + number}"
    bulk = {"@type": package + "BulkAnalyzeConversationsMetadata", "createTime": stamp(1930),
            "completedAnalysesCount": 412, "totalRequestedAnalysesCount": 1000}
    model = {"@type": package + "CreateIssueModelMetadata", "createTime": stamp(7930)}
    return {"operations": [
        {"name": name(1), "metadata": bulk},
        {"name": name(2), "metadata": model, "done": True,
         "response": {"@type": package + "IssueModel", "displayName": "parcels"}},
        {"name": name(3), "metadata": {"@type": package + "ExportInsightsDataMetadata", "createTime": stamp(400)},
         "done": True, "error": {"code": 7, "message": "no table"}},
    ]}


def run(command, columns, rows, environment, stop_after):
    """What the command leaves on a terminal: lines of (text, color)."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    output, ends = b"", time.monotonic() + stop_after
    while time.monotonic() < ends:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                part = os.read(terminal, 65536)
            except OSError:
                break
            if not part:
                break
            output += part
    picture = draw(output.decode(), columns)
    try:
        os.kill(pid, 15)
    except ProcessLookupError:
        pass
    os.waitpid(pid, 0)
    os.close(terminal)
    return picture


def draw(text, columns):
    """The cells of a screen after these bytes, as far as cci uses escapes."""
    screen, row, column, color, at = {}, 0, 0, None, 0
    while at < len(text):
        escape = ESCAPE.match(text, at)
        if escape:
            arguments, kind = escape.groups()
            number = int(arguments) if arguments.isdigit() else 1
            if kind == "m":
                color = COLORS.get(arguments, None)
            elif kind == "H":
                row = column = 0
            elif kind == "A":
                row = max(0, row - number)
            elif kind == "K":
                for cell in [cell for cell in screen if cell[0] == row and (arguments == "2" or cell[1] >= column)]:
                    del screen[cell]
            elif kind == "J" or (kind == "h" and arguments == "?1049"):
                for cell in [cell for cell in screen if cell[0] >= row]:
                    del screen[cell]
            at = escape.end()
            continue
        letter = text[at]
        if letter == "\r":
            column = 0
        elif letter == "\n":
            row += 1
        else:
            screen[(row, column)] = (letter, color)
            column += 1
        at += 1
    height = max((cell[0] for cell in screen), default=0) + 1
    return [[screen.get((line, cell), (" ", None)) for cell in range(columns)] for line in range(height)]


def svg(lines, columns, prompt):
    # A name of its full length says little here.
    prompt = prompt.replace(f"{PLACE}/operations/1000000000000000001", "$NAME").replace(PLACE, "$PLACE")
    width, height = columns * 8.4 + 32, (len(lines) + 1) * 19 + 32
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" role="img">',
             f'<title>{html.escape(prompt)}</title>',
             f'<rect width="100%" height="100%" rx="8" fill="#f6f8fa" stroke="#d0d7de"/>',
             '<g font-family="ui-monospace,DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14" fill="#1f2328">',
             f'<text x="16" y="30" fill="#656d76">$ {html.escape(prompt)}</text>']
    for number, line in enumerate(lines):
        y, cell = 30 + (number + 1) * 19, 0
        while cell < len(line):
            end = cell
            while end < len(line) and line[end][1] == line[cell][1]:
                end += 1
            text = "".join(letter for letter, _ in line[cell:end])
            # Viewers make one of several blanks: what they part stands for itself.
            for words in re.finditer(r"\S+(?: \S+)*", text):
                fill = f' fill="{line[cell][1]}"' if line[cell][1] else ""
                x, length = 16 + (cell + words.start()) * 8.4, len(words.group()) * 8.4
                parts.append(f'<text x="{x:.1f}" y="{y}" textLength="{length:.1f}"{fill}>{html.escape(words.group())}</text>')
            cell = end
    return "\n".join(parts + ["</g>", "</svg>", ""])


def main():
    cci = str(pathlib.Path(sys.argv[1]).resolve())
    out = pathlib.Path(__file__).resolve().parents[2] / "cli" / "pictures"
    out.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(seed(), file)
        file.flush()
        emulator = subprocess.Popen([cci, "emulator", "--port", "0", "--seed", file.name], stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, env={})
        try:
            address = json.loads(emulator.stdout.readline())["address"]
            environment = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "CCI_PROJECT": "7",
                           "CCI_LOCATION": "us-central1", "CONTACTCENTERINSIGHTS_EMULATOR_HOST": address}
            running = f"{PLACE}/operations/1000000000000000001"
            for file_name, arguments, columns in [
                ("list", ["operations", "list", PLACE, "-o", "table"], 80),
                ("narrow", ["operations", "list", PLACE, "-o", "table"], 40),
                ("wait", ["operations", "wait", running], 80),
                ("watch", ["operations", "watch"], 80),
            ]:
                lines = run([cci, *arguments], columns, 24, environment, 2.5)
                (out / f"{file_name}.svg").write_text(svg(lines, columns, "cci " + " ".join(arguments)))
        finally:
            emulator.terminate()
            emulator.wait()


if __name__ == "__main__":
    main()
