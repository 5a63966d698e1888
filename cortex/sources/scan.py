"""The scan of folders and files: finds what needs work, counts what does not, and notices what is gone."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from errno import ELOOP, ENOENT, ENOTDIR
from itertools import islice
from operator import itemgetter
from stat import S_ISDIR, S_ISREG

from cortex.sources.around import Around
from cortex.sources.counts import Counts, is_same, looks_same
from cortex.sources.found import EVERYBODY, Found, Part, ScanOptions
from cortex.sources.ignore import Files, Rules
from cortex.sources.knownfiles import KnownFiles
from cortex.sources.lanes import LaneOptions, LaneRules
from cortex.sources.reconcile import Remembered, Tree
from cortex.sources.returned import Returned
from cortex.sources.roots import absolute, inner_first, is_at_or_below, real_file
from cortex.sources.walk import AnyRules, Directory, Listing, list_directory
from loom.errors import LoomError
from loom.model import KnownFile
from loom.verbs import Ledger

__all__ = ["Found", "Scan", "ScanOptions", "absolute"]

_Work = tuple[bytes, os.stat_result, KnownFile | None, Part]


class Scan(Counts):
    """One scan, to be iterated once: yields the files that need work, those of a directory by name, then its
    subdirectories. Links, if they are followed, come after everything else, and what they lead to lies where it really
    is; a directory is read once, however many ways lead to it. A root below another one comes first and answers for
    itself; the ignore files around it in the other hold in it, too.

    What is gone is told to Loom when the scan has ended in order, never with a `limit`.
    """

    def __init__(
        self,
        roots: Iterable[bytes],
        options: ScanOptions,
        *,
        ledger: Ledger | None,
        host: str,
        plan: bytes,
        listed: Iterable[bytes] = (),
        lanes: Sequence[LaneOptions] = (),
    ) -> None:
        """`roots` are folders, which are compared with what Loom remembers below them, and single files. `listed` are
        more of them, read lazily; one of these that is not there is merely unreadable. `plan` is the digest under
        which files count as settled. If there are `lanes`, they say which files pass, and `options` only the rest.
        Raises `USAGE` for a pattern that has no meaning."""
        super().__init__(options.away)
        self._given = inner_first(dict.fromkeys(map(absolute, roots)))
        self._listed = listed
        self._options = options
        self._ledger = ledger
        self._host = host
        self._plan = plan
        self._known = KnownFiles(ledger, host, plan, options)
        self._trees: list[Tree] = []
        self._links: list[tuple[Tree, Directory, bytes]] = []
        self._visited: set[bytes] = set()
        self._identities: set[tuple[int, int]] = set()
        self._single: set[bytes] = set()
        self._returned = Returned(ledger if options.reconcile else None, host)
        self._apart = options.apart
        self._around: Collection[bytes] = self._given
        self._last: tuple[bytes, Part, dict[bytes, KnownFile]] = (b"", EVERYBODY, {})
        try:
            self._rules: AnyRules = LaneRules.of(lanes, plan) if lanes else Rules.of(options)
        except ValueError as error:
            raise LoomError("USAGE", f"a pattern cannot be understood: {error}") from error

    def __iter__(self) -> Iterator[Found]:
        yield from islice(self._files(), self._options.limit)
        self._returned.tell()
        if self._options.limit is None:
            for tree in self._trees:
                self._reconcile(tree)

    def _files(self) -> Iterator[Found]:
        given = [(path, status) for path in self._given if (status := self._stat_root(path)) is not None]
        self._single.update(real_file(path) for path, status in given if S_ISREG(status.st_mode))
        around = Around(self._rules, self._around)
        for path, status in given:
            try:
                rules = around.rules(path, is_folder=S_ISDIR(status.st_mode))
            except OSError as error:
                self._is_unreachable(path, error)
                continue
            yield from self._enter(path, status, os.path.basename(path), rules)
        for entry in self._listed:
            yield from self._named(entry)
        for tree, directory, name in self._links:
            yield from self._follow(tree, directory, name)

    def _named(self, entry: bytes) -> Iterator[Found]:
        path = absolute(entry)
        try:
            status = os.stat(path)
        except (OSError, ValueError) as error:
            self.note_error(path, error)
            return
        yield from self._enter(path, status, os.path.normpath(entry).lstrip(b"/"), self._rules)

    def _stat_root(self, path: bytes) -> os.stat_result | None:
        try:
            return os.stat(path)
        except (OSError, ValueError) as error:
            self._is_unreachable(path, error)
            return None

    def _enter(self, path: bytes, status: os.stat_result, relative: bytes, rules: AnyRules) -> Iterator[Found]:
        """A root, or an entry of a list."""
        if S_ISREG(status.st_mode):
            yield from self._single_file(real_file(path), status, relative, rules)
        elif not S_ISDIR(status.st_mode):
            self.note_unreadable(path, "NOT_A_REGULAR_FILE", LoomError("NOT_A_REGULAR_FILE").message)
        elif path not in self._visited and not rules.leaves_directory(b""):
            ledger = self._ledger
            tree = Tree(path, Remembered(ledger, self._host, self._plan, path) if ledger is not None else None)
            self._trees.append(tree)
            yield from self._walk(tree, Directory(path, b"", rules))

    def _single_file(self, path: bytes, status: os.stat_result, relative: bytes, rules: AnyRules) -> Iterator[Found]:
        """A file that was named itself may be hidden or litter, but patterns and sizes hold."""
        part = rules.part(relative, status.st_size)
        if part is None:
            return
        directory, name = os.path.split(path)
        if self._last[:2] != (directory, part):
            self._last = (directory, part, self._known.within(directory, part))
        known = self._last[2].get(name)
        if known is not None and (known.settled or known.away) and is_same(known, status) and not self._options.rehash:
            self.count_unchanged(1, status.st_size, known.failed)
            if known.away:
                self._returned.note(directory, name, status.st_dev)
        else:
            yield self.offer(directory, name, relative, status, known, not self._options.rehash, part)

    def _walk(self, tree: Tree, start: Directory) -> Iterator[Found]:
        trusts = not self._options.rehash
        stack = [start]
        while stack:
            directory = stack.pop()
            listing = self._list(tree, directory)
            if listing is None:
                continue
            for name, status, known, part in self._compare(tree, directory, listing):
                yield self.offer(directory.path, name, directory.below(name), status, known, trusts, part)
            if listing.links and listing.rules.follows_links:
                origin = directory._replace(rules=listing.rules.behind_links())
                self._links.extend((tree, origin, name) for name in sorted(listing.links))
            stack.extend(directory.enter(name, listing.rules) for name in sorted(listing.directories, reverse=True))

    def _follow(self, tree: Tree, directory: Directory, name: bytes) -> Iterator[Found]:
        """What a link leads to, unless the scan has seen it already."""
        path, relative = os.path.realpath(directory.entry(name)), directory.below(name)
        try:
            status = os.stat(path)
        except OSError as error:
            if error.errno not in (ENOENT, ENOTDIR, ELOOP):
                self.note_error(path, error)
            return
        if S_ISDIR(status.st_mode):
            if not directory.rules.leaves_directory(relative):
                yield from self._walk(tree, Directory(path, relative, directory.rules))
        elif not S_ISREG(status.st_mode):
            self.note_special(path)
        elif path not in self._single and os.path.dirname(path) not in self._visited:
            self._single.add(path)
            yield from self._single_file(path, status, relative, directory.rules)

    def _list(self, tree: Tree, directory: Directory) -> Listing | None:
        """Reads a directory; None when it was read before or cannot be read."""
        try:
            if directory.path in self._visited or (self._rules.follows_links and self._was_read(directory.path)):
                tree.shows_something()
                return None
            listing = list_directory(directory, self._apart)
        except OSError as error:
            self._cannot_list(tree, directory.path, error)
            return None
        self._visited.add(directory.path)
        return listing

    def _was_read(self, path: bytes) -> bool:
        """Whether the directory was read under another path: links can lead round in circles."""
        status = os.stat(path)
        identity = (status.st_dev, status.st_ino)
        known = identity in self._identities
        self._identities.add(identity)
        return known

    def _cannot_list(self, tree: Tree, path: bytes, error: OSError) -> None:
        if path == tree.root:
            self._is_unreachable(path, error)
        elif error.errno not in (ENOENT, ENOTDIR):
            tree.shows_something()
            self.note_error(path, error)
            self._known.mark_unreachable(path)

    def _compare(self, tree: Tree, directory: Directory, listing: Listing) -> list[_Work]:
        """The files of a directory that need work, by name; counts the others and notes what is gone."""
        work: list[_Work] = []
        others: dict[bytes, KnownFile] = {}
        looked_at = 0
        for part, files in listing.rules.parts(directory.relative, listing.files):
            others = self._known.within(directory.path, part)
            work.extend(self._work_of(tree, directory, part, files, others))
            looked_at = len(files)
        if looked_at < len(listing.files):
            for name, _ in listing.files:
                others.pop(name, None)
        for name in listing.special:
            self.note_special(directory.entry(name))
        for name, error in listing.broken:
            self.note_error(directory.entry(name), error)
        if tree.remembered is not None:
            tree.remembered.note(directory.path, listing, others)
        work.sort(key=itemgetter(0))
        return work

    def _work_of(
        self, tree: Tree, directory: Directory, part: Part, files: Files, known: dict[bytes, KnownFile]
    ) -> list[_Work]:
        """The files of a part that need work; takes all of them out of what is `known`."""
        work: list[_Work] = []
        unchanged = failed = size = 0
        lay_on: int | None = None
        single, trusts = self._single, not self._options.rehash
        for name, status in files:
            memory = known.pop(name, None)
            if single and directory.entry(name) in single:
                continue
            if (
                trusts
                and memory is not None
                and memory.settled
                and memory.mtime_ns == status.st_mtime_ns
                and memory.size == status.st_size
                and memory.inode == status.st_ino  # all of `is_same`, without a call for each file
            ):
                unchanged += 1
                failed += memory.failed
                size += status.st_size
            elif trusts and memory is not None and memory.away and is_same(memory, status):
                unchanged += 1
                failed += memory.failed
                size += status.st_size
                self._returned.note(directory.path, name, status.st_dev)
            else:
                work.append((name, status, memory, part))
                if memory is None or not looks_same(memory, status):
                    continue
            if memory.device != lay_on and tree.remembered is not None:
                lay_on = memory.device
                tree.remembered.note_again(directory.path, lay_on, status.st_dev)
        self.count_unchanged(unchanged, size, failed)
        return work

    def _is_unreachable(self, root: bytes, why: OSError | ValueError | str) -> None:
        if isinstance(why, OSError):
            why = "there is no such file or folder" if why.errno == ENOENT else why.strerror or str(why)
        self.note_away(root, str(why))
        for path in {root, real_file(root)}:
            self._known.mark_unreachable(path)

    def _reconcile(self, tree: Tree) -> None:
        """The scan has ended in order: what was not seen of this tree is gone."""
        remembered = tree.remembered
        if remembered is None or tree.root in self.why_unreachable:
            return
        if any(is_at_or_below(tree.root, folder) for folder, _ in self._options.away):
            return
        why = remembered.why_unreachable()
        if why is not None:
            self._is_unreachable(tree.root, why)
            return
        roots = {other.root for other in self._trees} | self.why_unreachable.keys() | self._apart
        self.missing += self._known.mark_missing(remembered.gone(self._visited, roots))
        for folder, device in remembered.away:
            self._is_away(folder, device)

    def _is_away(self, folder: bytes, device: int) -> None:
        """A folder below a root is not what it was: its files are on another disk."""
        self.note_away(folder, "files that were there are gone, and lay on another disk than it does now")
        self._known.mark_unreachable(folder, device)
