"""Compares a table with what stands between the markers of a page; UPDATE_DOCS=1 writes it there.

Usage: document.py PAGE PART TABLE
"""

import os
import pathlib
import sys

page, part, table = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]).read_text(encoding="utf-8")
begin, end = f"<!-- {part}: begin -->\n", f"<!-- {part}: end -->"
text = page.read_text(encoding="utf-8")
before, rest = text.split(begin)
documented, after = rest.split(end)
# A failure would have ended the step before.
print(f"{table.count('| passes |')} rows of {part} have a pass")
if documented != table:
    if not os.environ.get("UPDATE_DOCS"):
        sys.exit(f"{page} says otherwise; UPDATE_DOCS=1 writes this into it:\n{table}")
    page.write_text(before + begin + table + end + after, encoding="utf-8")
