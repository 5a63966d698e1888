"""A source whose disk is away: said, and nothing of it is taken for deleted."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import Server, age

Cortex = Callable[..., Any]


def states(cortex: Cortex, *files: Path) -> dict[str, str]:
    """The state of each file's location, as `cortex show` tells."""
    found = {}
    for file in files:
        shown = cortex("show", file)
        assert shown.code == 0, shown.err
        (line,) = [line for line in shown.out.splitlines() if line.rstrip().endswith(str(file))]
        found[file.name] = next((word for word in ("unreachable", "missing") if word in line), "present")
    return found


def vanish(library: Path) -> Path:
    """What is left of a disk that is not mounted: an empty folder."""
    away = library.with_name("away")
    library.rename(away)
    library.mkdir()
    return away


@pytest.mark.slow
def test_a_folder_that_shows_nothing_is_unreachable_however_often(cortex: Cortex, library: Path) -> None:
    assert cortex("ingest", library, "--json").code == 3
    files = (library / "one.jpg", library / "words.txt")
    away = vanish(library)
    for _ in range(3):
        done = cortex("ingest", library, "--json")
        assert done.code == 4, done.err
        assert (done.summary["assets"]["seen"], done.summary["state"]) == (0, "FAILED")
        assert set(states(cortex, *files).values()) == {"unreachable"}
    (away / "words.txt").unlink()
    library.rmdir()
    away.rename(library)
    back = cortex("ingest", library, "--json")
    assert back.code == 0, back.err
    assert back.summary["assets"]["new"] == 0
    assert all(not counts["computed"] for counts in back.summary["nodes"].values())
    assert states(cortex, *files) == {"one.jpg": "present", "words.txt": "missing"}
    assert cortex("ingest", library, "--json").summary["assets"]["unchanged"] == 5


def test_the_others_are_ingested(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "first.txt").write_text("the first")
    assert cortex("ingest", library, other, "--json").code == 3
    (other / "second.txt").write_text("the second")
    vanish(library)
    done = cortex("ingest", library, other, "--json")
    assert done.code == 4
    assert done.summary["assets"]["new"] == 1
    said = cortex("ingest", library, other)
    assert said.code == 4
    assert str(library) in said.out + said.err, "which source it is, is said"


@pytest.mark.slow
def test_a_file_that_was_named_is_unreachable(cortex: Cortex, library: Path) -> None:
    file = library / "words.txt"
    assert cortex("ingest", file, "--json").code == 0
    kept = file.read_bytes()
    file.unlink()
    for _ in range(2):
        assert cortex("ingest", file, "--json").code == 4
        assert states(cortex, file) == {"words.txt": "unreachable"}
    file.write_bytes(kept)
    age(library)
    assert cortex("ingest", file, "--json").code == 0
    assert states(cortex, file) == {"words.txt": "present"}


def test_a_dry_run_says_so_and_marks_nothing(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library, "--json")
    vanish(library)
    assert cortex("ingest", library, "--dry-run", "--json").code == 4
    assert states(cortex, library / "one.jpg") == {"one.jpg": "present"}


@pytest.mark.slow
@pytest.mark.usefixtures("remote")
def test_through_a_server_as_well(cortex: Cortex, library: Path, server: Server) -> None:
    cortex("ingest", library, "--json")
    vanish(library)
    for _ in range(2):
        assert cortex("ingest", library, "--json").code == 4
    locations = [place for asset in server.get("/assets")["items"] for place in asset["locations"]]
    assert {place["state"] for place in locations} == {"unreachable"}


def test_files_deleted_while_others_stay_are_missing(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library, "--json")
    shutil.rmtree(library / "sub")
    os.remove(library / "two.png")
    assert cortex("ingest", library, "--json").code == 0
    files = (library / "two.png", library / "sub" / "tone.wav")
    assert set(states(cortex, *files).values()) == {"missing"}
