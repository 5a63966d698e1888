"""What the author of an operator sees: `MediaNode`, its options, its context and its output keys."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args, get_origin

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from cortex.media.wants import Wants
from cortex.outputs import LargeArtifact as LargeArtifact
from cortex.outputs import OutputKey as OutputKey
from cortex.outputs import ProducedArtifact as ProducedArtifact
from cortex.outputs import Result as Result
from cortex.outputs import as_verdict, check_name, check_output
from loom.errors import LoomError
from loom.graph.builder import PipelineNode
from loom.graph.specs import Port, Requirement
from loom.model import Action, Branch
from loom.parts import Parts
from loom.shapes import is_media_type

if TYPE_CHECKING:
    from cortex.media import Media
    from loom.verbs import Library

T = TypeVar("T")
O = TypeVar("O", bound="NodeOptions")  # noqa: E741


class NodeOptions(BaseModel):
    """Base of every operator's config model. Unknown fields are refused; describe fields with `pydantic.Field`, the
    catalogue shows it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    enabled: bool = Field(True, description="Whether the node works; switched off it is skipped as DISABLED.")


def validate_options(model: type[O], options: Mapping[str, Any]) -> O:
    """The options as an instance of the model. They count as JSON however they were given, so that a list stands for a
    tuple or a set and a string for a member of an enum. Raises `pydantic.ValidationError`, and `TypeError` or
    `ValueError` for what has no form in JSON."""
    return model.model_validate_json(msgspec.json.encode(options))


HANDS_ON = (Port(id="out", passes="in"),)
"""The outputs of an operator that only looks, as a filter: it hands on what comes in."""


