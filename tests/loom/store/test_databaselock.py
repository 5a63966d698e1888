from __future__ import annotations

import os
import threading
import time

import pytest

from loom.store.databaselock import Others, hold_database, others_at
from loom.store.datafolder import DataFolder, DataFolderLocked, Holder


def test_one_holds_it_and_others_learn_who(tmp_path):
    database = tmp_path / "shared.db"
    with others_at(database) as found:
        assert found is Others.UNKNOWN
    with DataFolder.open(tmp_path / "one") as folder, hold_database(database, folder.path):
        folder.set_address("127.0.0.1:8092")
        with others_at(database) as found:
            assert found is Others.THERE
        with pytest.raises(DataFolderLocked) as held, hold_database(database, tmp_path / "two"):
            pass
        assert held.value.holder == Holder(os.getpid(), "127.0.0.1:8092", tmp_path / "one")
        assert f"{os.getpid()} with the data folder {tmp_path / 'one'}, which serves at 127" in held.value.message
    with others_at(database) as found:
        assert found is Others.NONE


def test_who_looks_on_is_waited_for_and_does_not_count_as_holder(tmp_path):
    database = tmp_path / "shared.db"
    with hold_database(database, tmp_path):
        pass
    looks, go_on = threading.Event(), threading.Event()

    def look() -> None:
        with others_at(database) as found:
            assert found is Others.NONE
            looks.set()
            go_on.wait(10)

    looker = threading.Thread(target=look)
    looker.start()
    looks.wait(10)
    timer = threading.Timer(0.1, go_on.set)
    timer.start()
    began = time.monotonic()
    with hold_database(database, tmp_path):
        assert time.monotonic() - began >= 0.05
    looker.join()
    timer.join()
