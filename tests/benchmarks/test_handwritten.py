"""The script that the photo benchmark measures against does the same work as the product."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from realmedia import RealMedia

from cortex.operators import Metadata, Sha256, Thumbnail
from cortex.testing import run_operator


@pytest.fixture(scope="module")
def handwritten(project: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("handwritten", project / "benchmarks" / "handwritten.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("orientation", [1, 6])
def test_checksum_thumbnail_and_metadata_are_those_of_the_product(
    handwritten: ModuleType, media: RealMedia, tmp_path: Path, orientation: int
) -> None:
    photo = media.photo("rocket", orientation=orientation, plain=True)
    _, size, _, _, sha256, metadata, name = handwritten.work(str(photo), str(tmp_path))
    assert size == photo.stat().st_size
    assert run_operator(Sha256(), photo).outputs["sha256"] == sha256
    thumbnail = run_operator(Thumbnail(size=512), photo).artifact("thumbnail").data
    assert (tmp_path / f"{name}.webp").read_bytes() == thumbnail
    own: dict[str, Any] = {key: value for key, value in json.loads(metadata).items() if key != "raw"}
    product = run_operator(Metadata(), photo).outputs
    assert {key: product.get(key) for key in own} == own
    assert set(product) - {"raw", "raw_truncated"} == set(own)
    assert len(json.loads(metadata)["raw"]["exif"]) >= len(product["raw"]["exif"])
