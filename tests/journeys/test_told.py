"""What commands say, and what they leave alone: failures, versions, options that do not go together."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deedoperator import definition, install
from programs import CORTEX, Running, age, until

Cortex = Callable[..., Any]
HANDLING = """
schema_version: 1
name: handling
graph:
  nodes:
    - {id: files, operator: source.filesystem}
    - {id: thumbnail, operator: media.thumbnail}
    - {id: sha256, operator: hash.sha256}
    - {id: md5, operator: hash.md5}
  edges:
    - {from: {node: files}, to: {node: thumbnail}}
    - {from: {node: thumbnail}, to: {node: sha256}}
    - {from: {node: thumbnail}, to: {node: md5}, branch: ERROR}
"""


@pytest.fixture
def handling(tmp_path: Path) -> Path:
    file = tmp_path / "handling.yaml"
    file.write_text(HANDLING)
    return file


@pytest.fixture
def nope(tmp_path: Path) -> Path:
    """A pipeline for pictures with an operator that nobody has."""
    file = tmp_path / "nope.json"
    nodes = [{"id": "files", "operator": "source.filesystem"}, {"id": "strange", "operator": "hash.nope"}]
    edges = [{"from": {"node": "files"}, "to": {"node": "strange"}}]
    graph = {"nodes": nodes, "edges": edges}
    file.write_text(json.dumps({"name": "nope", "priority": 9, "match": {"kinds": ["image"]}, "graph": graph}))
    return file


@pytest.fixture
def texts(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A folder for texts, beside it `deeds.json`, a pipeline of an operator that does what they say."""
    environment["PYTHONPATH"] = install(tmp_path / "site")
    (tmp_path / "deeds.json").write_text(json.dumps(definition()))
    (tmp_path / "texts").mkdir()
    return tmp_path / "texts"


def test_failures_of_a_pipeline_from_a_file_can_be_tried_again(cortex: Cortex, library: Path, handling: Path) -> None:
    cortex("ingest", library, "--pipeline", handling)
    again = cortex("failures", "--retry", "--json")
    assert again.code == 3, again.err
    assert (again.summary["pipeline"], again.summary["nodes"]["thumbnail"]["failed"]) == ("handling", 1)
    assert "FILE_" in cortex("failures").out


def test_failures_stay_when_their_pipeline_cannot_be_used_any_more(
    cortex: Cortex, environment: dict[str, str], texts: Path
) -> None:
    (texts / "bad.txt").write_text("raise it")
    assert cortex("ingest", texts, "--pipeline", texts.parent / "deeds.json").code == 3
    del environment["PYTHONPATH"]
    assert cortex("failures", "--retry").code == 2
    assert "OPERATOR_FAILED at deed" in cortex("failures").out


def test_unchanged_files_that_failed_count_as_failed_before(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library)
    again = cortex("ingest", library, "--json")
    assets = again.summary["assets"]
    assert (again.code, assets["unchanged"], assets["failed_before"], assets["completed"]) == (0, 6, 1, 5)
    assert "1 failed before" in cortex("ingest", library).out
    shutil.copy(library / "two.png", library / "broken.jpg")
    age(library)
    cortex("ingest", library)
    assert cortex("ingest", library, "--json").summary["assets"]["failed_before"] == 0


@pytest.mark.slow
def test_failures_that_are_handled_are_shown_as_such(cortex: Cortex, library: Path, handling: Path) -> None:
    done = cortex("ingest", library, "--pipeline", handling, "--json", "--events")
    assert [line["handled"] for line in done.of("failure")] == [True]
    assert [event.get("handled") for event in done.of("event") if event["status"] == "FAILED"] == [True, None]
    again = cortex("ingest", library, "--pipeline", handling, "--json", "--events", "--rehash")
    assert [event["handled"] for event in again.of("event") if event.get("error")] == [True]
    assert [json.loads(line)["handled"] for line in cortex("failures", "--json").out.splitlines()] == [1]
    assert ", handled" in cortex("failures").out
    assert "FAILED, handled" in cortex("show", library / "broken.jpg").out


def test_a_stored_failure_is_told_with_its_error(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library)
    again = cortex("ingest", library, "--rehash", "--json", "--events")
    (told,) = [event for event in again.of("event") if event["type"] == "node" and event["error"]]
    assert (told["status"], told["reason"], told["verdict"], told["node"]) == ("SKIPPED", "STORED", None, "thumbnail")
    assert told["error"]["code"].startswith("FILE_")


def test_a_second_copy_is_told_with_how_its_nodes_ended(cortex: Cortex, library: Path) -> None:
    done = cortex("ingest", library, "--json", "--events")
    assets = [event for event in done.of("event") if event["type"] == "asset"]
    (copy,) = [event for event in assets if event["status"] == "SKIPPED"]
    (walked,) = [event for event in assets if event["asset"] == copy["asset"] and event["status"] != "SKIPPED"]
    assert copy["nodes"] == walked["nodes"]
    assert copy["nodes"]["thumbnail"]["state"] == "COMPLETED"


