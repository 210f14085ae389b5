"""Runs the Python blocks of Markdown files, as they stand: those that define tests under pytest, the others as programs."""

import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from blocks import blocks


def main(files):
    ran = 0
    for file in files:
        for number, block in enumerate(blocks("python", file), 1):
            with tempfile.TemporaryDirectory() as folder:
                name = pathlib.Path(folder) / "test_block.py"
                name.write_text(block, encoding="utf-8")
                is_tests = re.search(r"(?m)^def test_", block)
                runner = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if is_tests else []
                options = ["-o", "insights_emulator_args=--clock virtual"] if is_tests else []
                run = subprocess.run(
                    [sys.executable, *runner, *options, str(name)],
                    cwd=folder,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=120,
                )
                if run.returncode != 0:
                    sys.exit(f"{file}, Python block {number}:\n{block}\n{run.stdout}")
                ran += 1
    if ran == 0:
        sys.exit("guide: there was no block to run")
    print(f"guide blocks={ran}")


main(sys.argv[1:])
