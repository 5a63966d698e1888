"""docs/api.md keeps its word: what the API, the bus and Cortex's lines have stands in it, and its program works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ledgers import begin

from cortex.engine.summary import nothing_done, shown_writes
from cortex.engine.tally import WouldWrite
from cortex.engine.telling import Failure, Status
from loom.api.app import create_app
from loom.api.runtime import LiveShape
from loom.bus import frames
from loom.bus.hub import Hub
from loom.errors import CODES
from loom.events import AssetEvent, RunHead
from loom.graph.specs import Catalogue
from loom.model import AssetCounts, NodeCounts
from loom.people import AlikeShape, FaceShape, PersonShape
from loom.problems import FailureShape, NewestShape, ProblemShape
from loom.processes import ProcessEvent, ProcessPipelineShape, ProcessReader, ProcessStream, ProcessTask
from loom.service import LocalLoom
from loom.shapes import (
    AssetShape,
    LocationShape,
    NodeFlow,
    PauseShape,
    PipelineShape,
    ResultShape,
    RunShape,
    WorkerShape,
)
from loom.sources import SourceShape
from loom.wire.shapes import SelectionWire

SHAPES: dict[str, tuple[type, ...]] = {
    "asset": (AssetShape,),
    "location": (LocationShape,),
    "result": (ResultShape,),
    "run": (RunShape,),
    "pause": (PauseShape,),
    "`assets` of a run": (AssetCounts,),
    "`nodes` of a run": (NodeCounts,),
    "flow of a node": (NodeFlow,),
    "failures of one cause": (FailureShape, NewestShape),
    "problem of a run": (ProblemShape,),
    "pipeline": (PipelineShape,),
    "person": (PersonShape,),
    "face": (FaceShape,),
    "what is alike": (AlikeShape,),
    "source": (SourceShape,),
    "worker": (WorkerShape,),
    "process pipeline": (ProcessPipelineShape,),
    "task of a process pipeline": (ProcessTask,),
    "stream of a process pipeline": (ProcessStream,),
    "reader of a stream": (ProcessReader,),
    "event of a process pipeline": (ProcessEvent,),
    "a run that goes on": (LiveShape,),
    "`hello`": (frames.HelloFrame,),
    "`node`": (frames.NodeFrame, frames.ErrorFrame),
    "`asset`": (frames.AssetFrame, frames.NodeOutcome),
    "`run`": (frames.RunFrame,),
    "`duplicate`": (frames.DuplicateFrame,),
    "`action`": (frames.ActionFrame,),
    "`progress`": (frames.ProgressFrame,),
    "`gap`": (frames.GapFrame,),
}
LINES = {
    "`status`": {*Status._fields},
    "`failure`": {*Failure._fields},
    "`note`": {"about", "message"},
    "`error`": {"code", "message", "exit_code"},
    "`summary`": {*nothing_done(), *shown_writes(WouldWrite())},
}


@pytest.fixture(scope="module")
def guide() -> str:
    return (Path(__file__).parents[3] / "docs/api.md").read_text(encoding="utf-8")


def rows(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            first, _, rest = line.strip("| ").partition(" | ")
            yield first, rest


def words(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_0-9]+)`", text))


def test_every_address_stands_in_it_and_no_other(guide: str, loom: LocalLoom) -> None:
    paths: dict[str, dict[str, Any]] = create_app(loom, Hub(), Catalogue(), token="x").openapi()["paths"]
    offered = {
        f"{method.upper()} {path.removeprefix('/api/v1')}" for path, methods in paths.items() for method in methods
    }
    told = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`\s]*)`", guide.partition("\n## Shapes")[0]))
    assert offered - told == set()
    assert told - offered == set()


@pytest.mark.parametrize("name", SHAPES)
def test_every_field_of_a_shape_stands_in_its_row(guide: str, name: str) -> None:
    fields = {field.encode_name for shape in SHAPES[name] for field in msgspec.structs.fields(shape)}
    told = [words(rest) for first, rest in rows(guide.partition("\n## Shapes")[2]) if first == name]
    assert any(fields <= one for one in told), f"{name}: {min((fields - one for one in told), key=len)}"


@pytest.mark.parametrize("name", LINES)
def test_every_field_of_a_line_stands_in_its_row(guide: str, name: str) -> None:
    (told,) = [words(rest) for first, rest in rows(guide.partition("\n## JSON lines")[2]) if first == name]
    assert LINES[name] - told == set()


def test_every_field_of_a_selection_stands_in_it(guide: str) -> None:
    found = re.search(r"A \*selection\* is `\{(.*?)\}`", guide)
    assert found is not None
    assert set(found[1].split(", ")) == set(SelectionWire.__struct_fields__)


def test_every_code_stands_in_it_with_what_it_means(guide: str) -> None:
    told = dict(rows(guide.partition("\n## Codes")[2]))
    del told["code"]
    assert told == {
        f"`{code}`": f"{row.http} | {row.exit} | {'yes' if row.retryable else ''} | {row.sentence}"
        for code, row in CODES.items()
    }


def test_its_program_hears_what_is_told(guide: str, server: Any, token: str, hub: Hub, loom: LocalLoom) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    run = RunHead(begin(loom), "photos", False)
    hub.publish(run, [AssetEvent(1, bytes(32), "COMPLETED", ()), AssetEvent(1, b"a" * 32, "FAILED", ())])
    environment = {"PATH": os.environ["PATH"], "LOOM_URL": server.url, "LOOM_TOKEN": token}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True) as heard:
        assert heard.stdout is not None
        lines = [heard.stdout.readline().split() for _ in range(3)]
        heard.kill()
    assert [(line[0], line[2]) for line in lines] == [("hello", "None"), ("asset", "COMPLETED"), ("asset", "FAILED")]
