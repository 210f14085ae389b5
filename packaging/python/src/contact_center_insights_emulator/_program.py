"""The program in this package, and the console script that runs it."""

import os
import pathlib
import sys

# Names another program, such as one that was just built.
BINARY_VARIABLE = "CONTACTCENTERINSIGHTS_EMULATOR_BINARY"


def path() -> str:
    """Where the program is; raises FileNotFoundError if this package was installed without one."""
    named = os.environ.get(BINARY_VARIABLE)
    if named:
        return named
    name = "cci.exe" if os.name == "nt" else "cci"
    program = pathlib.Path(__file__).parent / "bin" / name
    if not program.is_file():
        raise FileNotFoundError(
            f"there is no {program}: this installation has no program for this system; name one with {BINARY_VARIABLE}"
        )
    return str(program)


def main() -> int:
    """`contact-center-insights`: the program itself, in this process where the system can do that."""
    try:
        program = path()
        if os.name == "posix":
            os.execv(program, ["contact-center-insights", *sys.argv[1:]])
    except OSError as error:
        print(f"contact-center-insights: {error}", file=sys.stderr)
        return 127
    import subprocess

    return subprocess.run([program, *sys.argv[1:]]).returncode


if __name__ == "__main__":
    sys.exit(main())
