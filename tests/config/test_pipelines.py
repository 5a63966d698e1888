"""The pipelines that ship: each is valid without any extra, runs on real media, and can be stored."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingests import Story, carry_out, loom_in
from programs import age
from realmedia import RealMedia

from cortex.catalogue import load
from loom.graph.compiler import Compiled, compile_definition
from loom.graph.definition import loads
from loom.local import DEFAULT_PIPELINE
from loom.service.loom import LocalLoom
from loom.settings import shipped
from loom.steering import AssetQuery

NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "config/pipelines").glob("*.yaml"))
MODELS = {"captions", "enrichment"}
"""These ask a server, which has tests of its own."""
NEW = {"photographers", "films", "sound", "documents"}
DAMAGED = {
    "photographers": "damaged pictures",
    "films": "damaged films",
    "sound": "damaged recordings",
    "documents": "damaged documents",
}


def document(name: str) -> dict[str, Any]:
    read: dict[str, Any] = loads(shipped(f"pipelines/{name}.yaml"), "yaml").document()
    return read


def compiled(name: str) -> Compiled:
    return compile_definition(document(name), load(), lacking="error")


@pytest.fixture
def base_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """No package of any extra can be imported."""
    catalogue = load()
    for operator in catalogue.ids():
        spec = catalogue.spec(operator)
        assert spec is not None, catalogue.why_unknown(operator)
        for needed in spec.requires:
            if needed.kind == "package":
                monkeypatch.setitem(sys.modules, needed.name, None)


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "loom") as there:
        yield there


@pytest.mark.parametrize("name", NAMES)
def test_each_is_called_as_its_file(name: str) -> None:
    assert {*NEW, *MODELS, "duplicates", "ingest", "photos"} == set(NAMES)
    assert document(name)["name"] == name


@pytest.mark.parametrize("name", NAMES)
def test_each_is_told_of_where_people_look_for_it(project: Path, name: str) -> None:
    assert f"config/pipelines/{name}.yaml" in (project / "docs/definitions.md").read_text()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("base_install")
def test_each_is_valid_without_any_extra_and_says_at_most_what_more_could_be_read(name: str) -> None:
    found = compiled(name)
    if name == "enrichment":
        assert "pip install 'loom-cortex[documents,language]'" in shipped(f"pipelines/{name}.yaml")
        assert {(one.level, one.node) for one in found.diagnostics} == {("error", "language"), ("warning", "extract")}
        return
    assert found.plan is not None, found.diagnostics
    said = {(one.level, one.code, one.node) for one in found.diagnostics}
    expected = {"text", "members"} if name == "documents" else set()
    assert said == {("warning", "REQUIREMENT_MISSING", node) for node in expected}
    assert all("pip install 'loom-cortex[" in one.message for one in found.diagnostics)


@pytest.mark.parametrize("name", sorted(NEW))
def test_what_is_switched_off_says_what_to_install_and_works_when_it_is_on(name: str) -> None:
    switched = [node for node in document(name)["graph"]["nodes"] if node.get("enabled") is False]
    assert switched
    for node in switched:
        spec = load().spec(node["operator"])
        assert spec is not None
        for extra in {needed.extra for needed in spec.requires if needed.extra}:
            line = next(line for line in shipped(f"pipelines/{name}.yaml").splitlines() if f"[{extra}]" in line)
            assert line.lstrip().startswith("#")
        config, problems = load().normalise(node["operator"], node.get("config", {}))
        assert (bool(config), problems) == (True, ())


def test_only_one_is_for_files_that_nobody_chose_it_for(loom: LocalLoom) -> None:
    assert [pipeline.name for pipeline in loom.pipelines().items] == [DEFAULT_PIPELINE]


def _files(name: str, media: RealMedia) -> list[Path]:
    if name == "photographers":
        return [media.photo(), media.photo("rocket", orientation=6), media.images["chelsea"]]
    if name == "films":
        return [media.film("h264"), media.film("vp9")]
    if name == "sound":
        return [media.sound("flac"), media.sound("mp3")]
    return [media.paper(paper) for paper in ("txt", "pdf", "docx", "odt", "html")]


@pytest.fixture
def folder(request: pytest.FixtureRequest, media: RealMedia, tmp_path: Path) -> Path:
    """Files for a pipeline, and one of them that breaks off."""
    made = tmp_path / "files"
    made.mkdir()
    for path in _files(request.param, media):
        shutil.copy(path, made)
    whole = _files(request.param, media)[-1 if request.param != "documents" else 2]
    data = whole.read_bytes()
    (made / f"broken{whole.suffix}").write_bytes(data[: len(data) * 2 // 3])
    age(made)
    return made


@pytest.mark.parametrize(
    ("folder", "name"),
    [pytest.param(name, name, marks=() if name == "photographers" else pytest.mark.slow) for name in sorted(NEW)],
    indirect=["folder"],
)
def test_each_runs_on_real_files_and_lists_the_damaged_one(loom: LocalLoom, folder: Path, name: str) -> None:
    whole = len(list(folder.iterdir())) - 1
    dry = carry_out(loom, folder, document(name), dry_run=True)
    assert dry.summary["assets"]["seen"] == whole + 1
    assert dry.summary["would_write"]["results"] > 0
    story = carry_out(loom, folder, document(name))
    assert story.assets["seen"] == whole + 1
    off = {node["id"] for node in document(name)["graph"]["nodes"] if node.get("enabled") is False}
    _check_nodes(story, off)
    listed = loom.assets(AssetQuery(collection=DAMAGED[name])).items
    assert [Path(place.path).stem for asset in listed for place in asset.locations] == ["broken"]
    stored = loom.save_pipeline(document(name))
    assert (stored.name, stored.version) == (name, 1)


def _check_nodes(story: Story, off: set[str]) -> None:
    idle = {node for node, counts in story.summary["nodes"].items() if not counts["computed"] and not counts["failed"]}
    assert idle - off <= {"files", "blurred", "members", "unread", "tags"}
    assert off <= idle
