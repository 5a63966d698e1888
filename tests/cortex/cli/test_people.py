"""`cortex people` names, joins and splits whom Loom knows."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from ingests import loom_in
from ledgers import begin, digest, found, report

from cortex.cli import people as cli
from cortex.cli.looking import show as show_asset
from loom.errors import LoomError
from loom.model import Branch, State, StepRef, StoredResult, asset_uuid

WHO = StepRef("who", "vision.face-embedding", "2", digest("step who"))
FACES = {"a": [[1.0, 0.0]], "b": [[1.0, 0.1]], "c": [[0.0, 1.0], [1.0, 0.2]]}


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Somebody with three faces, and somebody with one."""
    with loom_in(tmp_path / "data") as loom:
        run = begin(loom, steps=(WHO,))
        for name, vectors in FACES.items():
            outputs = json.dumps({"vector": vectors, "model": ["m"] * len(vectors)}).encode()
            given = StoredResult(WHO.signature, State.COMPLETED, Branch.PASS, outputs)
            loom.report(run, [report(name, found(b"/data/" + name.encode()), results=[given])])
            loom.sort_faces(digest(name), "m", vectors, 0.5)
        people = [one.uuid for one in loom.people().items]
    monkeypatch.setenv("LOOM_DATA_DIR", str(tmp_path / "data"))
    return people


def test_people_are_named_joined_and_split(known: list[UUID], capsys: pytest.CaptureFixture[str]) -> None:
    anna, ben = known

    def said(_: int) -> list[str]:
        return capsys.readouterr().out.splitlines()

    assert said(cli.list_()) == [f"{anna}      3 faces      3 assets", f"{ben}      1 face       1 asset"]
    assert said(cli.name(str(anna), "Anna")) == [f"{anna}      3 faces      3 assets  Anna"]
    _, *faces = said(cli.show("anna"))
    c = asset_uuid(digest("c"))
    assert [line.split() for line in faces][2] == [f"{c}/2", "/data/c"]
    shown = said(show_asset(str(c)))
    assert [line for line in shown if line.startswith("face")] == [f"face 1  {ben}", f"face 2  {anna}  Anna"]
    assert said(cli.merge("Anna", [str(ben)]))[0].split()[:3] == [str(anna), "4", "faces"]
    (split,) = said(cli.split("Anna", [faces[0].split()[0], f"{c}/1"]))
    assert split.split()[1:] == ["2", "faces", "2", "assets"]
    assert [line.split()[0] for line in said(cli.list_())] == [str(anna), split.split()[0]]
    cli.name(split.split()[0], "Anna")
    with pytest.raises(LoomError, match="several people are called Anna"):
        cli.show("Anna")
    assert said(cli.name(str(anna), ""))[-1].endswith("assets")
    (told, *_) = [json.loads(line) for line in said(cli.show(str(anna), json=True))]
    assert told["name"] is None


def test_who_and_which_face_must_be_known(known: list[UUID]) -> None:
    for wrong, code in (
        (lambda: cli.show("Otto"), "NOT_FOUND"),
        (lambda: cli.show(str(UUID(int=1))), "NOT_FOUND"),
        (lambda: cli.split(str(known[0]), ["x/1"]), "USAGE"),
        (lambda: cli.split(str(known[0]), [f"{asset_uuid(digest('a'))}/x"]), "USAGE"),
    ):
        with pytest.raises(LoomError) as refused:
            wrong()
        assert refused.value.code == code


def test_without_people_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOOM_DATA_DIR", str(tmp_path))
    assert cli.list_() == 0
    assert capsys.readouterr().out == "no people\n"
