"""Checks unpacked packages, given by their folders: what a registry asks of a manifest, licences, and links."""

import pathlib
import re
import sys
import tomllib

# Of crates.io's list, those that fit.
CATEGORIES = {
    "api-bindings",
    "asynchronous",
    "command-line-utilities",
    "development-tools::testing",
    "network-programming",
}
KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,19}")
# What a package must not contain: tests and examples need the other packages, or files of the repository.
KEPT_OUT = ("tests", "benches", "examples", "conformance", "target")
# Where a repository may be; ours may be named only where the manifest names it.
HOSTS = re.compile(r"https://(www\.)?(github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)/.*contact-center-insights")
LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
ITEM = re.compile(r"(\w+::)+\w+(\(\))?")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def manifest_findings(package: dict, folder: pathlib.Path):
    for field in ("description", "license", "readme", "rust-version"):
        if not package.get(field):
            yield f"the manifest has no {field}"
    keywords, categories = package.get("keywords", []), package.get("categories", [])
    if not 1 <= len(keywords) <= 5:
        yield f"{len(keywords)} keywords, not one to five"
    for keyword in keywords:
        if not KEYWORD.fullmatch(keyword):
            yield f"a registry does not take the keyword {keyword!r}: 20 letters, digits, -, _ or + at most"
    if not 1 <= len(categories) <= 5:
        yield f"{len(categories)} categories, not one to five"
    for category in categories:
        if category not in CATEGORIES:
            yield f"the category {category!r} is not among those known to be valid"
    licence = folder / "LICENSE"
    if package.get("license") != "Apache-2.0":
        yield f"the licence is {package.get('license')!r}, not Apache-2.0"
    if not licence.is_file() or "Apache License" not in licence.read_text():
        yield "LICENSE is missing, or is not the Apache License"
    for name in KEPT_OUT:
        if (folder / name).exists():
            yield f"{name} is in the package"


def link_findings(page: pathlib.Path, package: dict, folder: pathlib.Path):
    text = FENCE.sub("", page.read_text())
    for link in (first or second for first, second in LINK.findall(text)):
        where = f"{page.relative_to(folder)} links to {link}"
        # Within the page; or to an item of Rust, which rustdoc checks.
        if link.startswith("#") or ITEM.fullmatch(link):
            continue
        if link.startswith("https://"):
            repository = package.get("repository")
            if HOSTS.match(link) and not (repository and link.startswith(repository)):
                yield f"{where}: not the repository of the manifest"
            continue
        target = (page.parent / link.split("#")[0]).resolve()
        if ":" in link or not target.exists() or not target.is_relative_to(folder):
            yield f"{where}: not in the package"


def findings(folder: pathlib.Path):
    manifest = tomllib.loads((folder / "Cargo.toml").read_text())
    package = manifest["package"]
    yield from manifest_findings(package, folder)
    for page in sorted(folder.rglob("*.md")):
        yield from link_findings(page, package, folder)


def main(folders):
    count = 0
    for name in folders:
        folder = pathlib.Path(name).resolve()
        for finding in findings(folder):
            print(f"package: {folder.name}: {finding}", file=sys.stderr)
            count += 1
        files = [path for path in folder.rglob("*") if path.is_file()]
        print(f"package {folder.name} files={len(files)} bytes={sum(path.stat().st_size for path in files)}")
    return 1 if count else 0


sys.exit(main(sys.argv[1:]))
