"""Where assets come from. A source computes nothing: the engine asks it for a scan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import AfterValidator, Field

from cortex.node import MediaNode, NodeOptions
from cortex.operators.fields import Size
from loom.errors import LoomError
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.sources.found import ScanOptions
    from cortex.sources.lanes import LaneOptions
    from cortex.sources.remote.scan import RemoteScan
    from cortex.sources.scan import Scan
    from cortex.sources.watched import Watched
    from loom.verbs import Loom

O = TypeVar("O", bound=NodeOptions)  # noqa: E741


@dataclass(frozen=True, kw_only=True)
class ScanWishes:
    """What a caller wants of one scan besides what the source's options say: fewer files (`include`, `exclude`,
    `limit`), hidden ones too, stat not trusted (`rehash`), settled ones too (`visit_all`), nothing told to Loom
    (`dry_run`), only what a watch asks for (`watched`). `away` and `apart` as in `ScanOptions`."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    limit: int | None = None
    rehash: bool = False
    visit_all: bool = False
    dry_run: bool = False
    watched: Watched | None = None
    away: tuple[tuple[bytes, str], ...] = ()
    apart: frozenset[bytes] = frozenset()


NO_WISHES = ScanWishes()


def _with_meaning(pattern: str) -> str:
    from cortex.sources.ignore import compile_patterns

    compile_patterns([pattern])
    return pattern


Pattern = Annotated[str, AfterValidator(_with_meaning)]


class FilesystemOptions(NodeOptions):
    include: tuple[Pattern, ...] = Field((), description="Only files that match one of these patterns; empty: all.")
    exclude: tuple[Pattern, ...] = Field((), description="No files and folders that match one of these patterns.")
    hidden: bool = Field(False, description="Also files and folders whose names begin with a dot.")
    follow_symlinks: bool = Field(False, description="Also what symbolic links lead to.")
    min_size: Size | None = Field(None, description="No files of fewer bytes, as a number or such as `10kB`.")
    max_size: Size | None = Field(None, description="No files of more bytes.")


class FileSource(MediaNode[O]):
    """A source whose assets are files. Sources differ in where the files come from, and in which of them pass."""

    reads = ()
    verdicts = False
    capabilities = frozenset({"source"})
    inputs = ()

    def open_scan(
        self,
        roots: Sequence[bytes],
        *,
        loom: Loom | None,
        host: str,
        plan: bytes,
        listed: Iterable[bytes] = (),
        wishes: ScanWishes = NO_WISHES,
        lanes: Sequence[LaneOptions] = (),
    ) -> Scan | RemoteScan:
        """A scan of the files at or below `roots`, and of `listed`, which are read lazily. `plan` is the digest under
        which files count as settled. If there are `lanes`, they say which files pass, not this source alone. Raises
        `USAGE` for a pattern of `wishes` that has no meaning, `LOOM_UNREACHABLE` without a Loom that is needed."""
        from cortex.sources.scan import Scan

        folders, files = self.places(roots, listed, loom, host)
        options = self.scan_options(wishes)
        if wishes.watched is not None:
            from cortex.sources.watched import WatchedScan

            return WatchedScan(folders, options, wishes.watched, ledger=loom, host=host, plan=plan, lanes=lanes)
        return Scan(folders, options, ledger=loom, host=host, plan=plan, listed=files, lanes=lanes)

    def scan_options(self, wishes: ScanWishes) -> ScanOptions:
        """Which files pass, by the options of the source and by what is wished besides."""
        from cortex.sources.found import ScanOptions

        return ScanOptions(
            includes=(wishes.include,) if wishes.include else (),
            exclude=wishes.exclude,
            hidden=wishes.hidden,
            limit=wishes.limit,
            rehash=wishes.rehash,
            visit_all=wishes.visit_all,
            reconcile=not wishes.dry_run,
            away=wishes.away,
            apart=wishes.apart,
        )

    def places(
        self, roots: Sequence[bytes], listed: Iterable[bytes], loom: Loom | None, host: str
    ) -> tuple[Sequence[bytes], Iterable[bytes]]:
        """The folders and files to be walked, which are compared with what Loom remembers, and single files."""
        return roots, listed


class FilesystemSource(FileSource[FilesystemOptions]):
    """The files in folders, recursively.

    Patterns are written as in `.gitignore`, against the path below the scanned folder; a file `.loomignore` holds such
    patterns for the folder it lies in and all below. System litter (`@eaDir`, `.DS_Store`, `Thumbs.db`, …), pipes,
    sockets and devices are left alone. `{include: ["*.jpg", "*.dng"], exclude: [/private]}` is an example. A folder
    that cannot be reached is `SOURCE_UNREACHABLE`, and nothing counts as deleted in it.
    """

    operator = "source.filesystem"

    def scan_options(self, wishes: ScanWishes) -> ScanOptions:
        own, wished = self.options, super().scan_options(wishes)
        return replace(
            wished,
            includes=((own.include, *wished.includes) if own.include else wished.includes),
            exclude=own.exclude + wished.exclude,
            hidden=own.hidden or wished.hidden,
            follow_symlinks=own.follow_symlinks,
            min_size=own.min_size,
            max_size=own.max_size,
        )


class LoomOptions(NodeOptions):
    kind: Kind | None = Field(None, description="Only assets of this kind.")
    collection: str | None = Field(None, min_length=1, description="Only assets of this collection.")


class LoomSource(FileSource[LoomOptions]):
    """Assets that Loom knows already, each by one of its files on this machine.

    Nothing is looked for on the disk: a file that is not where Loom remembers it counts as unreadable. `{kind: video}`
    is an example. Without a Loom it fails with `LOOM_UNREACHABLE`.
    """

    operator = "source.loom"

    def places(
        self, roots: Sequence[bytes], listed: Iterable[bytes], loom: Loom | None, host: str
    ) -> tuple[Sequence[bytes], Iterable[bytes]]:
        """The files that Loom remembers at or below `roots`, all when there are none, and `listed`."""
        from cortex.sources.roots import absolute, is_at_or_below

        if loom is None:
            raise LoomError(
                "LOOM_UNREACHABLE", "the source `source.loom` takes its assets from Loom, and there is none"
            )
        known = loom.places(host, kind=self.options.kind, collection=self.options.collection)
        if roots:
            folders = [absolute(root) for root in roots]
            known = (path for path in known if any(is_at_or_below(path, folder) for folder in folders))
        return (), chain(known, listed)
