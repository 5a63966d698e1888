"""Who holds the data folder, and who waits for whom."""

from __future__ import annotations

import fcntl
import os
import platform
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from ingests import SHA256, Faulty, definition
from ledgers import closing, opening

from cortex.engine.patience import patience_with, room_for
from cortex.holding import open_loom, serving_loom, stand_by
from cortex.settings import CortexSettings
from loom.client import LoomClient
from loom.errors import LoomError
from loom.model import RunState
from loom.store.datafolder import holder_of


@contextmanager
def lock(folder: Path, says: str = "4711\n\n") -> Iterator[Callable[[], None]]:
    """Holds the folder as another process would; what lets go of it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, says.encode())
        yield lambda: fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def test_a_holder_that_lets_go_is_waited_for(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with lock(data_dir) as let_go:
        monkeypatch.setattr("cortex.holding.time.sleep", lambda _: let_go())
        with open_loom() as opened:
            assert opened.local is not None


def test_a_holder_that_stays_and_says_no_address_is_not(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.holding.HOLDER_WAIT_S", 0.0)
    with lock(data_dir), pytest.raises(LoomError) as refused, open_loom():
        pass
    assert refused.value.code == "DATA_FOLDER_LOCKED"


def test_the_holder_answers_once_it_is_called(data_dir: Path) -> None:
    with ExitStack() as stack:
        opened = stack.enter_context(open_loom())
        standby = stand_by(stack, opened)
        assert standby is not None
        assert not standby.has_callers
        address = holder_of(data_dir).address
        with LoomClient(f"http://{address}", token_file=data_dir / "token") as client:
            assert [pipeline.name for pipeline in client.pipelines().items] == ["ingest"]
            assert standby.has_callers
        standby.linger(10.0)
        assert not standby.has_callers
    assert holder_of(data_dir).address is None
    host, _, port = str(address).partition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


def test_who_names_the_database_of_another_data_folder_learns_what_is_missing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        opened = stack.enter_context(open_loom())
        assert stand_by(stack, opened) is not None
        address = str(holder_of(data_dir).address)
        token = (data_dir / "token").read_text().strip()
        monkeypatch.setenv("LOOM_DATA_DIR", str(data_dir.with_name("other")))
        monkeypatch.setenv("LOOM_DATABASE_URL", f"sqlite:///{data_dir}/loom.db")
        with pytest.raises(LoomError) as refused, open_loom():
            pass
        assert (refused.value.code, refused.value.exit_code) == ("DATA_FOLDER_LOCKED", 6)
        for told in (str(os.getpid()), str(data_dir), address, "LOOM_DATA_DIR", "LOOM_TOKEN"):
            assert told in refused.value.message
        monkeypatch.setenv("LOOM_TOKEN", token)
        with open_loom() as there:
            assert there.url == f"http://{address}"


def test_who_has_another_token_than_the_holder_learns_so(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        monkeypatch.setenv("LOOM_TOKEN", "of its own")
        opened = stack.enter_context(open_loom())
        assert stand_by(stack, opened) is not None
        monkeypatch.delenv("LOOM_TOKEN")
        with pytest.raises(LoomError, match="LOOM_TOKEN") as refused, open_loom():
            pass
    assert refused.value.code == "DATA_FOLDER_LOCKED"
    assert "LOOM_DATA_DIR" not in refused.value.message


def test_the_holder_ends_while_nobody_has_called(data_dir: Path) -> None:
    with open_loom() as opened, ExitStack() as stack:
        assert stand_by(stack, opened) is not None


def test_a_loom_that_is_looked_at_answers_nobody(data_dir: Path) -> None:
    with open_loom(trace=False) as opened, ExitStack() as stack:
        assert stand_by(stack, opened) is None
    assert not data_dir.exists()


def test_what_could_not_be_told_a_former_holder_is_delivered(data_dir: Path) -> None:
    made = opening("own", version=0, definition=definition("own", SHA256), host=platform.node())
    with open_loom() as opened:
        away = Faulty(opened.loom, open_run=LoomError("LOOM_UNREACHABLE"), finish_run=LoomError("LOOM_UNREACHABLE"))
        room = room_for(CortexSettings.load({}).meta_path, opened.spooled_as)
        with patience_with(cast("Any", away), room, 2**20, print, 0.0) as patient:
            patient.open_run(made)
            patient.finish_run(closing(made.uuid))
    with open_loom() as opened:
        assert opened.loom.run(made.uuid).state is RunState.COMPLETED


def test_a_loom_that_serves_is_found_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_DATA_DIR", str(tmp_path))
    with serving_loom() as there:
        assert there is None
    with serving_loom("http://127.0.0.1:9") as there:
        assert isinstance(there, LoomClient)
    with open_loom() as opened, ExitStack() as stack:
        assert stand_by(stack, opened) is not None
        with serving_loom() as there:
            assert isinstance(there, LoomClient)
            assert there.process_pipelines() == []
