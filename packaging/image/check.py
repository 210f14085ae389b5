"""Looks at an image as `docker save` writes it, and unpacks its file system: `check.py IMAGE.tar INTO`."""

import json
import pathlib
import stat
import sys
import tarfile

WANTED = {
    "User": "65532:65532",
    "Entrypoint": ["/cci", "emulator", "--host", "0.0.0.0"],
    "ExposedPorts": {"9420/tcp": {}},
    "StopSignal": "SIGTERM",
}


def main(image, into):
    with tarfile.open(image) as archive:
        (manifest,) = json.load(archive.extractfile("manifest.json"))
        config = json.load(archive.extractfile(manifest["Config"]))["config"]
        for field, value in WANTED.items():
            assert config[field] == value, (field, config[field])
        assert config["Healthcheck"]["Test"] == ["CMD", "/cci", "emulator", "health"], config["Healthcheck"]
        (layer,) = manifest["Layers"]
        with tarfile.open(fileobj=archive.extractfile(layer)) as files:
            names = sorted(member.name.strip("./") for member in files if member.isfile())
            files.extractall(into)
    assert names == ["cci"], names
    for folder in ("tmp", "data"):
        assert stat.S_IMODE((pathlib.Path(into) / folder).stat().st_mode) == 0o1777, folder


main(*sys.argv[1:])
