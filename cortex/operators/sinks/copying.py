"""Copies files to another folder."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from cortex.derived import asset_or_any_file
from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.sinks.acts import Deed, path_at, wrote
from cortex.operators.sinks.naming import MAX_TEMPLATE, NamePart, Template, nodes_named, render, sayable
from cortex.operators.sinks.placing import Conflict, failing, folder_below, put
from cortex.operators.sinks.taking import blake3_of, content_of, is_without_file, what_of

if TYPE_CHECKING:
    from cortex.media import Media


def _is_absolute(path: str) -> str:
    if "\0" in path or not (path.startswith("~/") or Path(path).is_absolute()):
        raise ValueError(f"{path!r} is not the path of a folder from the root on, such as /media/archive or ~/archive")
    return path


Folder = Annotated[str, AfterValidator(_is_absolute)]


class PlacingOptions(NodeOptions):
    to: Folder = Field(min_length=1, max_length=4096, description="The folder below which files go. It must be there.")
    template: Template = Field(
        "{name}",
        max_length=MAX_TEMPLATE,
        description="Folders and name below it, such as `{captured_at:%Y/%m}/{name}`: name, stem, suffix, kind, asset, "
        "blake3, captured_at or node.key, with a form for dates, or the number of characters or digits.",
    )
    missing: NamePart | None = Field(
        None, max_length=100, description="What stands for a value that is not there; without it the node fails."
    )
    conflict: Conflict = Field(
        Conflict.FAIL,
        description="When the name is taken by another content: `skip` leaves the asset where it is, `rename` adds a "
        "number to the name, `fail` fails. Nothing is ever overwritten.",
    )
    verify: bool = Field(True, description="Read what was written and compare its BLAKE3.")


def place_for(options: PlacingOptions, ctx: NodeContext, media: Media) -> tuple[list[str], str]:
    """The names of folders and file below the target folder, and all of it in words."""
    names = render(options.template, ctx, media, options.missing)
    return names, sayable("/".join([options.to.rstrip("/"), *names]))


def beside(target: str, name: str) -> str:
    """The name that it became, in place of the one that was wished for, in words."""
    return f"{target.rpartition('/')[0]}/{sayable(name)}"


class Copy(MediaNode[PlacingOptions]):
    """Copies the file to a folder, under a name made of what is known of it.

    `{to: /media/archive, template: "{captured_at:%Y/%m}/{name}", missing: undated, conflict: rename}` is an example.
    A value in braces is `name` (`cup.jpg`), `stem` (`cup`), `suffix` (`.jpg`), `kind`, `asset` (the UUID), `blake3`,
    `captured_at` (of the node `metadata`) or `node.key` of any node before it. Behind a colon a date has its form
    (`%Y %y %m %d %H %M %S %j %V %G %u`), a text the number of its characters, a number that of its digits. `/`
    outside of braces and in forms begins a folder; values come in without what may not stand in a name.

    The copy is written under a hidden name, brought to the disk, compared and only then given its name; it keeps the
    time of change and the permissions of the original, but no extended attributes. Content that lies at its place
    already, or under one of the numbered names, counts as copied. Of an asset that lies in several places one is
    copied, under that one's name. As every result, this one is kept: a copy that is deleted is made again with
    `--recompute`.

    Where an edge leads into the port `file`, derived files are copied in place of the asset's own, each for itself:
    `suffix` is that of its type then, `name` the `stem` with it, and `file` its name, such as `face-003` in
    `{stem}-{file}{suffix}`. Where the node before made none, nothing is.

    Ports `in`, `file` and `out`; needs the nodes that the template names, and the folder `to`, which is never made.
    Fails with `OPERATOR_FAILED` for a value that is not there and a name that cannot be one, `CHANGED_WHILE_READ` for
    a file that is not what it was, `FILE_VANISHED`, `FILE_UNREADABLE`, `FILE_TOO_LARGE` (a derived file of more than
    512 MiB) and `READ_FAILED` as reading does, `DISK_FULL`, and `EFFECT_FAILED` for a name that is taken, a link among
    the folders and all else that the system refuses.
    """

    operator = "sink.copy"
    inputs = asset_or_any_file("a derived file of another node, which is copied in place of the asset's")
    outputs = HANDS_ON
    reads = ()
    verdicts = False
    capabilities = frozenset({"effect"})
    TARGET = OutputKey("target", str, "Where the content lies now; none when it was left.")
    COPIED = OutputKey("copied", bool, "Whether it was copied; false when it lay there already or was left.")

    def named_nodes(self) -> tuple[str, ...]:
        return nodes_named(self.options.template)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        if is_without_file(ctx):
            return
        names, target = place_for(self.options, ctx, media)
        ctx.effect(f"copy {what_of(ctx, media)} to {target}", lambda: self._copy(ctx, media, names, target))

    def _copy(self, ctx: NodeContext, media: Media, names: list[str], target: str) -> None:
        options = self.options
        with closing(content_of(ctx, media)) as file, failing(f"copying to {target}"):
            digest = media.asset.blake3 if ctx.item is None else blake3_of(ctx.item.data)
            deed = Deed(
                ctx,
                lambda kind, name: wrote(kind, media, path_at(options.to, names[:-1], name), digest, file.size),
            )
            mode = Path(media.local).lstat().st_mode & 0o777
            with folder_below(options.to, names[:-1]) as folder:
                found = put(
                    folder,
                    names[-1],
                    file,
                    mode,
                    digest,
                    options.conflict,
                    verify=options.verify,
                    # of a derived file there is no original that an undo would have to find
                    before=partial(deed.about_to, "copied" if ctx.item is None else "wrote"),
                )
        if found is not None and not found.is_there:
            deed.done()
        ctx.output(self.COPIED, found is not None and not found.is_there)
        if found is not None:
            ctx.output(self.TARGET, beside(target, found.name))
