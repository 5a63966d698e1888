"""The ignore files that hold in what is scanned because they lie around it, in another folder that is scanned."""

from __future__ import annotations

import os
from collections.abc import Collection

from cortex.sources.ignore import IGNORE_FILE, read_ignore_file
from cortex.sources.roots import at_and_above, join
from cortex.sources.walk import AnyRules


class Around:
    """The rules with which a walk of each of some folders and files begins. What lies in another of them obeys the
    ignore files in and below that as well, as if it had been found on the way from there."""

    def __init__(self, rules: AnyRules, roots: Collection[bytes]) -> None:
        """`rules` are those that hold everywhere."""
        self._rules = rules
        self._roots = frozenset(roots)
        self._found: dict[tuple[bytes, bytes], AnyRules] = {}

    def rules(self, path: bytes, *, is_folder: bool) -> AnyRules:
        """Those for this folder, or file. Raises `OSError` for an ignore file that cannot be read."""
        above = os.path.dirname(path)
        start = path if is_folder else above
        if (above, start) not in self._found:
            self._found[above, start] = self._with_what_is_above(above, start)
        return self._found[above, start]

    def _with_what_is_above(self, above: bytes, start: bytes) -> AnyRules:
        """`start` is what paths in the walk are below."""
        folders = list(at_and_above(above))
        outermost = max((place for place, folder in enumerate(folders) if folder in self._roots), default=-1)
        rules = self._rules
        for folder in reversed(folders[: outermost + 1]):
            ignore_file = join(folder, IGNORE_FILE)
            if os.path.lexists(ignore_file):
                rules = rules.inside(start[len(folder) :].strip(b"/"), read_ignore_file(ignore_file))
        return rules
