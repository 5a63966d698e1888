"""The same with PostgreSQL instead of the embedded database."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from privatepg import PrivatePostgreSQL, until_done

Cortex = Callable[..., Any]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PrivatePostgreSQL]:
    yield from until_done()


@pytest.fixture
def url(postgresql: PrivatePostgreSQL, environment: dict[str, str]) -> str:
    environment["LOOM_DATABASE_URL"] = postgresql.new_database()
    return environment["LOOM_DATABASE_URL"]


@pytest.mark.usefixtures("url")
def test_ingest_again_and_look(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    first = cortex("ingest", library, "--json")
    assert first.code == 3, first.err
    assert (first.summary["assets"]["new"], first.summary["assets"]["failed"]) == (5, 1)
    assert not (tmp_path / "data" / "loom.db").exists()
    second = cortex("ingest", library, "--json")
    assert second.code == 0, second.err
    assert second.summary["assets"]["unchanged"] == 6
    assert all(not any(counts.values()) for counts in second.summary["nodes"].values())
    shown = cortex("show", library / "two.png")
    assert shown.code == 0, shown.err
    assert "image/png" in shown.out
    assert "thumbnail" in shown.out
    assert "broken.jpg" in cortex("failures").out


def test_a_database_that_is_not_there_ends_with_5(
    cortex: Cortex, library: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["LOOM_DATABASE_URL"] = f"postgresql://loom@/loom?host={tmp_path}"
    done = cortex("ingest", library, "--json")
    assert done.code == 5, done.err + done.out
    assert (done.error["code"], done.error["exit_code"]) == ("DATABASE_UNREACHABLE", 5)