class NodeContext:
    """One node's work on one asset: where outputs, artifacts, the verdict and effects go.

    `items` are the values that came in at the node's input for values, None where none did. `item` is the one that it
    is computed for, and `index` its place among them, where the input takes them one by one.

    `upstream` gives the outputs of the nodes that may be read, None for one that was skipped; `derived` their derived
    files, asked for by node and name. Effects are carried out only where `perform` is given; a dry run passes one that
    lists them. `keys` are those under which it may give outputs, by name; None: any.
    """

    items: Sequence[Any] | None = None
    item: Any = None
    index: int = 0

    def __init__(
        self,
        node: str,
        upstream: Mapping[str, Mapping[str, Any] | None],
        *,
        dry_run: bool = False,
        perform: Callable[[str, Callable[[], object]], None] | None = None,
        report_progress: Callable[[float], None] | None = None,
        collect: Callable[[str], None] | None = None,
        record: Callable[[Action], None] | None = None,
        intend: Callable[[Action], None] | None = None,
        keys: Mapping[str, OutputKey[Any]] | None = None,
        library: Library | None = None,
        derived: Callable[[str, str], ProducedArtifact | None] | None = None,
        items: Sequence[Any] | None = None,
        item: Any = None,
        index: int = 0,
        left: Callable[[], float] | None = None,
    ) -> None:
        self.node = node
        if items is not None:
            self.items, self.item, self.index = items, item, index
        self.dry_run = dry_run
        self.outputs: dict[str, Any] = {}
        self.artifacts: list[ProducedArtifact] = []
        self.large_artifacts: list[LargeArtifact] = []
        self.result_verdict = Branch.PASS
        self.verdict_reason: str | None = None
        self._upstream = upstream
        self._perform = perform
        self._report_progress = report_progress
        self._collect = collect
        self._record = record
        self._intend = intend
        self._keys = keys
        self._library = library
        self._derived = derived
        self._left = left

    @property
    def seconds_left(self) -> float | None:
        """How much is left of the time that the node's own `timeout_s` gives it for this file; None without one."""
        return None if self._left is None else self._left()

    @property
    def log(self) -> logging.Logger:
        """What is said here at the level of warnings or above reaches whoever watches the ingest."""
        return logging.getLogger(f"cortex.node.{self.node}")

    def output(self, key: OutputKey[T], value: T) -> None:
        """Publishes a value. Raises `OUTPUT_INVALID` when it is not of the key's type, larger than 64 KiB as JSON,
        nested more than 99 deep or no JSON at all (NaN, bytes, integers of more than 53 bits), and for a key that the
        operator's class does not declare."""
        check_output(key if self._keys is None else self._keys.get(key.name), key.name, value)
        self.outputs[key.name] = value

    def upstream_output(self, node_id: str, key: str) -> Any:
        """The value that the node `node_id` published under `key`; None if it was skipped or gave no such value.
        Raises `OPERATOR_FAILED` when the node is not among those this operator declares to read."""
        outputs = self._read(node_id)
        return None if outputs is None else outputs.get(key)

    def upstream_artifact(self, node_id: str, name: str) -> ProducedArtifact | None:
        """The derived file `name` that the node `node_id` made of this asset, in this run or an earlier one; None if it
        was skipped or made none of that name. Ask for it before other work: it may have to be fetched from where it is
        stored, and in a worker `compute` begins anew when it is there. Raises `OPERATOR_FAILED` as `upstream_output`,
        `FILE_TOO_LARGE` for stored ones that are larger than is handed on, and `READ_FAILED` for one that is lost."""
        if self._read(node_id) is None or self._derived is None:
            return None
        return self._derived(node_id, name)

    def _read(self, node_id: str) -> Mapping[str, Any] | None:
        try:
            return self._upstream[node_id]
        except KeyError:
            raise LoomError("OPERATOR_FAILED", f"reads {node_id!r}, which it does not declare in `reads`") from None

    def upstream_nodes(self) -> Mapping[str, Mapping[str, Any] | None]:
        """The outputs of every node that may be read, by node id."""
        return self._upstream

    def verdict(self, branch: Branch, reason: str | None = None) -> None:
        """PASS (the default) or FAIL; decides which labelled edges are taken. Raises `OUTPUT_INVALID` for others."""
        self.result_verdict, self.verdict_reason = as_verdict(branch), reason

    def artifact(self, name: str, data: bytes | Parts, media_type: str) -> None:
        """Adds a derived file; kept once per content, beside the result. `data` is what it holds, or where that lies
        if it is too large for memory: what `cortex.media.spill.Written.taken` gives. Raises `OUTPUT_INVALID` for a
        media type that is none, and for a name that is no text."""
        check_name(name)
        if not is_media_type(media_type):
            raise LoomError("OUTPUT_INVALID", f"{media_type!r} is not a media type, as image/png is one")
        if isinstance(data, Parts):
            self.large_artifacts.append(LargeArtifact(name, data, media_type))
        else:
            self.artifacts.append(ProducedArtifact(name, bytes(data), media_type))

    def effect(self, description: str, do: Callable[[], object]) -> None:
        """Does something outside: `do` is called, or in a dry run only `description` is listed. The operator must have
        the capability `effect`."""
        if self._perform is None:
            raise LoomError(
                "OPERATOR_FAILED", f"{description}: an operator with effects declares the capability `effect`"
            )
        self._perform(description, do)

    def collect(self, collection: str) -> None:
        """Adds the asset to a named collection, in the same transaction as the result. Use it inside `effect`."""
        if self._collect is None:
            raise LoomError("OPERATOR_FAILED", "only an operator with the capability `effect` may add to a collection")
        self._collect(collection)

    @property
    def library(self) -> Library:
        """What to ask of all that Loom has: where copies lie, what is alike. Inside `effect`, `propose` to it. Raises
        `OPERATOR_FAILED` for an operator without the capability `database`."""
        if self._library is None:
            raise LoomError("OPERATOR_FAILED", "only an operator with the capability `database` asks Loom's library")
        return self._library

    def intend(self, action: Action) -> None:
        """Tells what an effect is about to do to files, just before it does; when this returns, it is written down, and
        should the process be killed, it is found out later whether it was done. Say `acted` with the same action once
        it is. An intention of which nothing comes is forgotten. Raises what keeps Loom from writing it down: then
        leave it undone."""
        if self._intend is not None:
            self._intend(action)

    def acted(self, action: Action) -> None:
        """Tells what an effect did to files, so that it can be undone; stored with the result, lost without Loom."""
        if self._record is not None:
            self._record(action)

    def progress(self, fraction: float) -> None:
        """How much of this node's work is done, 0 to 1; also renews its time limit."""
        if self._report_progress is not None:
            self._report_progress(fraction)


