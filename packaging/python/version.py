"""The version: that of `[workspace.package]` in the repository's Cargo.toml, or of the source archive's PKG-INFO."""

import pathlib
import re

_here = pathlib.Path(__file__).parent
_manifest = _here.parents[1] / "Cargo.toml"
_text, _line = (_manifest, r'(?ms)^\[workspace\.package\]\n.*?^version = "([^"]+)"')
if not _manifest.exists():
    _text, _line = (_here / "PKG-INFO", r"(?m)^Version: (\S+)")
_found = re.search(_line, _text.read_text(encoding="utf-8"))
if _found is None:
    raise RuntimeError(f"{_text} has no version")
__version__ = _found.group(1)