@pytest.mark.slow
def test_one_bad_pipeline_does_not_keep_others_from_working(cortex: Cortex, library: Path, nope: Path) -> None:
    refused = cortex("pipeline", "push", nope)
    assert (refused.code, "OPERATOR_UNKNOWN" in refused.err) == (2, True)
    assert "nope" not in cortex("pipeline", "list").out
    assert cortex("pipeline", "push", nope, "--force").code == 0
    done = cortex("ingest", library, "--json")
    assert done.code == 3, done.err
    assert done.err.count("'nope' cannot be used here and is left out: error OPERATOR_UNKNOWN") == 1
    assert done.summary["pipeline"] == "ingest"
    assert cortex("ingest", library, "--pipeline", "nope").code == 2


def test_offline_tells_of_no_paths_and_gives_no_advice_that_fails(
    cortex: Cortex, library: Path, handling: Path
) -> None:
    offline = ("ingest", library, "--offline", "--pipeline", handling)
    first = cortex(*offline)
    assert "cortex failures" not in first.err + first.out
    assert cortex(*offline, "--json").summary["assets"]["moved"] == 0


@pytest.mark.parametrize(
    "options", [("--offline", "--loom", "http://127.0.0.1:1"), ("--offline", "--serve"), ("--events",)]
)
def test_options_that_contradict_each_other(cortex: Cortex, library: Path, options: tuple[str, ...]) -> None:
    done = cortex("ingest", library, *options)
    assert (done.code, "USAGE" in done.err) == (2, True)


def test_a_pushed_file_has_the_number_under_which_it_ran(cortex: Cortex, library: Path, handling: Path) -> None:
    ran = cortex("ingest", library, "--pipeline", handling, "--json").summary
    assert ran["version"] == 1
    assert "stored as version 1" in cortex("pipeline", "push", handling).out


def test_show_names_the_newest_version(cortex: Cortex, library: Path, handling: Path) -> None:
    cortex("pipeline", "push", handling)
    for size in (100, 200):
        handling.write_text(HANDLING.replace("media.thumbnail", f"media.thumbnail, config: {{size: {size}}}"))
        cortex("pipeline", "push", handling)
    assert "version 3 of 3" in cortex("pipeline", "show", "handling").out
    assert "version 1 of 3" in cortex("pipeline", "show", "handling", "--version", "1").out


def test_nothing_there_is_said(cortex: Cortex, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no file was found" in cortex("ingest", tmp_path / "empty").out
    away = cortex("ingest", tmp_path / "nosuch", "--json")
    assert (away.code, away.summary["unreachable"]) == (4, [str(tmp_path / "nosuch")])
    assert "1 source could not be read" in cortex("ingest", tmp_path / "nosuch").out


def test_json_ends_with_a_summary_also_after_an_error(cortex: Cortex, library: Path) -> None:
    unknown = cortex("ingest", library, "--pipeline", "unknown", "--json")
    assert [line["message_type"] for line in unknown.lines] == ["error", "summary"]
    assert unknown.summary["state"] == "FAILED"
    usage = cortex("ingest", library, "--json", "--jobs", "0")
    assert (usage.code, usage.error["code"], usage.error["exit_code"]) == (2, "USAGE", 2)
    setting = cortex("ingest", library, "--json", env={"CORTEX_MEMORY_LIMIT": "1"})
    assert (setting.code, setting.error["code"]) == (2, "CONFIG_INVALID")


def test_an_early_interrupt_says_how_to_go_on(environment: dict[str, str], library: Path, tmp_path: Path) -> None:
    """Before the ingest itself listens to signals."""
    wait = "import time, cortex.app\ncortex.app.ingest_paths = lambda _: (print('begun', flush=True), time.sleep(60))\n"
    command = (CORTEX[0], "-c", f"{wait}from cortex.cli import main\nmain()")
    running = Running(command, "ingest", library, env=environment, folder=tmp_path)
    until(lambda: "begun" in running.out)
    running.signal(signal.SIGINT)
    done = running.wait()
    assert done.code == 130
    assert "go on with: cortex ingest" in done.err


@pytest.mark.slow
def test_what_operators_say_is_heard_when_asked_for(cortex: Cortex, texts: Path) -> None:
    (texts / "talk.txt").write_text("say it")
    command = ("ingest", texts, "--pipeline", texts.parent / "deeds.json", "--recompute", "all")
    assert "spoken" not in cortex(*command).err
    loud = cortex(*command, "-v")
    assert "INFO cortex.node.deed" in loud.err
    assert "spoken" in loud.err
    very = cortex("-vv", *command, env={"LOOM_DATA_DIR": str(texts.parent / "new")}).err
    assert "spoken" in very
    assert "alembic" not in very
    assert "Rx:" not in very


@pytest.mark.slow
def test_what_an_operator_knows_is_stored(cortex: Cortex, texts: Path) -> None:
    (texts / "a.txt").write_text("known from elsewhere")
    age(texts)
    command = ("ingest", texts, "--pipeline", texts.parent / "deeds.json", "--json", "--events")
    done = cortex(*command)
    assert done.summary["nodes"]["deed"]["cached"] == 1
    told = [event["status"] for event in done.of("event") if event["type"] == "node" and event["node"] == "deed"]
    assert told == ["SKIPPED"]
    shown = json.loads(cortex("show", texts / "a.txt", "--json").out)
    assert {"length": 7} in [result["outputs"] for result in shown["results"]]
    assert cortex(*command).summary["assets"]["unchanged"] == 1
