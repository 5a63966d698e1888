from __future__ import annotations

import pytest
from realmedia import RealMedia

from cortex.media.isobox import Box, ReadAt, boxes, is_cut, rotations


def _reader(data: bytes) -> ReadAt:
    return lambda at, count: data[at : at + count]


def test_boxes_of_every_form_of_length() -> None:
    data = b"\0\0\0\x0cfreeabcd" + b"\0\0\0\1mdat\0\0\0\0\0\0\0\x12xy" + b"\0\0\0\0moovrest"
    found = list(boxes(_reader(data), 0, len(data)))
    assert found == [Box(b"free", 8, 12), Box(b"mdat", 28, 30), Box(b"moov", 38, 42)]


@pytest.mark.parametrize("data", [b"", b"\0\0\0\4free", b"\0\0\0\1mdat" + bytes(8), b"\xff"])
def test_what_is_no_box_ends_the_list(data: bytes) -> None:
    assert list(boxes(_reader(data), 0, len(data))) == []


def test_a_cut_file_is_noticed(media: RealMedia) -> None:
    data = media.film("h264").read_bytes()
    assert not is_cut(_reader(data), len(data))
    assert is_cut(_reader(data[:-1]), len(data) - 1)
    assert is_cut(_reader(data[:-100]), len(data) - 100)


def test_rotation_of_each_video_track(media: RealMedia) -> None:
    for name, turned in (("h264-turned", [90]), ("h264", [0])):
        data = media.film(name).read_bytes()
        assert rotations(_reader(data), len(data)) == turned
