"""What the commands do with the settings; what they say is tried as a user would in the journeys."""

from __future__ import annotations

import pytest
from ledgers import definition

from loom import cli
from loom.errors import LoomError
from loom.local import hold_loom
from loom.settings import LoomSettings


def test_a_backup_goes_back_to_where_the_database_is(data_dir, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/elsewhere/my.db"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("LOOM_DATABASE_URL", url)
    with hold_loom(LoomSettings.load({})) as local:
        local.loom.save_pipeline(definition())
    cli.backup(tmp_path / "kept.tar")
    (tmp_path / "elsewhere" / "my.db").unlink()
    cli.restore(tmp_path / "kept.tar")
    assert not (data_dir / "loom.db").exists()
    with hold_loom(LoomSettings.load({})) as local:
        assert local.loom.pipeline("photos").version == 1


def test_postgresql_is_not_restored(data_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("LOOM_DATABASE_URL", "postgresql://nobody@localhost/none")
    with pytest.raises(LoomError) as refused:
        cli.restore(tmp_path / "kept.tar")
    assert refused.value.code == "BACKUP_UNSUPPORTED"
    assert not (data_dir / "loom.db").exists()