class MediaNode(PipelineNode, Generic[O]):
    """Base of operators. Derive from `MediaNode[YourOptions]`, name the operator and override `compute`.

    The same class is used to write definitions in Python: `Thumbnail(size=512, id="thumb")` is a node of a pipeline,
    its keyword arguments are the operator's options.
    """

    operator: ClassVar[str]
    version: ClassVar[str] = "1"
    kinds: ClassVar[Collection[str]] = ()
    reads: ClassVar[tuple[str, ...] | None] = None
    needs: ClassVar[tuple[str, ...]] = ()
    buckets: ClassVar[str | None] = None
    verdicts: ClassVar[bool | None] = None
    capabilities: ClassVar[Collection[str]] = ()
    requires: ClassVar[tuple[Requirement, ...]] = ()
    inputs: ClassVar[tuple[Port, ...]] = (Port(id="in"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port(id="out"),)
    options_model: ClassVar[type[NodeOptions]] = NodeOptions
    _keys: ClassVar[Mapping[str, OutputKey[Any]]] = {}

    options: O

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared = (key for base in reversed(cls.__mro__) for key in vars(base).values() if isinstance(key, OutputKey))
        cls._keys = {key.name: key for key in declared}
        for base in getattr(cls, "__orig_bases__", ()):
            if (origin := get_origin(base)) is not None and issubclass(origin, MediaNode):
                model = get_args(base)[0]
                if isinstance(model, type) and issubclass(model, NodeOptions):
                    cls.options_model = model

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002
        filter: Mapping[str, Any] | None = None,  # noqa: A002
        timeout_s: float | None = None,
        retries: int = 0,
        **options: Any,
    ) -> None:
        """Raises `pydantic.ValidationError` for options that the model refuses."""
        self.options = validate_options(self.options_model, options)  # type: ignore[assignment]
        super().__init__(
            operator=self.operator, id=id, config=options, filter=filter, timeout_s=timeout_s, retries=retries
        )

    def is_enabled(self) -> bool:
        """Step 1 of the lifecycle: is the node on in its options?"""
        return self.options.enabled

    def exists_result(self, ctx: NodeContext, media: Media) -> Result | None:
        """Step 2, asked after Loom and the cache had none: a result this operator knows of in another way, or None. It
        is stored as if it had been computed."""
        return None

    def is_processable(self, media: Media) -> bool:
        """Step 3: does the kind of media fit?"""
        return not self.kinds or media.kind in self.kinds

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """Step 4: the work itself. Raise `LoomError` with a code of `loom.errors.CODES`, or anything else, to fail."""
        raise TypeError(f"{type(self).__name__} does not define compute()")

    def wants(self) -> Wants:
        """What the operator will ask of the media, so that it is read and decoded once for all."""
        return Wants()

    def named_nodes(self) -> tuple[str, ...] | None:
        """The ids of the nodes that the options name, where it is the options that decide what is read; they take the
        place of `reads`. None, the default: `reads` holds."""
        return None

    def requirements(self) -> Sequence[Requirement]:
        """What this node needs on the machine, where its options decide; `requires`, the default, without them."""
        return self.requires

    def open(self) -> None:
        """Called once in each worker process before the first asset: load a model here."""

    def close(self) -> None:
        """Called when the worker process ends in order."""


def output_keys(node: type[MediaNode[Any]]) -> Collection[OutputKey[Any]]:
    """The output keys declared on the class and its bases, in the order of their declaration."""
    return keys_of(node).values()


def keys_of(node: type[MediaNode[Any]]) -> Mapping[str, OutputKey[Any]]:
    """The same, by name."""
    return node._keys
