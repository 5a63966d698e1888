"""The models in real worker processes, which can open no socket, start no program and write nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ingests import carry_out, definition, loom_in
from networks import detector, embedder
from realmedia import RealMedia

from cortex.operators.vision.ocr_tesseract import data_folder, requirement
from cortex.requirements import missing

pytest.importorskip("onnxruntime", reason="pip install 'loom-cortex[vision]'")
pytest.importorskip("tesserocr", reason="pip install 'loom-cortex[ocr]'")


@pytest.mark.slow
def test_models_work_in_a_worker_that_may_do_nothing_but_read(media: RealMedia, tmp_path: Path) -> None:
    if missing([requirement(data_folder(None), "eng")]):
        pytest.skip("needs the system package tesseract-ocr-eng")
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("astronaut", "page"):
        shutil.copy(media.images[name], folder)
    pipeline = definition(
        "see",
        {"id": "faces", "operator": "vision.faces"},
        {"id": "who", "operator": "vision.face-embedding", "config": {"model": embedder(tmp_path / "embed.onnx")}},
        {"id": "what", "operator": "vision.objects", "config": {"model": detector(tmp_path / "boxes.onnx", "yolo")}},
        {"id": "nsfw", "operator": "vision.nsfw"},
        {"id": "ocr", "operator": "vision.ocr"},
    )
    with loom_in(tmp_path / "loom") as loom:
        story = carry_out(loom, folder, pipeline, jobs=2)
        assert story.heard.failures == []
        for node in ("faces", "who", "what", "nsfw", "ocr"):
            assert story.nodes(node) == {"computed": 2}, node
        told = [loom.asset_results(asset.uuid) for asset in loom.assets().items]
        faces = {result.outputs["count"] for results in told for result in results if result.node == "faces"}
        assert faces == {0, 1}
