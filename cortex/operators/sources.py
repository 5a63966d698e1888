"""Where assets come from. A source computes nothing: the engine asks it for a scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from cortex.node import MediaNode, NodeOptions
from cortex.operators.fields import Size
from loom.errors import LoomError
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.sources.scan import Scan
    from loom.verbs import Loom


@dataclass(frozen=True, kw_only=True)
class ScanWishes:
    """What a caller wants of one scan besides what the source's options say: fewer files (`include`, `exclude`,
    `limit`), hidden ones too, stat not trusted (`rehash`), nothing told to Loom (`dry_run`)."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    limit: int | None = None
    rehash: bool = False
    dry_run: bool = False


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


class FilesystemSource(MediaNode[FilesystemOptions]):
    """The files in folders, recursively.

    Patterns are written as in `.gitignore`, against the path below the scanned folder; a file `.loomignore` holds such
    patterns for the folder it lies in and all below. System litter (`@eaDir`, `.DS_Store`, `Thumbs.db`, …), pipes,
    sockets and devices are left alone.
    """

    operator = "source.filesystem"
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
    ) -> Scan:
        """A scan of these folders and files. `plan` is the digest under which files count as settled; `listed` are
        more files, read lazily. Raises `USAGE` for a pattern of `wishes` that has no meaning."""
        from cortex.sources.scan import Scan, ScanOptions

        own = self.options
        options = ScanOptions(
            includes=tuple(group for group in (own.include, wishes.include) if group),
            exclude=own.exclude + wishes.exclude,
            hidden=own.hidden or wishes.hidden,
            follow_symlinks=own.follow_symlinks,
            min_size=own.min_size,
            max_size=own.max_size,
            limit=wishes.limit,
            rehash=wishes.rehash,
            reconcile=not wishes.dry_run,
        )
        return Scan(roots, options, ledger=loom, host=host, plan=plan, listed=listed)


class LoomOptions(NodeOptions):
    kind: Kind | None = Field(None, description="Only assets of this kind.")
    collection: str | None = Field(None, min_length=1, description="Only assets of this collection.")


class LoomSource(MediaNode[LoomOptions]):
    """Assets that Loom knows already, each by one of its files on this machine.

    Nothing is looked for on the disk: a file that is not where Loom remembers it counts as unreadable.
    """

    operator = "source.loom"
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
    ) -> Scan:
        """A scan of the files that Loom remembers at or below `roots`, all when there are none, and of `listed`.
        Raises `LOOM_UNREACHABLE` without a Loom, `USAGE` for a pattern of `wishes` that has no meaning."""
        from cortex.sources.scan import Scan, ScanOptions, absolute

        if loom is None:
            raise LoomError(
                "LOOM_UNREACHABLE", "the source `source.loom` takes its assets from Loom, and there is none"
            )
        places = loom.places(host, kind=self.options.kind, collection=self.options.collection)
        options = ScanOptions(
            includes=(wishes.include,) if wishes.include else (),
            exclude=wishes.exclude,
            limit=wishes.limit,
            rehash=wishes.rehash,
            reconcile=not wishes.dry_run,
        )
        chosen = chain(_at_or_below(places, [absolute(root) for root in roots]), listed)
        return Scan((), options, ledger=loom, host=host, plan=plan, listed=chosen)


def _at_or_below(paths: Iterable[bytes], roots: list[bytes]) -> Iterator[bytes]:
    prefixes = tuple(root.rstrip(b"/") + b"/" for root in roots)
    for path in paths:
        if not roots or path in roots or path.startswith(prefixes):
            yield path
