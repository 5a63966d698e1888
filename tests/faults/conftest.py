"""A folder of texts, one of which is waited at; programs that can be stopped there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from deedoperator import definition, install
from gates import Gate
from programs import CORTEX, Done, Running, Server, age, environment, tables

from loom.local import look_at_loom
from loom.settings import LoomSettings

FILES = 800
MIDDLE = 200


class Bench:
    """What a fault is tried on: `folder` has `FILES` texts, `pipeline` stops at the one in the middle while the gate
    stands."""

    _undisturbed: ClassVar[dict[object, list[list[Any]]]] = {}

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = place / "texts"
        self.folder.mkdir(parents=True)
        for number in range(FILES):
            word = "wait" if number == MIDDLE else "text"
            (self.folder / f"{number:03}.txt").write_text(f"{word} number {number}\n")
        age(self.folder)
        self.gate = Gate(place / "gate")
        self.file = place / "deeds.json"
        self.pipeline: Path | str = self.file
        self.file.write_text(json.dumps(definition(config={"gate": str(self.gate.path)})))
        self.env = environment(place, CORTEX_JOBS="1", PYTHONPATH=install(place / "site"))
        self.started: list[Running] = []

    @property
    def data(self) -> Path:
        return Path(self.env["LOOM_DATA_DIR"])

    def store_pipeline(self) -> None:
        """From now on the pipeline is the one that Loom has stored, not the file."""
        pushed = Running(CORTEX, "pipeline", "push", self.file, env=self.env, folder=self.place).wait()
        assert pushed.code == 0, pushed.err
        self.pipeline = "deeds"

    def start(self, *more: object, command: tuple[str, ...] = CORTEX, **options: Any) -> Running:
        """Starts an ingest of the folder."""
        running = Running(
            command, "ingest", self.folder, "--pipeline", self.pipeline, *more,
            env=self.env, folder=self.place, **options,
        )  # fmt: skip
        self.started.append(running)
        return running

    def run(self, *more: object, **options: Any) -> Done:
        return self.start("--json", *more, **options).wait()

    def run_states(self) -> list[str]:
        """The states of all runs, the newest first."""
        with look_at_loom(LoomSettings.load({"data_dir": self.data})) as local:
            return [str(run.state) for run in local.loom.runs().items]

    def undisturbed(self) -> list[list[Any]]:
        """The tables after an ingest into another data folder that nothing disturbs. The gate is opened for it. What it
        was once for a pipeline over these files it is again: benches stand at the same place, one after the other."""
        self.gate.open()
        texts = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        key = self.file.read_bytes(), tuple(sorted(texts.items()))
        if key not in self._undisturbed:
            self._undisturbed[key] = self._ingest_undisturbed()
        return self._undisturbed[key]

    def _ingest_undisturbed(self) -> list[list[Any]]:
        own = environment(self.place / "undisturbed", PYTHONPATH=self.env["PYTHONPATH"])
        command = ("ingest", self.folder, "--pipeline", self.file, "--json")
        done = Running(CORTEX, *command, env=own, folder=self.place).wait()
        assert done.code == 0, done.err
        return tables(Path(own["LOOM_DATA_DIR"]))


@pytest.fixture(scope="session")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench") / "place"


@pytest.fixture
def bench(_place: Path) -> Iterator[Bench]:
    shutil.rmtree(_place, ignore_errors=True)
    made = Bench(_place)
    yield made
    for running in made.started:
        running.kill()


@pytest.fixture
def server(bench: Bench) -> Iterator[Server]:
    """A Loom server to which the ingests of the bench talk."""
    made = Server(bench.env, bench.place)
    made.start()
    bench.env.update(LOOM_URL=made.url, LOOM_TOKEN=made.token)
    bench.store_pipeline()
    yield made
    if made.running:
        with suppress(ProcessLookupError):
            made.stop()


@pytest.fixture
def patched() -> Callable[[str], tuple[str, ...]]:
    """The command `cortex` in which some statements are run first, to make a waiting time short."""

    def command(statements: str) -> tuple[str, ...]:
        return (CORTEX[0], "-c", f"{statements}\nfrom cortex.cli import main\nmain()")

    return command
