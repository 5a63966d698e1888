"""Options that say in which form a model takes a picture, shared by the operators that run models in ONNX."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cortex.operators.models import ModelFile, requirement
from loom.graph.specs import Requirement

RUNTIME = Requirement(kind="package", name="onnxruntime", extra="vision")
Triple = tuple[float, float, float]


def needs(model: ModelFile) -> tuple[Requirement, ...]:
    return RUNTIME, requirement(model, {})


class PictureInput(BaseModel):
    """What is done to the pixels, 0 to 255, before the model gets them: `(value / 255 - mean) / deviation` for each
    channel. Whether channels or rows come first, and of which type the numbers are, the model says itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    size: tuple[int, int] | None = Field(
        None, description="Width and height in pixels, where the model takes pictures of any size"
    )
    mean: Triple = Field((0.0, 0.0, 0.0), description="Taken away from red, green and blue, which are 0 to 1")
    deviation: Triple = Field((1.0, 1.0, 1.0), description="By which they are divided then; 0.00392157 leaves 0 to 255")
    channels: Literal["rgb", "bgr"] = Field("rgb", description="The order in which the model takes the colours")


PLAIN = PictureInput.model_validate({})
"""Numbers from 0 to 1, red first."""
