"""Specs of operators that give values through their ports, as a worker announces them."""

from __future__ import annotations

from typing import Any

import msgspec

from loom.graph.announced import Announced
from loom.graph.specs import OperatorSpec, OutputSpec, Port
from loom.model import Kind

FACE, VECTOR = "detection/face", "vector/face"
PASSES = (Port(id="out", passes="in"),)
VALUE = {"type": "string", "format": "node-value"}
BUCKET = {"type": "object", "properties": {"name": {"type": "string"}, "when": {"format": "node-expression"}}}


def _schema(**properties: Any) -> dict[str, Any]:
    known = {"enabled": {"type": "boolean", "default": True}, **properties}
    return {"type": "object", "properties": known, "additionalProperties": False}


def _spec(id: str, *keys: str, **fields: Any) -> OperatorSpec:  # noqa: A002
    given: dict[str, Any] = {"reads": (), "verdicts": False, "config_schema": _schema(), **fields}
    return OperatorSpec(id=id, version="1", values=tuple(OutputSpec(key=key, type="any") for key in keys), **given)


SPECS = [
    _spec("source.files", capabilities=frozenset({"source"}), inputs=()),
    _spec("face.find", "faces", "count", outputs=(Port(id="out", content_type=FACE, cardinality="many", key="faces"),)),
    _spec("face.main", "face", outputs=(Port(id="out", content_type=FACE, key="face"),)),
    _spec(
        "face.vector",
        "vector",
        inputs=(Port(id="in", content_type=FACE),),
        outputs=(Port(id="out", content_type=VECTOR, key="vector"),),
    ),
    _spec(
        "face.parts",
        "parts",
        inputs=(Port(id="in", content_type=FACE),),
        outputs=(Port(id="out", content_type="detection/eye", cardinality="many", key="parts"),),
    ),
    _spec("face.eye", "open", inputs=(Port(id="in", content_type="detection/eye"),)),
    _spec("face.cluster", "groups", inputs=(Port(id="in", content_type="vector/*", cardinality="many"),)),
    _spec("image.only", "width", kinds=frozenset({Kind.IMAGE}), outputs=(Port(id="out", content_type="struct/size"),)),
    _spec("struct.read", "seen", inputs=(Port(id="in", content_type="struct/size"),)),
    _spec("photo.only", outputs=(Port(id="out", content_type="media/image"),)),
    _spec("film.only", inputs=(Port(id="in", content_type="media/video"),)),
    _spec("maybe.face", inputs=(Port(id="in", content_type=FACE, required=False),)),
    _spec("filter.some", outputs=PASSES, verdicts=True),
    _spec(
        "filter.bucket",
        "bucket",
        outputs=PASSES,
        verdicts=True,
        buckets="buckets",
        config_schema=_schema(buckets={"type": "array", "items": BUCKET, "default": []}),
    ),
    _spec("read.value", "read", config_schema=_schema(value=VALUE, values={"type": "array", "items": VALUE})),
    _spec("read.declared", reads=("find",), takes=("find.faces",)),
]


IMAGE = "artifact/image"
EITHER = (Port(id="in", required=False), Port(id="file", content_type=IMAGE, required=False))
IMAGES = frozenset({Kind.IMAGE})
FILE_SPECS = [
    _spec("file.make", kinds=IMAGES, outputs=(Port(id="out", content_type=IMAGE, key="made"),)),
    _spec("file.parts", outputs=(Port(id="out", content_type=IMAGE, cardinality="many", key="part-*"),)),
    _spec("file.text", outputs=(Port(id="out", content_type="artifact/text", key="text"),)),
    _spec("file.see", kinds=IMAGES, inputs=(Port(id="in", content_type=IMAGE),)),
    _spec("file.mark", inputs=EITHER, outputs=(Port(id="out", content_type=IMAGE, key="marked"),)),
    _spec("file.send", inputs=EITHER, capabilities=frozenset({"effect"})),
    _spec("file.all", inputs=(Port(id="in", content_type="artifact/*", cardinality="many"),)),
    _spec(
        "face.good",
        "score",
        inputs=(Port(id="in", content_type=FACE),),
        outputs=(Port(id="out", passes="in"), Port(id="score", content_type="scalar/number", key="score")),
        verdicts=True,
    ),
    _spec("score.read", inputs=(Port(id="in", content_type="scalar/*"),)),
]
"""Operators that make and take derived files, and a filter of single items."""


def announced(*more: OperatorSpec) -> Announced:
    """The operators after their way over the wire."""
    return Announced(msgspec.json.decode(msgspec.json.encode([*SPECS, *more]), type=list[OperatorSpec]))
