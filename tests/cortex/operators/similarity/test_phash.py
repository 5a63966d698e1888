from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageOps
from realmedia import RealMedia

from cortex.media import Media
from cortex.media.wants import Wants
from cortex.node import NodeContext
from cortex.operators.similarity.phash import PerceptualHash
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State
from loom.verbs.library import FINGERPRINTS

PICTURES = ("astronaut", "chelsea", "coffee", "rocket")


def _apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _hash(picture: Image.Image, path: Path, key: str = "phash") -> str:
    picture.save(path, quality=70)
    found = run_operator(PerceptualHash(), path).outputs[key]
    assert isinstance(found, str)
    return found


CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], int]] = {
    "smaller": (lambda picture: picture.resize((picture.width // 3, picture.height // 3)), 4),
    "squeezed": (lambda picture: picture.resize((300, 300)), 4),
    "black and white": (lambda picture: picture.convert("L"), 4),
    "more contrast": (lambda picture: ImageEnhance.Contrast(picture).enhance(1.3), 8),
    "brighter": (lambda picture: ImageEnhance.Brightness(picture).enhance(1.15), 8),
    "cropped by a fiftieth": (lambda p: ImageOps.crop(p, max(p.size) // 100), 10),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", PICTURES)
def test_copies_are_near(media: RealMedia, tmp_path: Path, name: str, change: str) -> None:
    make, most = CHANGES[change]
    original = run_operator(PerceptualHash(), media.images[name]).outputs
    assert len(original["phash"]) == 16
    assert original["quality"] >= 25
    assert _apart(original["phash"], _hash(make(media.picture(name)), tmp_path / "copy.jpg")) <= most


def test_different_pictures_are_far_apart(media: RealMedia) -> None:
    hashes = [run_operator(PerceptualHash(), media.images[name]).outputs["phash"] for name in PICTURES]
    assert min(_apart(a, b) for at, a in enumerate(hashes) for b in hashes[:at]) >= 18


@pytest.mark.parametrize("name", PICTURES)
def test_mirrored_copies_are_known_by_the_other_hash(media: RealMedia, tmp_path: Path, name: str) -> None:
    original = run_operator(PerceptualHash(), media.images[name]).outputs
    mirrored = ImageOps.mirror(media.picture(name))
    assert _apart(original["mirrored"], _hash(mirrored, tmp_path / "mirrored.jpg")) <= 4
    assert _apart(original["phash"], _hash(mirrored, tmp_path / "mirrored.jpg", "mirrored")) <= 4
    assert _apart(original["phash"], original["mirrored"]) > 16


def test_the_camera_turns_it_and_the_hash_does_not(media: RealMedia) -> None:
    hashes = {run_operator(PerceptualHash(), media.photo(orientation=o)).outputs["phash"] for o in (1, 3, 6, 8)}
    assert max(_apart(a, b) for a in hashes for b in hashes) <= 2


@pytest.mark.parametrize("side", [256, 512, 1024])
def test_it_is_the_same_whatever_size_others_ask_for(media: RealMedia, side: int) -> None:
    path, node = media.photo(size=(2400, 1600)), PerceptualHash()
    context = NodeContext(node.id, {})
    with Media.open_path(bytes(path), Wants(image_side=side)) as opened:
        opened.image(side)
        node.compute(context, opened)
    assert _apart(context.outputs["phash"], run_operator(node, path).outputs["phash"]) <= 2


def test_it_asks_for_one_small_picture() -> None:
    assert PerceptualHash().wants() == Wants(image_side=128)


@pytest.mark.parametrize("colour", [(0, 0, 0), (200, 30, 90), (255, 255, 255)])
def test_a_picture_of_one_colour_says_nothing(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    Image.new("RGB", (400, 300), colour).save(tmp_path / "flat.png")
    outputs = run_operator(PerceptualHash(), tmp_path / "flat.png").outputs
    assert outputs == {"phash": "0" * 16, "mirrored": "0" * 16, "quality": 0}
    assert FINGERPRINTS["image.phash"].values(outputs) == []


def test_a_picture_of_hardly_anything_is_not_compared(tmp_path: Path) -> None:
    for number, sky in enumerate((Image.linear_gradient("L"), Image.radial_gradient("L"))):
        sky.save(tmp_path / f"{number}.png")
        outputs = run_operator(PerceptualHash(), tmp_path / f"{number}.png").outputs
        assert outputs["quality"] < 10
        assert FINGERPRINTS["image.phash"].values(outputs) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (3, 2), (2000, 20)])
def test_any_shape_has_a_hash(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.effect_noise(size, 80).save(tmp_path / "odd.png")
    assert len(run_operator(PerceptualHash(), tmp_path / "odd.png").outputs["phash"]) == 16


def test_what_is_no_picture_is_left_and_what_is_broken_refused(
    media: RealMedia, broken_files: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    others = (media.paper("pdf"), media.film("h264"), tmp_path / "drawing.svg")
    assert [run_operator(PerceptualHash(), path).state for path in others] == [State.SKIPPED] * 3
    short = next(path for path in broken_files if path.name == "short.jpg")
    with pytest.raises(LoomError) as refused:
        run_operator(PerceptualHash(), short)
    assert refused.value.code in ("FILE_TRUNCATED", "FILE_DAMAGED")
    (tmp_path / "cut.png").write_bytes(media.images["chelsea"].read_bytes()[:2000])
    with pytest.raises(LoomError) as refused:
        run_operator(PerceptualHash(), tmp_path / "cut.png")
    assert refused.value.code in ("FILE_TRUNCATED", "FILE_DAMAGED")
