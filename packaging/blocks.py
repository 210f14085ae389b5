"""Writes the blocks of a language in Markdown files as files of their own, as they stand: `blocks.py go DIR/{}_test.go README.md`.

A block of JavaScript with `import` lines is a module, and `.js` becomes `.mjs`.
"""

import pathlib
import re
import sys


def blocks(language, file):
    text = pathlib.Path(file).read_text(encoding="utf-8")
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", text)


def main(language, target, *files):
    found = [block for file in files for block in blocks(language, file)]
    if not found:
        sys.exit(f"there is no block of {language} in {', '.join(files)}")
    for number, block in enumerate(found, 1):
        path = pathlib.Path(target.format(number))
        if path.suffix == ".js" and re.search(r"(?m)^import ", block):
            path = path.with_suffix(".mjs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
    print(f"guide lang={language} blocks={len(found)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
