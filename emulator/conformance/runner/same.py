"""Answers of different clients made comparable: what a server makes up anew in each run gets a name of its own."""

import re

# Ids of the emulator, of which two runs may have different ones.
MADE_UP_ID = re.compile(r"\d{15,}")
# Fields that hold something random.
MADE_UP = {"nextPageToken", "revisionId"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Names:
    """The names that a case's run has given so far: the first made-up id is <1>, the second <2>."""

    def __init__(self, literals):
        self.literals = literals
        self.ids = {}

    def settle(self, value, key=""):
        """The value with made-up ids, times and page tokens named."""
        if isinstance(value, dict):
            return {self._text(name): self.settle(value[name], name) for name in sorted(value)}
        if isinstance(value, list):
            return [self.settle(inner) for inner in value]
        if not isinstance(value, str) or value in self.literals:
            return value
        if key in MADE_UP:
            return f"<{key}>"
        if TIME.fullmatch(value):
            return "<time>"
        return self._text(value)

    def _text(self, text):
        return MADE_UP_ID.sub(lambda found: f"<{self.ids.setdefault(found[0], len(self.ids) + 1)}>", text)
