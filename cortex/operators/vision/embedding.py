"""What operators have in common that describe a picture, or a part of one, by a vector."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import Field

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.models import ModelFile, checked_file
from cortex.operators.vision.model_inputs import PLAIN, RUNTIME, PictureInput, needs
from cortex.requirements import demand
from loom.graph.specs import Requirement
from loom.model import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.operators.vision.onnx_models import PictureModel


class VectorOptions(NodeOptions):
    """Of operators that give a vector."""

    model: ModelFile = Field(description="Path and SHA-256 of the model, in ONNX, in one file")
    input: PictureInput = Field(PLAIN, description="In which form the model takes a picture")
    output: str | None = Field(None, description="Which of the model's outputs is the vector; else the first")
    unit: bool = Field(True, description="The vector gets the length 1, so that products of vectors are cosines")
    form: Literal["float16", "list"] = Field(
        "float16", description="As base64 of half-precision numbers, little-endian, or as a list of numbers"
    )

    @property
    def comparable(self) -> str:
        """The same for all that gives vectors which can be compared."""
        return known_as(self.model.sha256, self.input.model_dump_json(), self.output or "")


def known_as(*parts: str) -> str:
    """16 hexadecimal digits for a model, and for what is done before and after it."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


V = TypeVar("V", bound=VectorOptions)


class PictureEmbedding(MediaNode[V]):
    """An operator with a model that gives a vector for a picture."""

    version = "2"
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO})
    reads = ()
    verdicts = False
    requires = (RUNTIME,)
    VECTOR: OutputKey[Any] = OutputKey("vector", object, "a text in base64, or a list of numbers")
    MODEL = OutputKey("model", str, "16 hexadecimal digits; vectors are compared that have the same")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._model: PictureModel | None = None

    def requirements(self) -> Sequence[Requirement]:
        return needs(self.options.model)

    def open(self) -> None:
        demand(self.requirements())
        from cortex.operators.vision.onnx_models import PictureModel

        self._model = PictureModel(checked_file(self.options.model, {}), self.options.input)

    def close(self) -> None:
        self._model = None

    @property
    def model(self) -> PictureModel:
        assert self._model is not None, "the engine calls open() first"
        return self._model

    def give_vector(self, ctx: NodeContext, picture: Image) -> int:
        """Of a picture of the model's size; how many numbers it has."""
        from cortex.operators.vision.vectors import stored, vector_of

        vector = vector_of(self.model.run(picture), self.options.output, self.options.unit)
        ctx.output(self.VECTOR, stored(vector, self.options.form))
        ctx.output(self.MODEL, self.options.comparable)
        return len(vector)
