"""Uploads files to object stores."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cortex.derived import DerivedFile, asset_or_any_file
from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions, OutputKey, ProducedArtifact
from cortex.operators.references import ArtifactName, artifact_of, nodes_of
from cortex.operators.sinks.naming import MAX_TEMPLATE, NamePart, Template, nodes_named, render, sayable
from cortex.operators.sinks.taking import is_without_file, what_of
from loom.errors import LoomError
from loom.graph.specs import Requirement

if TYPE_CHECKING:
    from cortex.media import Media

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[^/?#]+)(?P<path>/[^?#]*)?")
_ELSEWHERE = frozenset({"file", "local", "http", "https", "data"})


def _is_store(url: str) -> str:
    match = _URL.fullmatch(url)
    if match is None or "::" in url or any(ord(sign) < 32 for sign in url):
        raise ValueError(f"{url!r} is not the address of a store, such as s3://bucket/folder")
    if "@" in match["host"]:
        raise ValueError("credentials have no place in a definition: use the environment or `profile`")
    if match["scheme"] in _ELSEWHERE:
        raise ValueError(f"{match['scheme']}:// is no store to upload to; `sink.copy` copies to folders")
    if ".." in (match["path"] or "").split("/"):
        raise ValueError("the address leads to a fixed place, without `..`")
    return url


StoreUrl = Annotated[str, AfterValidator(_is_store)]


class UploadOptions(NodeOptions):
    to: StoreUrl = Field(max_length=1000, description="The store and the folder in it, such as `s3://bucket/photos`.")
    template: Template = Field(
        "{name}",
        max_length=MAX_TEMPLATE,
        description="Folders and name below it, such as `{captured_at:%Y/%m}/{blake3}{suffix}`; as in `sink.copy`.",
    )
    missing: NamePart | None = Field(
        None, max_length=100, description="What stands for a value that is not there; without it the node fails."
    )
    conflict: Literal["fail", "skip"] = Field(
        "fail", description="When another content lies there: `fail` fails, `skip` leaves it. Nothing is overwritten."
    )
    artifact: ArtifactName | None = Field(
        None, description="A derived file of a node, `node.name`, that is uploaded in place of the file."
    )
    profile: str | None = Field(
        None,
        max_length=100,
        pattern=r"^[\w.@+-]+$",
        description="The profile of the machine's AWS configuration whose credentials are used, by name.",
    )
    attempts: int = Field(3, ge=1, le=10, description="How often it is tried in one run.")
    verify: bool = Field(True, description="Ask, and where that does not tell read, what was uploaded.")


class Upload(MediaNode[UploadOptions]):
    """Uploads the file to an object store: S3, and whatever else fsspec knows.

    `{to: "s3://archive/photos", template: "{captured_at:%Y/%m}/{name}", missing: undated}` is an example. Names are
    made as by `sink.copy`. Credentials, region and endpoint come from where the store's own tools take them, the
    environment (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …) or a named profile; an address that holds some is refused.
    Other stores need fsspec's package for them (`gcsfs`, `adlfs`, …). The bucket must be there.

    Content that lies at its place already counts as uploaded: the size is the same, and the etag is its MD5 or what
    lies there was read. The same is asked after the upload; what is not right then is removed. Two that upload
    different contents to one name at the same moment are not kept apart: let names hold `{blake3}` where that may be.

    Where an edge leads into the port `file`, derived files are uploaded in place of the asset's own, each for itself,
    under names as those of `sink.copy`. With `artifact` one is named: `{artifact: thumbnail.thumbnail, template:
    "{blake3}.jpg"}`. Where the node made none, nothing is.

    Ports `in`, `file` and `out`; needs the nodes that the options name, the extra `s3` and the network. An upload may
    take longer than the node's time limit as long as it gets on. Fails with `OPERATOR_FAILED` for a value that is not
    there, `CHANGED_WHILE_READ`, `FILE_VANISHED`, `FILE_UNREADABLE` and `READ_FAILED` as reading does, `EFFECT_FAILED`
    for a name that is taken and all that the store refuses; `REQUIREMENT_MISSING` without the packages.
    """

    operator = "sink.s3"
    inputs = asset_or_any_file("a derived file of another node, which is uploaded in place of the asset's")
    outputs = HANDS_ON
    reads = ()
    verdicts = False
    capabilities = frozenset({"effect", "network"})
    requires = (
        Requirement(kind="package", name="fsspec", extra="s3"),
        Requirement(kind="package", name="s3fs", extra="s3", optional=True),
    )
    URL = OutputKey("url", str, "Where the content lies now; none when it was left.")
    UPLOADED = OutputKey("uploaded", bool, "Whether it was uploaded; false when it lay there already or was left.")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._store: Any = None

    def named_nodes(self) -> tuple[str, ...]:
        artifact = nodes_of([self.options.artifact] if self.options.artifact is not None else [])
        return tuple(dict.fromkeys((*nodes_named(self.options.template), *artifact)))

    def open(self) -> None:
        scheme = self.options.to.partition(":")[0]
        options = {"profile": self.options.profile} if self.options.profile is not None else {}
        try:
            import fsspec

            self._store = fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True, **options)
        except ImportError as error:
            raise LoomError(
                "REQUIREMENT_MISSING", f"{scheme}:// needs a package: pip install 'loom-cortex[s3]' ({error})"
            ) from error
        except ValueError as error:
            raise LoomError("REQUIREMENT_MISSING", f"{scheme}:// is not known here: {error}") from error

    def close(self) -> None:
        self._store = None

    def compute(self, ctx: NodeContext, media: Media) -> None:
        name, made = self.options.artifact, ctx.item
        if is_without_file(ctx) or (made is None and name is not None and (made := artifact_of(ctx, name)) is None):
            return
        names = render(self.options.template, ctx, media, self.options.missing)
        url = sayable("/".join([self.options.to.rstrip("/"), *names]))
        what = what_of(ctx, media) if name is None else sayable(f"{name} of {media.path}")
        ctx.effect(f"upload {what} to {url}", lambda: self._upload(ctx, media, made, url))

    def _upload(self, ctx: NodeContext, media: Media, made: ProducedArtifact | DerivedFile | None, url: str) -> None:
        from cortex.operators.sinks.uploading import (
            content_of,
            content_of_bytes,
            lies_there,
            trying,
            upload,
            upload_bytes,
        )

        store, attempts, what = self._store, self.options.attempts, f"uploading to {url}"
        target = store._strip_protocol(url)
        content = content_of(media, ctx.progress) if made is None else content_of_bytes(made.data)
        there = trying(what, attempts, lambda: lies_there(store, target, content, ctx.progress))
        if there is False:
            if self.options.conflict == "fail":
                raise LoomError("EFFECT_FAILED", f"{url} is taken by another content")
            ctx.output(self.UPLOADED, False)
            return
        if there is None:
            if made is None:
                trying(what, attempts, lambda: upload(store, media, target, ctx.progress))
            else:
                trying(what, attempts, lambda: upload_bytes(store, made.data, made.media_type, target))
            if self.options.verify and not trying(
                what, attempts, lambda: lies_there(store, target, content, ctx.progress)
            ):
                trying(what, attempts, lambda: store.rm_file(target))
                raise LoomError("CHANGED_WHILE_READ", f"what came to lie at {url} is not the file, and was removed")
        ctx.output(self.UPLOADED, there is None)
        ctx.output(self.URL, url)
