from __future__ import annotations

import pytest

from cortex.expression import evaluate, parse

VALUES = {
    "metadata": {
        "width": 1920,
        "ratio": 1.0,
        "codec": "png",
        "tags": ["a", 1, None],
        "gps": {"lat": 48.1},
        "flag": True,
        "zero": 0,
        "empty": [],
        "nothing": None,
    },
    "media": {"kind": "image", "size": 5_000_000},
}


def value(text: str) -> object:
    return evaluate(parse(text), lambda node, key: VALUES.get(node, {}).get(key))


@pytest.mark.parametrize(
    "text",
    [
        "metadata.width >= 1920 and media.kind == 'image'",
        "metadata.width < 1920.5",
        "metadata.ratio == 1",
        "metadata.codec in ['gif', 'png']",
        "metadata.codec not in ['gif']",
        "'a' in metadata.tags",
        "null in metadata.tags",
        "'n' in metadata.codec",
        "'lat' in metadata.gps",
        "metadata.gps.lat > 48",
        "metadata.flag",
        "metadata.flag == true",
        "not metadata.zero and not metadata.empty and not metadata.nothing",
        "media.size < 10MB",
        "'b' > 'a'",
        "metadata.absent == null and metadata.gps.absent == null and other.key == null",
        "metadata.codec.sub == null",
        "metadata.width != null",
    ],
)
def test_what_holds(text):
    assert value(text)


@pytest.mark.parametrize(
    "text",
    [
        "metadata.absent < 1",
        "metadata.absent >= 1",
        "metadata.absent >= metadata.absent",
        "1 > null",
        "metadata.codec > 1",
        "metadata.flag == 1",
        "metadata.flag > 0",
        "true in metadata.tags",
        "metadata.width == '1920'",
        "1 in metadata.codec",
        "'a' in metadata.absent",
        "1 in metadata.width",
        "metadata.tags < [1]",
        "media.kind == 'video' or metadata.width < 10",
    ],
)
def test_what_does_not_hold(text):
    assert not value(text)


def test_later_operands_are_not_looked_at_when_the_first_decides():
    looked = []
    evaluate(parse("a.x and b.x"), lambda node, key: looked.append(node))
    assert looked == ["a"]
