"""Prints the members of the workspace that are published, each after all that it needs.

What a manifest says without a version, as a dev-dependency may, is left out of what is published, and so is not a reason.
"""

import json
import subprocess
import sys

metadata = json.loads(subprocess.check_output(["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]))
published = {package["name"]: package for package in metadata["packages"] if package["publish"] != []}
needs = {
    name: {needed["name"] for needed in package["dependencies"] if needed["req"] != "*" and needed["name"] in published}
    for name, package in published.items()
}
while needs:
    ready = sorted(name for name, needed in needs.items() if not needed & needs.keys())
    if not ready:
        sys.exit("package: each of these needs another of them first: " + ", ".join(sorted(needs)))
    for name in ready:
        print(name)
        del needs[name]
