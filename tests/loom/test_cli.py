from __future__ import annotations

from pathlib import Path

import pytest
from ledgers import artifact, begin, closing, found, report

from loom.cli import app
from loom.ending import run
from loom.errors import LoomError
from loom.local import hold_loom
from loom.settings import LoomSettings
from loom.store.database import Database
from loom.store.datafolder import DataFolder

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("command", [["verify"], ["backup", "backup.tar"]])
@pytest.mark.parametrize("there", [False, True])
def test_where_there_is_no_database_none_is_made(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, command: list[str], there: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    if there:
        data_dir.mkdir()
    assert run(app, command) == 1
    assert capsys.readouterr().err == f"NOT_FOUND: There is no database at {data_dir}/loom.db.\n"
    assert data_dir.exists() is there
    assert list(data_dir.glob("*")) == list(tmp_path.iterdir()) == []


def test_verify_changes_no_database_that_is_outdated(data_dir: Path, capsys: Captured) -> None:
    assert run(app, ["migrate"]) == 0
    database = Database.open(f"sqlite:///{data_dir}/loom.db")
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    database.close()
    before = (data_dir / "loom.db").read_bytes()
    capsys.readouterr()
    assert run(app, ["verify"]) == 5
    assert capsys.readouterr().err.startswith("DATABASE_OUTDATED")
    assert (data_dir / "loom.db").read_bytes() == before


@pytest.mark.parametrize("archive", ["none.tar", "."])
def test_a_restore_of_nothing_is_wrong_usage(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, archive: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(app, ["restore", archive]) == 2
    assert f"'{archive}'" in capsys.readouterr().err
    assert not data_dir.exists()


def test_what_prune_leaves_for_now_is_told_and_verify_counts_it(data_dir: Path, capsys: Captured) -> None:
    new, _ = artifact(b"handed in just now")
    with hold_loom(LoomSettings.load({})) as local:
        local.loom.put_artifacts([new])
    assert run(app, ["prune"]) == 0
    assert "kept 1 derived files that no result names" in capsys.readouterr().out
    assert run(app, ["verify"]) == 0
    assert "1 derived files that no result names" in capsys.readouterr().err


def test_a_missing_original_is_a_finding(
    data_dir: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.node", lambda: "here")
    with hold_loom(LoomSettings.load({})) as local:
        ingest = begin(local.loom)
        local.loom.report(ingest, [report("a", found(bytes(tmp_path / "gone\u202egpj.exe")))])
        local.loom.finish_run(closing(ingest))
    assert run(app, ["verify"]) == 1
    told = capsys.readouterr()
    finding, remedy = told.out.splitlines()
    assert finding == f"ORIGINAL_MISSING: {tmp_path}/gone\\x202egpj.exe: The file is gone."
    assert remedy.startswith("    If it was moved, cortex ingest ")
    assert "1 originals (0 bytes read): 1 findings" in told.err


def test_what_cannot_be_opened_is_named(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LoomError, match=f"The data folder {tmp_path}/file/below cannot be used: Not a directory"):
        DataFolder.open(tmp_path / "file" / "below")
    with pytest.raises(LoomError, match=f"The database file {tmp_path}/none/loom.db cannot be opened"):
        Database.open(f"sqlite:///{tmp_path}/none/loom.db")
    (tmp_path / "text").write_bytes(b"no database at all" * 1000)
    with pytest.raises(LoomError, match=f"The database file {tmp_path}/text is not a database of Loom"):
        Database.open(f"sqlite:///{tmp_path}/text")
