from collections.abc import Iterator
from pathlib import Path

import pytest
from ingests import MD5, SHA256, THUMBNAIL, definition, loom_in

from cortex.catalogue import load
from cortex.engine.scheme import Chosen, make_scheme
from cortex.ingesting.forecasting import planned
from cortex.request import Request
from loom.service.loom import LocalLoom
from loom.steering import AssetQuery


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        yield loom


def test_of_several_pipelines_each_is_asked_about_the_kinds_that_it_gets(loom: LocalLoom) -> None:
    asked: list[tuple[str, AssetQuery]] = []

    class Asking:
        def forecast(self, pipeline: str, query: AssetQuery, definition: object) -> object:
            assert definition is None, "they are stored"
            asked.append((pipeline, query))
            return loom.forecast(pipeline, query)

    chosen = [
        Chosen(definition("photos", THUMBNAIL, match={"kinds": ["image"]}), 1, matched=True),
        Chosen(definition("films", SHA256, match={"kinds": ["video"], "paths": ["**/films/**"]}), 1, matched=True),
        Chosen(definition("rest", MD5), 1, matched=True),
    ]
    for one in chosen:
        loom.save_pipeline(dict(one.definition))
    plans = planned(Asking(), make_scheme(chosen, load(), dry_run=True), Request())  # type: ignore[arg-type]
    assert [one.pipeline for one in plans] == ["photos", "films", "rest"]
    kinds = {name: [str(query.kind) for of, query in asked if of == name] for name in ("photos", "films", "rest")}
    assert kinds["photos"] == ["image"]
    assert kinds["films"] == ["video"]
    assert sorted(kinds["rest"]) == ["audio", "document", "other", "text", "video"], "not every film goes the other way"
    asked.clear()
    planned(Asking(), make_scheme(chosen[2:], load(), dry_run=True), Request())  # type: ignore[arg-type]
    assert [query for _, query in asked] == [AssetQuery()]
