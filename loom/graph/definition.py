"""The document of a pipeline: what may be written in it, and JSON, YAML and TOML in and out.

Every text and every plain value is checked as a whole: `read` tells all that is wrong with a document's shape, `parse`
raises it. What a definition means is the compiler's business.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from loom.errors import LoomError
from loom.graph import formats
from loom.graph.builder import PipelineBuilder
from loom.graph.codes import error, said
from loom.graph.diagnostics import DefinitionError, Diagnostic
from loom.graph.plain import plain_problems
from loom.graph.plan import AssetFilter
from loom.graph.shape import shape_problems
from loom.graph.sizes import parse_size
from loom.model import Branch, Kind

SLUG = r"^[a-z0-9][a-z0-9_-]{0,63}$"
"""The form of a pipeline's name and of a node's id."""

MAX_NODES = 10_000
MAX_EDGES = 50_000


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _checked_size(value: Any) -> Any:
    parse_size(value)
    return value


def _unless_empty(value: Any) -> Any:
    """A filter that keeps nothing away is as good as none."""
    return None if value is None or not value.model_dump(exclude_defaults=True) else value


Slug = Annotated[str, StringConstraints(pattern=SLUG)]
Globs = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=1024)]],
    BeforeValidator(_as_list),
    Field(max_length=1000),
]
Kinds = Annotated[list[Annotated[Kind, Field(strict=False)]], BeforeValidator(_as_list), Field(max_length=100)]
Bytes = Annotated[Any, PlainValidator(_checked_size), WithJsonSchema({"type": ["integer", "string"]})]
Free = Annotated[dict[str, Any], Field(default_factory=dict)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Match(_Part):
    """Which assets a pipeline is for. `paths` are globs below the scanned folder."""

    kinds: Kinds = []
    mime: Globs = []
    paths: Globs = []

    def compiled(self) -> AssetFilter:
        return AssetFilter(kinds=frozenset(self.kinds), mime=tuple(self.mime), path=tuple(self.paths))


class SizeRange(_Part):
    """Bytes, inclusive: numbers, or texts such as `10MB` (1024-based)."""

    min: Bytes | None = None
    max: Bytes | None = None

    @model_validator(mode="after")
    def _in_order(self) -> SizeRange:
        if self.min is not None and self.max is not None and parse_size(self.min) > parse_size(self.max):
            raise ValueError("min is more than max")
        return self


class NodeFilter(_Part):
    """Which assets that reach a node it is for; the others are SKIPPED as FILTERED."""

    kinds: Kinds = []
    mime: Globs = []
    size: Annotated[SizeRange | None, AfterValidator(_unless_empty)] = None
    path: Globs = []

    def compiled(self) -> AssetFilter:
        size = self.size or SizeRange()
        return AssetFilter(
            kinds=frozenset(self.kinds),
            mime=tuple(self.mime),
            path=tuple(self.path),
            min_size=None if size.min is None else parse_size(size.min),
            max_size=None if size.max is None else parse_size(size.max),
        )


class Node(_Part):
    """An operator placed in a pipeline. `timeout_s` is at most a week."""

    id: Slug
    operator: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    config: Free
    enabled: bool = True
    filter: Annotated[NodeFilter | None, AfterValidator(_unless_empty)] = None
    timeout_s: Annotated[float, Field(gt=0, le=604_800)] | None = None
    retries: Annotated[int, Field(ge=0, le=100)] = 0


class From(_Part):
    node: str
    port: str = "out"


class To(_Part):
    node: str
    port: str = "in"


class Edge(_Part):
    """`maxsize` (1 to 4096 packets) and `drop_policy` are for stream pipelines."""

    source: From = Field(alias="from")
    target: To = Field(alias="to")
    branch: Annotated[Branch, Field(strict=False)] | None = None
    maxsize: Annotated[int, Field(ge=1, le=4096)] | None = None
    drop_policy: (
        Literal["block", "drop_newest", "drop_oldest", "drop_updates", "latest_only", "keyed_latest_only"] | None
    ) = None


class Graph(_Part):
    """`limits`, `layout` and `meta` are kept as they are."""

    nodes: Annotated[list[Node], Field(max_length=MAX_NODES)]
    edges: Annotated[list[Edge], Field(max_length=MAX_EDGES)] = []
    limits: Free
    layout: Free
    meta: Free


class Pipeline(_Part):
    """A definition as written. Of several pipelines that match an asset the one of highest `priority` wins."""

    schema_version: Literal[1] = 1
    name: Slug
    description: Annotated[str, StringConstraints(max_length=10_000)] = ""
    priority: Annotated[int, Field(ge=-(2**31), lt=2**31)] = 0
    enabled: bool = True
    dry_run: bool = False
    match: Annotated[Match | None, AfterValidator(_unless_empty)] = None
    graph: Graph
    processing_server_id: str = "local"
    editor_mode: str | None = None
    python_source: str | None = None

    @classmethod
    def builder(cls, name: str) -> PipelineBuilder[Pipeline]:
        """Starts a definition written in Python."""
        return PipelineBuilder(name, parse)

    def document(self) -> dict[str, Any]:
        """The definition as plain values, without what is at its default."""
        shown = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        shown["graph"] = {"nodes": shown["graph"]["nodes"], "edges": [], **shown["graph"]}
        return {"schema_version": self.schema_version, **shown}


class Reading(NamedTuple):
    """A document read: the definition, or None and what is wrong with its shape. `sound`: nothing is wrong with its
    size and its values, so that it may be looked at further."""

    pipeline: Pipeline | None
    problems: tuple[Diagnostic, ...]
    sound: bool = True


def read(document: object, path: tuple[str, ...] = ()) -> Reading:
    """Reads plain values; every problem of shape at once. `path` is left out in front of the fields it names."""
    if not isinstance(document, dict):
        found = "null" if document is None else type(document).__name__
        return Reading(None, (error("FIELD_INVALID", f"a definition is an object, not a {found}"),), sound=False)
    if problems := plain_problems(document):
        return Reading(None, tuple(problems), sound=False)
    try:
        return Reading(Pipeline.model_validate(document), ())
    except ValidationError as invalid:
        problems = shape_problems(invalid, document, path)
        return Reading(None, tuple(problems), sound=not any(problem.code == "TOO_LARGE" for problem in problems))


def parse(document: object) -> Pipeline:
    """The definition that plain values stand for. Raises `DefinitionError` with every problem of shape."""
    reading = read(document)
    if reading.pipeline is None:
        raise DefinitionError(reading.problems)
    return reading.pipeline


def loads(text: str, format: str) -> Pipeline:  # noqa: A002
    """A definition from text; `format` is json, yaml or toml. Raises `DefinitionError`."""
    return parse(formats.read_text(text, format))


def dumps(pipeline: Pipeline, format: str) -> str:  # noqa: A002
    """A definition as text, which `loads` reads back as the same. Raises `DefinitionError` for a null in TOML."""
    return formats.write_text(pipeline.document(), format)


def read_document(path: str | Path) -> dict[str, Any]:
    """The object in a file, by its ending, checked no further: the compiler tells all that is wrong with it. Raises
    `USAGE` for a file that is not there or of another kind, `DefinitionError` for one that cannot be understood."""
    file = Path(path)
    format = formats.format_of(file.name)  # noqa: A001
    try:
        if not file.is_file():
            raise LoomError("USAGE", f"{file} is not a file")
        with file.open("rb") as opened:
            text = opened.read(formats.MAX_TEXT + 1).decode("utf-8-sig")
    except OSError as fault:
        raise LoomError("USAGE", f"{file} cannot be read: {fault.strerror}") from fault
    except UnicodeDecodeError:
        raise DefinitionError([error("NOT_READABLE", f"{file.name} is not UTF-8 text")]) from None
    document = formats.read_text(text, format)
    if not isinstance(document, dict):
        raise DefinitionError([error("FIELD_INVALID", f"{said(file.name)} holds no object")])
    return document
