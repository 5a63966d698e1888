"""What a user would pick instead, doing the same next to nothing: ten functions in a row, each adding one.

    python benchmarks/engines.py NAME ITEMS      prints the CPU seconds of all ITEMS, start-up left out

Each engine runs in an environment of its own, into which `environment()` installs it.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

STEPS = 10


class Engine(NamedTuple):
    """`items`: how many make a run of a few seconds."""

    packages: tuple[str, ...]
    items: int


ENGINES = {
    "plain loop": Engine((), 10_000),
    "hamilton": Engine(("sf-hamilton",), 2_000),
    "dask": Engine(("dask",), 1_000),
    "luigi": Engine(("luigi",), 50),
    "prefect": Engine(("prefect", "fastapi<0.120"), 3),
}


def environment(name: str, cache: Path) -> Path:
    """The Python of the engine's own environment. Raises `CalledProcessError` when it does not install."""
    return provide(cache / "engines" / name.replace(" ", "-"), ENGINES[name].packages)


def provide(folder: Path, packages: tuple[str, ...], base: Path | None = None, *options: str) -> Path:
    """The Python of an environment with these packages, made on `base` or the Python that runs this.

    Raises `CalledProcessError` when they do not install.
    """
    python = folder / "bin" / "python"
    done = folder / "ready"
    if not done.exists():
        subprocess.run([base or sys.executable, "-m", "venv", "--clear", "--without-pip", folder], check=True)
        if packages:
            pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *options]
            subprocess.run([*pip, *packages], check=True, capture_output=True, text=True, timeout=600)
        done.touch()
    return python


def newer_python(version: str) -> Path | None:
    """The interpreter of that version, such as `3.12`, if there is one: on the path, or where pyenv keeps its own."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(f"python{version}")
    found = [Path(on_path)] if on_path else []
    for python in [*found, *sorted(root.glob(f"versions/{version}.*/bin/python{version}"))]:
        if not subprocess.run([python, "--version"], capture_output=True).returncode:
            return python
    return None


def _step(value: int) -> int:
    return value + 1


def plain_loop() -> Callable[[int], int]:
    steps = [_step] * STEPS

    def item(value: int) -> int:
        for step in steps:
            value = step(value)
        return value

    return item


def hamilton() -> Callable[[int], int]:
    from hamilton import ad_hoc_utils, driver

    code = "\n".join(f"def step{n + 1}(step{n}: int) -> int:\n    return step{n} + 1\n" for n in range(STEPS))
    scope: dict[str, Any] = {}
    exec(code, scope)
    module = ad_hoc_utils.create_temporary_module(*(scope[f"step{n + 1}"] for n in range(STEPS)))
    flow = driver.Builder().with_modules(module).build()
    last = f"step{STEPS}"
    return lambda value: int(flow.execute([last], inputs={"step0": value})[last])


def dask() -> Callable[[int], int]:
    from dask.local import get_sync

    return lambda value: int(
        get_sync({"s0": value} | {f"s{n + 1}": (_step, f"s{n}") for n in range(STEPS)}, f"s{STEPS}")
    )


def luigi() -> Callable[[int], int]:
    import logging

    import luigi as engine

    logging.disable(logging.CRITICAL)
    folder = tempfile.mkdtemp()

    class Step(engine.Task):
        item = engine.IntParameter()
        number = engine.IntParameter()

        def requires(self) -> Any:
            return Step(self.item, self.number - 1) if self.number else []

        def output(self) -> Any:
            return engine.LocalTarget(f"{folder}/{self.item}-{self.number}")

        def run(self) -> None:
            before = 0
            if self.number:
                with self.input().open() as file:
                    before = int(file.read())
            with self.output().open("w") as file:
                file.write(str(before + 1))

    def item(value: int) -> int:
        engine.build([Step(value, STEPS - 1)], local_scheduler=True, workers=1, log_level="CRITICAL")
        return int(Path(f"{folder}/{value}-{STEPS - 1}").read_text()) + value

    return item


def prefect() -> Callable[[int], int]:
    os.environ |= {
        "PREFECT_HOME": tempfile.mkdtemp(),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    from prefect import flow, task

    step = task(_step)

    @flow
    def item(value: int) -> int:
        for _ in range(STEPS):
            value = step(value)
        return value

    return lambda value: int(item(value))


def _cpu() -> float:
    own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime


def main(name: str, items: int) -> None:
    item = globals()[name.replace(" ", "_")]()
    if item(0) != STEPS:
        raise SystemExit(f"{name} does not compute what it should")
    start = _cpu()
    for value in range(1, items + 1):
        item(value)
    print(json.dumps({"cpu": _cpu() - start, "items": items}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
