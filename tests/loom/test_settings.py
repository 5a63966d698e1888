from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cortex.settings import CortexSettings
from loom.errors import LoomError
from loom.graph.definition import loads
from loom.layers import rows, rules
from loom.settings import DEFAULT_PIPELINE, LoomSettings, shipped


def test_without_anything_given_all_is_at_its_default(tmp_path: Path) -> None:
    settings = LoomSettings.load({}, {"HOME": "/h"}, tmp_path)
    assert settings.data_dir == Path("/h/.local/share/loom")
    assert settings.database_url == "sqlite:////h/.local/share/loom/loom.db"
    assert (settings.host, settings.port, settings.token) == ("127.0.0.1", 8092, None)
    assert settings.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert set(settings.origins.values()) == {"default"}
    assert list(settings.origins) == list(rules(LoomSettings))


def test_flags_win_over_the_environment_over_files_over_defaults(tmp_path: Path) -> None:
    user = tmp_path / "config" / "loom" / "loom.toml"
    user.parent.mkdir(parents=True)
    user.write_text('port = 1\nhost = "user"\ndata_dir = "user"\ntoken = "t"')
    here = tmp_path / "here"
    here.mkdir()
    (here / "loom.toml").write_text('port = 2\nhost = "folder"\ndata_dir = "data"')
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "LOOM_PORT": "3", "LOOM_HOST": "", "HOME": "/h"}
    settings = LoomSettings.load({"port": 4, "host": None}, environ, here)
    assert (settings.port, settings.host, settings.data_dir, settings.token) == (4, "folder", here / "data", "t")
    assert settings.database_url == f"sqlite:///{here}/data/loom.db"
    assert settings.origins == {
        "data_dir": f"file {here / 'loom.toml'}",
        "database_url": "default",
        "host": f"file {here / 'loom.toml'}",
        "port": "flag --port",
        "allowed_hosts": "default",
        "keep_runs_days": "default",
        "token": f"file {user}",
    }
    assert LoomSettings.load({}, environ, here).origins["port"] == "environment LOOM_PORT"
    assert LoomSettings.load({}, environ, here).port == 3
    assert (
        LoomSettings.load({}, {"XDG_CONFIG_HOME": str(tmp_path / "config")}, tmp_path).data_dir == user.parent / "user"
    )


def test_a_relative_folder_is_below_its_file_or_the_current_folder(tmp_path: Path) -> None:
    assert LoomSettings.load({}, {"LOOM_DATA_DIR": "data"}, tmp_path).data_dir == tmp_path / "data"
    assert LoomSettings.load({"data_dir": Path("x")}, {}, tmp_path).data_dir == tmp_path / "x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", r"loom.toml: there is no setting 'colour'; there are data_dir, .*port"),
        ("port = [", r"loom.toml is not valid TOML: .*at "),
        ('port = "many"', r"port \(file .*loom.toml\): must be a whole number between 0 and 65535"),
        ("port = " + "[" * 5000, "not valid TOML"),
    ],
)
def test_a_file_with_an_error_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "loom.toml").write_text(text)
    with pytest.raises(LoomError, match=message) as caught:
        LoomSettings.load({}, {}, tmp_path)
    assert caught.value.code == "CONFIG_INVALID"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "loom.toml").mkdir()
    with pytest.raises(LoomError, match="cannot be read"):
        LoomSettings.load({}, {}, tmp_path)
    (tmp_path / "loom.toml").rmdir()
    (tmp_path / "loom.toml").write_bytes(b"\xff")
    with pytest.raises(LoomError, match="not valid TOML"):
        LoomSettings.load({}, {}, tmp_path)


def test_a_variable_with_an_error_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoomError, match=r"port \(environment LOOM_PORT\)"):
        LoomSettings.load({}, {"LOOM_PORT": "x"}, tmp_path)


