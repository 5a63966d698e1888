from __future__ import annotations

import io

import pytest

from cortex.sources.listed import CHUNK, read_list


@pytest.mark.parametrize(
    ("content", "paths"),
    [
        (b"", []),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\n\n b \nlast", [b"a", b" b ", b"last"]),
        (b"a\0b\nc\0", [b"a", b"b\nc"]),
        (b"\xff\xfe\n", [b"\xff\xfe"]),
    ],
)
def test_paths_are_separated_by_zero_bytes_or_lines(content, paths):
    assert list(read_list(io.BytesIO(content))) == paths


def test_long_lists_are_read_piece_by_piece():
    paths = [b"%06d" % number for number in range(CHUNK // 2)]
    file = io.BytesIO(b"\n".join(paths))
    read = read_list(file)
    assert next(read) == b"000000"
    assert file.tell() == CHUNK
    assert [b"000000", *read] == paths
