from __future__ import annotations

import os
from pathlib import Path

import pytest
from ingests import loom_in
from pydantic import ValidationError

from cortex.operators.sources.listed import ListSource
from loom.errors import LoomError


@pytest.fixture
def tree(tmp_path: Path, real_image: Path) -> Path:
    for name in ("a.jpg", ".hidden.jpg", "more/b.jpg", "more/c.jpg", "unlisted.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(real_image.read_bytes())
    return tmp_path


def found(source: ListSource, *roots: Path, loom=None):
    scan = source.open_scan([os.fsencode(root) for root in roots], loom=loom, host="here", plan=b"\1" * 32)
    return [os.fsdecode(one.path) for one in scan], scan


@pytest.mark.parametrize("separator", ["\n", "\0"])
def test_the_files_of_a_list(tree: Path, separator: str) -> None:
    (tree / "list").write_text(separator.join(["more", "a.jpg", str(tree / ".hidden.jpg"), "gone.jpg"]))
    paths, scan = found(ListSource(list=str(tree / "list")))
    assert sorted(paths) == sorted(str(tree / name) for name in (".hidden.jpg", "a.jpg", "more/b.jpg", "more/c.jpg"))
    assert [(os.fsdecode(path), code) for path, code, _ in scan.unreadable] == [
        (str(tree / "gone.jpg"), "FILE_VANISHED")
    ]


def test_paths_below_another_folder_and_given_ones(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("b.jpg\n")
    source = ListSource(list=str(tmp_path / "list"), below=str(tree / "more"))
    assert found(source, tree / "a.jpg")[0] == [str(tree / "a.jpg"), str(tree / "more/b.jpg")]


def test_a_file_that_has_left_the_list_is_not_gone(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("a.jpg\nmore/b.jpg\n")
    source = ListSource(list=str(tmp_path / "list"))
    with loom_in(tmp_path / "loom") as loom:
        found(source, loom=loom)
        (tmp_path / "list").write_text("a.jpg\n")
        paths, scan = found(source, loom=loom)
    assert (paths, scan.missing) == ([str(tree / "a.jpg")], 0)


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LoomError) as caught:
        found(ListSource(list=str(tmp_path / "nowhere")))
    assert (caught.value.code, caught.value.exit_code) == ("SOURCE_UNREACHABLE", 4)


@pytest.mark.parametrize("options", [{}, {"list": "today.txt"}, {"list": "/a", "below": "b"}, {"list": "https://a/b"}])
def test_options_that_mean_nothing(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ListSource(**options)