def test_secrets_are_masked_where_settings_are_shown(tmp_path: Path) -> None:
    settings = LoomSettings.load({}, {"LOOM_TOKEN": "hush"}, tmp_path)
    shown = {row.name: (row.value, row.origin) for row in rows(settings)}
    assert shown["token"] == ("***", "environment LOOM_TOKEN")
    assert shown["allowed_hosts"] == ("localhost, 127.0.0.1, [::1]", "default")
    assert list(shown) == list(rules(LoomSettings))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://loom:s/e?cret@db.example/loom", "postgresql+psycopg://loom:***@db.example/loom"),
        ("postgresql://loom:se@cret@db/loom?a=b", "postgresql://loom:***@db/loom?a=b"),
        ("postgresql://:secret@db/loom", "postgresql://:***@db/loom"),
        ("postgresql://loom@db/x?Password=secret&sslpassword=secret&a=b",
         "postgresql://loom@db/x?Password=***&sslpassword=***&a=b"),
        ("postgresql://loom@db:5432/loom", "postgresql://loom@db:5432/loom"),
        ("sqlite:////home/me/a@b:c@d.db", "sqlite:////home/me/a@b:c@d.db"),
    ],
)  # fmt: skip
def test_of_a_database_all_but_the_password_is_shown(tmp_path: Path, url: str, shown: str) -> None:
    settings = LoomSettings.load({}, {"LOOM_DATABASE_URL": url}, tmp_path)
    assert settings.database_url == url
    assert {row.name: row.value for row in rows(settings)}["database_url"] == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:s3cret@photos.example:8092", "http://me:***@photos.example:8092"),
        ("https://me:s3/?cret@photos.example/loom", "https://me:***@photos.example/loom"),
        ("http://photos.example:8092", "http://photos.example:8092"),
    ],
)
def test_of_a_server_all_but_the_password_is_shown(tmp_path: Path, url: str, shown: str) -> None:
    settings = CortexSettings.load({}, {"LOOM_URL": url}, tmp_path)
    assert settings.loom_url == url
    assert {row.name: row.value for row in rows(settings)}["loom_url"] == shown


@pytest.mark.parametrize("kind", [LoomSettings, CortexSettings])
def test_every_line_of_the_files_that_ship_may_be_used_as_it_stands(tmp_path: Path, kind: Any) -> None:
    name = "loom.toml" if kind is LoomSettings else "cortex.toml"
    lines = re.findall(r"^# ([a-z_]+ = .*)", shipped(name), re.MULTILINE)
    assert lines
    for line in lines:
        (tmp_path / name).write_text(line)
        settings = kind.load({}, {}, tmp_path)
        setting, _, value = line.partition(" = ")
        assert (settings.origins[setting] == "default") is (value == '""')


def test_the_file_that_ships_shows_every_setting_at_its_default(tmp_path: Path) -> None:
    text = shipped("loom.toml")
    shown = set(re.findall(r"^#? ?([a-z_]+) = ", text, re.MULTILINE))
    assert shown == set(rules(LoomSettings))
    assert [rule.env for rule in rules(LoomSettings).values() if rule.env not in text] == []
    written = tomllib.loads(text)
    (tmp_path / "loom.toml").write_text(text)
    default, read = LoomSettings.load({}, {}, Path("/")), LoomSettings.load({}, {}, tmp_path)
    assert all(getattr(read, name) == getattr(default, name) for name in rules(LoomSettings))
    fixed = {name for name, rule in rules(LoomSettings).items() if rule.default.__name__ == "<lambda>"}
    assert set(written) == fixed - {"data_dir", "token"}


def test_files_that_ship_are_found_and_nothing_else() -> None:
    assert shipped("loom.toml").startswith("# Settings of Loom")
    for name in ("nothing.toml", "../pyproject.toml", "pipelines", "/etc/hostname"):
        with pytest.raises(LoomError) as caught:
            shipped(name)
        assert caught.value.code == "NOT_FOUND"


def test_the_pipelines_that_ship_are_called_as_their_files() -> None:
    names = ("ingest", "photos")
    pipelines = {name: loads(shipped(f"pipelines/{name}.yaml"), "yaml") for name in names}
    assert {name: pipeline.name for name, pipeline in pipelines.items()} == {name: name for name in names}
    default = pipelines[DEFAULT_PIPELINE]
    assert (default.match, default.enabled, default.dry_run) == (None, True, False)
    assert {node.operator for node in default.graph.nodes} == {
        "source.filesystem", "hash.sha256", "media.metadata", "media.thumbnail",
    }  # fmt: skip
