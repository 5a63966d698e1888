from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import described, detector, embedder
from realmedia import RealMedia

from cortex.operators.vision.image_embedding import ImageEmbedding
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

pytest.importorskip("onnxruntime", reason="pip install 'loom-cortex[vision]'")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return embedder(tmp_path_factory.mktemp("models") / "pictures.onnx")


def vector(path: Path, model: dict[str, str], **options: Any) -> Any:
    outputs = run_operator(ImageEmbedding(model=model, form="list", **options), path).outputs
    assert outputs["dimensions"] == len(outputs["vector"])
    return np.array(outputs["vector"])


def refusal(path: Path, model: dict[str, str], **options: Any) -> str:
    with pytest.raises(LoomError) as caught:
        run_operator(ImageEmbedding(model=model, **options), path)
    return caught.value.code


def test_the_vector_is_what_the_model_gives(media: RealMedia, model: dict[str, str]) -> None:
    """Computed once more by hand: the mean colours of 8 x 8 parts of the middle, projected."""
    from PIL import ImageOps

    picture = ImageOps.fit(media.picture("coffee").convert("RGB").resize((224, 149)), (112, 112))
    pixels = (np.asarray(picture, float) / 255 - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.4]
    parts = pixels.reshape(8, 14, 8, 14, 3).mean(axis=(1, 3))[:, :, ::-1].transpose(2, 0, 1).reshape(-1)
    expected = parts @ np.random.RandomState(5).normal(0, 1, (192, 64))
    form = {"mean": [0.5, 0.4, 0.3], "deviation": [0.2, 0.3, 0.4], "channels": "bgr"}
    given = vector(media.images["coffee"], model, input=form, unit=False)
    assert given == pytest.approx(expected, abs=0.03 * np.abs(expected).max())
    assert vector(media.images["coffee"], model, input=form) == pytest.approx(
        expected / np.linalg.norm(expected), abs=0.01
    )


def test_alike_pictures_have_alike_vectors(media: RealMedia, model: dict[str, str]) -> None:
    centred = {"input": {"mean": [0.5, 0.5, 0.5], "deviation": [0.5, 0.5, 0.5]}}
    large, turned = (media.photo("coffee", orientation=turn) for turn in (1, 6))
    first = vector(media.images["coffee"], model, **centred)
    for path in (large, turned):
        assert first @ vector(path, model, **centred) > 0.97
    assert first @ vector(media.images["chelsea"], model, **centred) < 0.9


def test_half_precision_keeps_three_digits(media: RealMedia, model: dict[str, str]) -> None:
    packed = run_operator(ImageEmbedding(model=model), media.images["coffee"]).outputs["vector"]
    values = np.frombuffer(base64.b64decode(packed), "<f2")
    assert values.astype(float) == pytest.approx(vector(media.images["coffee"], model), abs=1e-3)


def test_rows_first_and_any_size(media: RealMedia, model: dict[str, str], tmp_path: Path) -> None:
    rows_first = embedder(tmp_path / "rows.onnx", rows_first=True)
    assert vector(media.images["coffee"], rows_first) == pytest.approx(vector(media.images["coffee"], model))
    free = embedder(tmp_path / "free.onnx", size=None)
    assert len(vector(media.images["coffee"], free, input={"size": [64, 64]})) == 64
    assert refusal(media.images["coffee"], free) == "CONFIG_INVALID"
    assert refusal(media.images["coffee"], free, input={"size": [128, 128]}) == "OPERATOR_FAILED"
    assert refusal(media.images["coffee"], model, input={"size": [64, 64]}) == "CONFIG_INVALID"


def test_how_a_picture_of_another_shape_is_fitted(media: RealMedia, model: dict[str, str]) -> None:
    by_fit = [vector(media.images["coffee"], model, fit=fit) for fit in ("crop", "pad", "stretch")]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert by_fit[one] @ by_fit[other] < 0.999


def test_a_video_is_looked_at_once(media: RealMedia, model: dict[str, str]) -> None:
    assert len(vector(media.film("h264"), model)) == 64
    assert run_operator(ImageEmbedding(model=model), media.sound("flac")).state is State.SKIPPED


def test_models_that_are_none(media: RealMedia, model: dict[str, str], tmp_path: Path) -> None:
    coffee = media.images["coffee"]
    noise = tmp_path / "noise.onnx"
    noise.write_bytes(b"noise")
    assert refusal(coffee, described(noise)) == "REQUIREMENT_MISSING"
    assert refusal(coffee, {**model, "sha256": "0" * 64}) == "REQUIREMENT_MISSING"
    assert refusal(coffee, detector(tmp_path / "boxes.onnx", "yolo")) == "OPERATOR_FAILED"
    assert refusal(coffee, model, output="other") == "CONFIG_INVALID"
    assert len(vector(coffee, model, output="vector")) == 64


def test_broken_files(broken_files: list[Path], model: dict[str, str]) -> None:
    codes = []
    for path in broken_files:
        try:
            assert run_operator(ImageEmbedding(model=model), path).state is State.SKIPPED
        except LoomError as error:
            codes.append(error.code)
    assert set(codes) <= {"FILE_TRUNCATED", "FILE_DAMAGED"}
    assert codes
