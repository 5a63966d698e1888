"""Holding Loom: one process, one database, one folder of derived files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ledgers import artifact
from privatepg import PrivatePostgreSQL, until_done

from loom.errors import LoomError
from loom.local import hold_loom
from loom.settings import LoomSettings
from loom.store.datafolder import DataFolderLocked


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PrivatePostgreSQL]:
    yield from until_done()


def settings(tmp_path, name: str, url: str | None = None) -> LoomSettings:
    return LoomSettings.load({"data_dir": tmp_path / name, "database_url": url})


def test_a_database_is_held_whichever_data_folder_names_it(tmp_path):
    url = f"sqlite:///{tmp_path}/one/loom.db"
    with hold_loom(settings(tmp_path, "one")) as one:
        one.folder.set_address("127.0.0.1:1")
        with pytest.raises(DataFolderLocked) as held, hold_loom(settings(tmp_path, "two", url)):
            pass
        assert held.value.address == "127.0.0.1:1"


def refused(of: LoomSettings) -> str:
    with pytest.raises(LoomError) as raised, hold_loom(of):
        pass
    assert raised.value.code == "CONFIG_INVALID"
    return raised.value.message


def test_derived_files_are_in_one_folder(tmp_path):
    _derived_files_are_in_one_folder(tmp_path, f"sqlite:///{tmp_path}/shared.db")


def test_derived_files_are_in_one_folder_with_postgresql(postgresql, tmp_path):
    _derived_files_are_in_one_folder(tmp_path, postgresql.new_database())


def _derived_files_are_in_one_folder(tmp_path, url):
    new, ref = artifact(b"derived")
    with hold_loom(settings(tmp_path, "one", url)):
        pass
    with hold_loom(settings(tmp_path, "two", url)) as two:
        two.loom.put_artifacts([new])  # until then it did not matter
    assert f"{tmp_path}/two" in refused(settings(tmp_path, "one", url))
    (tmp_path / "two").rename(tmp_path / "moved")
    with hold_loom(settings(tmp_path, "moved", url)) as moved:
        assert moved.loom.artifact(ref.digest)[1] == b"derived"


def test_a_database_inside_the_folder_is_its_own(tmp_path):
    new, _ = artifact(b"derived")
    with hold_loom(settings(tmp_path, "one")) as one:
        one.loom.put_artifacts([new])
    copied = tmp_path / "two"
    copied.mkdir()
    (copied / "loom.db").write_bytes((tmp_path / "one" / "loom.db").read_bytes())
    with hold_loom(settings(tmp_path, "two")):
        pass
    assert "two" in refused(settings(tmp_path, "three", f"sqlite:///{copied}/loom.db"))
