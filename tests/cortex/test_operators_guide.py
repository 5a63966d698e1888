"""The guide for authors of operators says what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from cortex.contract import describe
from cortex.node import MediaNode
from cortex.testing import run_operator

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operators.md").read_text()


@pytest.fixture
def blocks() -> dict[str, str]:
    """The first code block of each language."""
    found = re.findall(r"```(\w+)\n(.*?)```", GUIDE, re.DOTALL)
    return dict(reversed(found))


def test_every_operator_of_the_product_is_listed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for operator in project["entry-points"]["cortex.operators"]:
        assert f"`{operator}`" in GUIDE


def test_everything_that_a_class_may_say_or_override_is_listed():
    names = [name for name, value in vars(MediaNode).items() if not name.startswith("_") and callable(value)]
    annotated = [name for name in MediaNode.__annotations__ if name != "options"]
    missing = [name for name in names + annotated if not re.search(rf"`{name}[`(]", GUIDE)]
    assert missing == []


def test_the_first_operator_works(blocks, tmp_path):
    written = tomllib.loads(blocks["toml"])["project"]["entry-points"]["cortex.operators"]
    module = {"__name__": "word_count"}
    exec(blocks["python"], module)
    word_count = module["WordCount"]
    assert written == {describe("example.word-count", word_count).id: "word_count:WordCount"}
    letter = tmp_path / "letter.txt"
    letter.write_text("a bc def ghij")
    assert run_operator(word_count(min_length=3), letter).outputs == {"words": 2}
