from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import detector, embedder
from PIL import Image
from pydantic import ValidationError
from realmedia import RealMedia

from cortex.operators.vision.object_formats import Names, read
from cortex.operators.vision.objects import Objects
from cortex.operators.vision.onnx_models import Answer
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

pytest.importorskip("onnxruntime", reason="pip install 'loom-cortex[vision]'")
FORMS = ["yolo", "yolo5", "yolox", "boxes", "detr"]
OUTPUTS = {"boxes": {"boxes": "boxes", "scores": "scores", "classes": "labels"}}
"""Of the form `boxes` the test's network gives its outputs in another order."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("models")
    return {form: detector(folder / f"{form}.onnx", form) for form in FORMS}


@pytest.fixture
def squares(media: RealMedia, tmp_path: Path) -> Path:
    """A photo of 640 x 320 pixels, in grey, with a red and a green square of 240 pixels a side, cut at the edges."""
    picture = media.picture("chelsea", (640, 320)).convert("L").convert("RGB")
    picture.paste((230, 20, 20), (80, 40, 320, 280))
    picture.paste((20, 230, 20), (400, 0, 640, 240))
    path = tmp_path / "squares.png"
    picture.save(path)
    return path


def run(path: Path, models: dict[str, dict[str, str]], form: str, **options: Any) -> dict[str, Any]:
    given = {"labels": ["red", "green"], "min_score": 0.3, "overlap": 0.1, **OUTPUTS.get(form, {}), **options}
    return run_operator(Objects(model=models[form], form=form, **given), path).outputs


@pytest.mark.parametrize("form", FORMS)
def test_squares_are_found_where_they_are(squares: Path, models: dict[str, dict[str, str]], form: str) -> None:
    outputs = run(squares, models, form)
    assert (outputs["count"], outputs["labels"]) == (2, {"red": 1, "green": 1})
    by_label = {found["label"]: found for found in outputs["objects"]}
    assert by_label["red"]["pixels"] == pytest.approx([80, 40, 240, 240], abs=40)
    assert by_label["green"]["pixels"] == pytest.approx([400, 0, 240, 240], abs=40)
    for found in outputs["objects"]:
        assert found["box"][0] * 640 == pytest.approx(found["pixels"][0], abs=1)
        assert found["box"][3] * 320 == pytest.approx(found["pixels"][3], abs=1)
    scores = [found["score"] for found in outputs["objects"]]
    assert scores == sorted(scores, reverse=True)


def test_scores_are_the_products_where_the_form_has_two(squares: Path, models: dict[str, dict[str, str]]) -> None:
    sure, half = (run(squares, models, form)["objects"][0]["score"] for form in ("yolo", "yolo5"))
    assert half == pytest.approx(sure / 2, abs=0.002)


def test_cells_of_all_grids_count_and_other_numbers_of_rows_are_refused() -> None:
    """Of a picture of 128 x 64 pixels: 16 x 8, 8 x 4 and 4 x 2 cells, and of the models with four grids 2 x 1."""
    for grids, last in ((3, (3, 1, 32)), (4, (1, 0, 64))):
        count = sum(128 * 64 // stride**2 for stride in (8, 16, 32, 64)[:grids])
        rows = np.zeros((1, count, 6), np.float32)
        rows[0, 17, 4:] = rows[0, -1, 4:] = 1  # the second cell of the second row, and the last of the coarsest grid
        rows[0, -1, :3] = 0.5, 0.5, np.log(2)
        found = read([Answer("out", rows)], "yolox", Names(None, None, None), (128, 64), False).sure(0.5)
        column, row, stride = last
        middle = ((column + 0.5) * stride, (row + 0.5) * stride)
        assert found.boxes[0].tolist() == [4, 4, 12, 12]
        assert found.boxes[1].tolist() == pytest.approx(
            [middle[0] - stride, middle[1] - stride / 2, middle[0] + stride, middle[1] + stride / 2]
        )
        with pytest.raises(LoomError, match="form 'yolox'"):
            read([Answer("out", rows[:, 1:])], "yolox", Names(None, None, None), (128, 64), False)


def test_a_distorted_picture_gives_boxes_of_the_real_one(squares: Path, models: dict[str, dict[str, str]]) -> None:
    outputs = run(squares, models, "yolo", fit="stretch", only=["red"])
    red = outputs["objects"][0]
    assert red["pixels"][2] == pytest.approx(240, abs=1)
    assert red["pixels"][3] == pytest.approx(120, abs=1)


def test_thresholds_overlap_labels_and_limits(squares: Path, models: dict[str, dict[str, str]]) -> None:
    assert run(squares, models, "yolo", min_score=0.95)["objects"] == []
    assert run(squares, models, "yolo", overlap=0.9)["count"] > 2
    assert run(squares, models, "yolo", overlap=0.9, most=1)["objects"][0]["score"] > 0.7
    assert len(run(squares, models, "yolo", overlap=0.9, most=1)["objects"]) == 1
    assert run(squares, models, "yolo", labels=["red"])["labels"] == {"red": 1, "1": 1}
    assert run(squares, models, "yolo", only=["green"])["labels"] == {"green": 1}


def test_labels_from_a_file_whose_content_is_known(
    squares: Path, models: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("tomato\napple\n")
    labels = {"path": str(names), "sha256": hashlib.sha256(names.read_bytes()).hexdigest()}
    assert run(squares, models, "yolo", labels=labels)["labels"] == {"tomato": 1, "apple": 1}
    names.write_text("apple\ntomato\n")
    with pytest.raises(LoomError) as caught:
        run(squares, models, "yolo", labels=labels)
    assert caught.value.code == "REQUIREMENT_MISSING"


@pytest.mark.parametrize("name", ["coffee", "chelsea", "astronaut"])
def test_where_there_are_none(media: RealMedia, models: dict[str, dict[str, str]], name: str) -> None:
    assert run(media.images[name], models, "yolo")["objects"] == []


@pytest.mark.parametrize(("made", "told"), [("yolo", "boxes"), ("boxes", "detr"), ("detr", "yolo"), ("none", "yolo")])
def test_answers_of_another_form(squares: Path, models: dict[str, Any], made: str, told: str, tmp_path: Path) -> None:
    model = models[made] if made in models else embedder(tmp_path / "vector.onnx")
    with pytest.raises(LoomError) as caught:
        run_operator(Objects(model=model, form=told), squares)
    assert caught.value.code == "OPERATOR_FAILED"
    assert told in caught.value.message


def test_a_video_and_what_is_no_picture(media: RealMedia, models: dict[str, dict[str, str]], tmp_path: Path) -> None:
    assert run(media.film("h264"), models, "yolo")["count"] >= 0
    drawing = tmp_path / "drawing.svg"
    drawing.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    for path in (drawing, media.sound("flac"), media.paper("txt")):
        assert run_operator(Objects(model=models["yolo"]), path).state is State.SKIPPED


def test_broken_files(broken_files: list[Path], models: dict[str, dict[str, str]]) -> None:
    codes = []
    for path in broken_files:
        try:
            assert run_operator(Objects(model=models["yolo"]), path).state is State.SKIPPED
        except LoomError as error:
            codes.append(error.code)
    assert set(codes) <= {"FILE_TRUNCATED", "FILE_DAMAGED"}
    assert codes


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (640, 3)])
def test_strange_shapes(models: dict[str, dict[str, str]], tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "strange.png"
    Image.new("RGB", size, "red").save(path)
    for found in run(path, models, "yolo")["objects"]:
        assert all(0 <= part <= 1 for part in found["box"])


@pytest.mark.parametrize("options", [{}, {"model": "yolo"}, {"model": {"path": "a", "sha256": "0" * 64}}])
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Objects(**options)
