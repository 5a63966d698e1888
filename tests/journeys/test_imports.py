"""What an ingest that finds nothing to do has imported: its start must stay quick."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEAVY = {
    "PIL", "alembic", "av", "fastapi", "httpx", "jsonschema", "numpy", "pathspec", "rich", "starlette", "uvicorn",
    "sqlalchemy.dialects.postgresql",
}  # fmt: skip


def imported(environment: dict[str, str], *arguments: object) -> set[str]:
    """The packages that a command imports, and the modules in them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cortex", *map(str, arguments)],
        capture_output=True, env=environment, timeout=100, check=True, text=True,
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    modules = {line.rpartition("|")[2].strip() for line in lines}
    return modules | {module.partition(".")[0] for module in modules}


def test_an_unchanged_ingest_imports_nothing_heavy(
    cortex: Callable[..., Any], library: Path, environment: dict[str, str]
) -> None:
    assert cortex("ingest", library).code == 3
    packages = imported(environment, "ingest", library)
    assert {"cortex", "loom", "sqlalchemy"} <= packages
    assert packages & HEAVY == set()


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_a_command_that_needs_no_loom_imports_none(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    packages = imported(environment, *arguments)
    assert packages & (HEAVY - {"rich"} | {"sqlalchemy", "reactivex", "pydantic"}) == set()
