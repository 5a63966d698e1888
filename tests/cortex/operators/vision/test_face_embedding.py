from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import embedder
from PIL import Image
from realmedia import RealMedia

from cortex.operators.vision.face_embedding import FaceEmbedding
from cortex.operators.vision.faces import Faces
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

pytest.importorskip("onnxruntime", reason="pip install 'loom-cortex[vision]'")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return embedder(tmp_path_factory.mktemp("models") / "faces.onnx")


def vectors(path: Path, model: dict[str, str], faces: list[Any], **options: Any) -> list[Any]:
    found: list[Any] = run_operator(FaceEmbedding(model=model, **options), path, items=faces).outputs["vector"]
    return found


def unpacked(text: str) -> Any:
    return np.frombuffer(base64.b64decode(text), "<f2").astype(float)


def test_a_face_has_the_same_vector_wherever_it_is_and_however_it_is_turned(
    media: RealMedia, model: dict[str, str], tmp_path: Path
) -> None:
    astronaut = media.picture("astronaut", (800, 800))
    elsewhere = media.picture("hubble_deep_field", (1000, 1000))
    elsewhere.paste(astronaut.rotate(20, Image.Resampling.BICUBIC).resize((600, 600)), (380, 250))
    seen = []
    for name, picture in (("one", astronaut), ("other", elsewhere), ("mirrored", astronaut.transpose(0))):
        path = tmp_path / f"{name}.png"
        picture.save(path)
        faces = run_operator(Faces(), path).outputs["faces"]
        assert len(faces) == 1
        seen.append(unpacked(vectors(path, model, faces)[0]))
    assert all(np.linalg.norm(vector) == pytest.approx(1, abs=0.01) for vector in seen)
    assert seen[0] @ seen[1] > 0.9
    assert seen[0] @ seen[2] < seen[0] @ seen[1] - 0.05


def test_each_face_gets_its_vector_in_order(media: RealMedia, model: dict[str, str]) -> None:
    (face,) = run_operator(Faces(), media.images["astronaut"]).outputs["faces"]
    worse = {**face, "quality": 0.1}
    found = vectors(media.images["astronaut"], model, [face, worse, face], min_quality=0.5, form="list")
    assert found[1] is None
    assert found[0] == found[2]
    assert len(found[0]) == 64
    assert vectors(media.images["astronaut"], model, []) == []


def test_faces_of_a_film_are_taken_from_their_frames(media: RealMedia, model: dict[str, str]) -> None:
    film = media.films["carphone_pristine"]
    faces = run_operator(Faces(frames=3), film).outputs["faces"]
    first, *others = (unpacked(vector) for vector in vectors(film, model, faces))
    assert len(others) == 2
    assert all(first @ other > 0.8 for other in others)


@pytest.mark.parametrize(
    ("name", "item"), [("astronaut", "a face"), ("astronaut", {"quality": 1.0}), ("film", {"frame": 7, "frames": 3})]
)
def test_items_that_are_no_faces(media: RealMedia, model: dict[str, str], name: str, item: Any) -> None:
    path = media.films["carphone_pristine"] if name == "film" else media.images[name]
    with pytest.raises(LoomError) as caught:
        vectors(path, model, [item])
    assert caught.value.code == "OPERATOR_FAILED"


def test_without_faces_before_it_nothing_is_done(media: RealMedia, model: dict[str, str]) -> None:
    assert run_operator(FaceEmbedding(model=model), media.images["astronaut"]).state is State.SKIPPED


def test_broken_files(broken_files: list[Path], model: dict[str, str], media: RealMedia) -> None:
    (face,) = run_operator(Faces(), media.images["astronaut"]).outputs["faces"]
    codes = []
    for path in broken_files:
        try:
            run = run_operator(FaceEmbedding(model=model), path, items=[face])
            assert run.state is State.SKIPPED
        except LoomError as error:
            codes.append(error.code)
    assert set(codes) <= {"FILE_TRUNCATED", "FILE_DAMAGED"}
    assert codes
