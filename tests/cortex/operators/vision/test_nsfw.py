from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import embedder
from PIL import Image
from realmedia import RealMedia

from cortex.operators.vision.nsfw import Nsfw
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

pytest.importorskip("onnxruntime", reason="pip install 'loom-cortex[nsfw]'")


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket", "hubble_deep_field", "brick"])
def test_photographs_without_nudity(media: RealMedia, name: str) -> None:
    assert run_operator(Nsfw(), media.images[name]).outputs["score"] < 0.1


def test_skin_is_told_from_the_same_in_blue(tmp_path: Path) -> None:
    """A round shape in the colour of skin; with red and blue exchanged the model sees nothing in it."""
    y, x = np.mgrid[-128:128, -128:128]
    shade = np.array([220, 160, 130]) - ((x**2 + y**2) / 300)[..., None]
    skin = np.clip(shade, 0, 255).astype(np.uint8)
    scores = []
    for pixels in (skin, skin[:, :, ::-1]):
        path = tmp_path / "shape.png"
        Image.fromarray(pixels).save(path)
        scores.append(run_operator(Nsfw(), path).outputs["score"])
    assert scores[0] > 0.15
    assert scores[1] < 0.1


def test_of_a_video_the_highest_counts(media: RealMedia) -> None:
    outputs = run_operator(Nsfw(frames=3), media.films["carphone_pristine"]).outputs
    assert len(outputs["scores"]) == 3
    assert outputs["score"] == max(outputs["scores"]) < 0.1
    assert run_operator(Nsfw(frames=0), media.films["carphone_pristine"]).state is State.SKIPPED


def test_another_model_is_refused(media: RealMedia, tmp_path: Path) -> None:
    other = embedder(tmp_path / "other.onnx")
    with pytest.raises(LoomError) as caught:
        run_operator(Nsfw(model=other), media.images["coffee"])
    assert caught.value.code == "OPERATOR_FAILED"
    with pytest.raises(LoomError) as caught:
        run_operator(Nsfw(model={**other, "sha256": "0" * 64}), media.images["coffee"])
    assert caught.value.code == "REQUIREMENT_MISSING"


def test_broken_files(broken_files: list[Path]) -> None:
    codes = []
    for path in broken_files:
        try:
            assert run_operator(Nsfw(), path).state is State.SKIPPED
        except LoomError as error:
            codes.append(error.code)
    assert set(codes) <= {"FILE_TRUNCATED", "FILE_DAMAGED"}
    assert codes
