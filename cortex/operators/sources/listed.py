"""Assets from a list that someone else makes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from cortex.node import NodeOptions
from cortex.operators.fields import Size
from cortex.operators.sources.local import NO_WISHES, FileSource, ScanWishes
from loom.errors import LoomError

if TYPE_CHECKING:
    from cortex.sources.lanes import LaneOptions
    from cortex.sources.scan import Scan
    from loom.verbs import Loom


def _is_absolute(path: str) -> str:
    if "\0" in path or not (path == "-" or path.startswith(("/", "~/"))):
        raise ValueError(f"{path!r} is neither `-` nor a path from the root on, such as /media/lists/today.txt")
    return path


class ListOptions(NodeOptions):
    list: Annotated[str, AfterValidator(_is_absolute)] = Field(
        min_length=1, max_length=4096, description="The file with the paths, from the root on; `-` for standard input."
    )
    below: Annotated[str, AfterValidator(_is_absolute)] | None = Field(
        None, max_length=4096, description="The folder that relative paths are below; the list's own by default."
    )
    max_download: Size = Field(
        16 * 1024**3, ge=1, description="No files of more bytes from addresses, as a number or such as `100MB`."
    )


class ListSource(FileSource[ListOptions]):
    """The files that a list names, one path or address a line, or separated by zero bytes.

    `{list: /media/lists/today.txt}` is an example. The list is read anew for each run, lazily and in its order.
    Relative paths are below the folder `below`, else below that of the list, with `-` below the folder that Cortex was
    started in. A folder in the list is walked, and stands for all files in it; a file that is named may be hidden.
    Paths that are given to `cortex ingest` besides come first.

    A file that is in the list and not there counts as unreadable, and nothing counts as deleted because it is not in
    the list any more; a folder that is walked is compared with what Loom remembers of it. A list that cannot be read is
    `SOURCE_UNREACHABLE`.

    What lies at an address, `https://…` or `http://…`, is brought to the scratch folder of this machine and goes from
    there once it is worked on; not again when the server tells the same size and etag, or time of last change, as
    before. Addresses of other kinds, and those that hold a password, a signature or a key, are not fetched: each is
    `FILE_UNREADABLE`, as is what the server refuses and what redirects more than 5 times. What is larger than
    `max_download` is `FILE_TOO_LARGE`; what cannot be read after four attempts `READ_FAILED`, and once that is so of
    eight files of a server one after the other, it is `SOURCE_UNREACHABLE` and asked no more.
    """

    operator = "source.list"

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
    ) -> Scan:
        """A scan of the paths and addresses of the list, and before them those that were given. Raises
        `SOURCE_UNREACHABLE`, and `USAGE` for a watch."""
        from cortex.sources.remote.listed import ListedScan

        if wishes.watched is not None:
            raise LoomError("USAGE", "cortex watch follows folders: a list is gone through by each `cortex ingest`")
        return ListedScan(
            roots,
            self.scan_options(wishes),
            ledger=loom,
            host=host,
            plan=plan,
            listed=chain(listed, self._paths()),
            lanes=lanes,
            max_size=self.options.max_download,
        )

    def _paths(self) -> Iterator[bytes]:
        from cortex.sources.listed import open_list

        name = self.options.list if self.options.list == "-" else str(Path(self.options.list).expanduser())
        try:
            paths = open_list(name)
        except LoomError as error:
            raise LoomError("SOURCE_UNREACHABLE", f"the list {error.message}") from error
        folder = self.options.below
        below = b"" if name == "-" else os.fsencode(os.path.dirname(name))
        if folder is not None:
            below = os.fsencode(Path(folder).expanduser())
        return (path if b"://" in path else os.path.join(below, path) for path in paths)
