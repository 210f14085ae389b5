"""Puts `cci` into the wheel, and says in the wheel's tag which systems it runs on."""

import os
import pathlib
import re
import stat
import sys
import sysconfig

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Given the place of the binary, and for one of another system its tag, such as macosx_11_0_arm64.
BINARY, PLATFORM = "CCI_BINARY", "CCI_WHEEL_PLATFORM"
_NAME = "cci.exe" if sys.platform == "win32" else "cci"
_ROOT = pathlib.Path(__file__).resolve().parents[2]
_USUAL = [_ROOT / "target" / "packaging" / "bin" / _NAME, _ROOT / "target" / "release" / _NAME]


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if version == "editable":
            return
        binary = _binary()
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{os.environ.get(PLATFORM) or _platform(binary)}"
        build_data["force_include"][str(binary)] = f"contact_center_insights_emulator/bin/{binary.name}"


def _binary():
    given = os.environ.get(BINARY)
    for place in [pathlib.Path(given)] if given else _USUAL:
        if place.is_file():
            place.chmod(place.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
            return place
    raise RuntimeError(
        f"there is no `cci` to put into the wheel: run packaging/build, or name one with {BINARY}; "
        f"looked at {given or ', '.join(map(str, _USUAL))}"
    )


def _platform(binary):
    """The systems that a program runs on, as tags of wheels name them."""
    host = re.sub(r"[-.]", "_", sysconfig.get_platform())
    if not host.startswith("linux_"):
        return host
    machine = host[len("linux_") :]
    content = binary.read_bytes()
    if b"/ld-linux" not in content[:4096] and b"/ld-musl" not in content[:4096]:
        # No loader: linked statically, and runs on any Linux.
        return f"manylinux_2_17_{machine}.manylinux2014_{machine}.musllinux_1_1_{machine}"
    newest = max((int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", content)), default=17)
    return f"manylinux_2_{newest}_{machine}"
