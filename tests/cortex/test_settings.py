from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from cortex.settings import CortexSettings
from loom.errors import LoomError
from loom.layers import rules
from loom.settings import shipped


def test_without_anything_given_all_is_at_its_default(tmp_path: Path) -> None:
    settings = CortexSettings.load({}, {"HOME": "/h"}, tmp_path)
    assert (settings.loom_url, settings.loom_token) == (None, None)
    assert settings.jobs == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert settings.meta_path == Path("/h/.cache/cortex/meta")
    assert (settings.cache, settings.timeout_s) == ("auto", 60.0)
    assert (settings.memory_limit, settings.spool_limit) == (1024**3, 1024**3)
    assert set(settings.origins.values()) == {"default"}


def test_every_setting_has_its_variable(tmp_path: Path) -> None:
    environ = {
        "LOOM_URL": "http://loom:8092", "LOOM_TOKEN": "t", "CORTEX_JOBS": "3", "CORTEX_CACHE": "xattr",
        "CORTEX_META_PATH": "/m", "CORTEX_SCRATCH_PATH": "/s", "CORTEX_SCRATCH_LIMIT": "5MB",
        "CORTEX_SPOOL_LIMIT": "1MB", "CORTEX_MEMORY_LIMIT": "2GB", "CORTEX_TIMEOUT_S": "1.5",
        "CORTEX_NICENESS": "5", "CORTEX_READ_LIMIT": "3MB", "CORTEX_DISK_RESERVE": "4GB",
        "CORTEX_LIMITS": "media.thumbnail=2, network=4", "CORTEX_PROGRAMS": "cat, wc",
        "CORTEX_UNFINISHED": "*.part, ~*",
    }  # fmt: skip
    settings = CortexSettings.load({}, environ, tmp_path)
    values = [getattr(settings, name) for name in rules(CortexSettings)]
    sizes = (1024**2, 2 * 1024**3, 1.5, 5, 3 * 1024**2, 4 * 1024**3)
    limits = {"media.thumbnail": 2, "network": 4}
    scratch = (Path("/s"), 5 * 1024**2)
    assert values[:5] == ["http://loom:8092", "t", 3, "xattr", Path("/m")]
    assert values[5:] == [*scratch, *sizes, limits, ("cat", "wc"), ("*.part", "~*")]
    assert list(settings.origins.values()) == [f"environment {name}" for name in environ_order(environ)]


def environ_order(environ: dict[str, str]) -> list[str]:
    return [rule.env for rule in rules(CortexSettings).values() if rule.env in environ]


def test_cortex_reads_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "loom.toml").write_text("jobs = 1")
    (tmp_path / "cortex.toml").write_text('jobs = 2\nmeta_path = "m"')
    settings = CortexSettings.load({}, {}, tmp_path)
    assert (settings.jobs, settings.meta_path) == (2, tmp_path / "m")
    (tmp_path / "cortex.toml").write_text("port = 1")
    with pytest.raises(LoomError, match=r"cortex.toml: there is no setting 'port'"):
        CortexSettings.load({}, {}, tmp_path)


@pytest.mark.parametrize("flags", [{"jobs": 0}, {"cache": "disk"}, {"timeout_s": -1}, {"memory_limit": "lots"}])
def test_values_out_of_range_are_refused(tmp_path: Path, flags: dict[str, object]) -> None:
    name = next(iter(flags))
    with pytest.raises(LoomError, match=rf"^{name} \(flag --{name.replace('_', '-')}\): ") as caught:
        CortexSettings.load(flags, {}, tmp_path)
    assert (caught.value.code, caught.value.exit_code) == ("CONFIG_INVALID", 2)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ("network", "'network' must be a name, an equals sign and a number"),
        ("network=0", "'network' must be a whole number from 1 on, not 0"),
        ("network=many", "'network' must be a whole number from 1 on, not 'many'"),
        ("gpu=1,Media Thumbnail=2", "'Media Thumbnail' is not the name of"),
    ],
)
def test_a_limit_that_is_none_is_refused_by_its_name(tmp_path: Path, limits: str, why: str) -> None:
    with pytest.raises(LoomError) as caught:
        CortexSettings.load({}, {"CORTEX_LIMITS": limits}, tmp_path)
    assert caught.value.code == "CONFIG_INVALID"
    assert caught.value.message.startswith(f"limits (environment CORTEX_LIMITS): {why}")


def test_limits_may_be_a_table_with_dotted_names(tmp_path: Path) -> None:
    (tmp_path / "cortex.toml").write_text('[limits]\nmedia.thumbnail = 2\n"media.metadata" = 3\njobs = 1')
    settings = CortexSettings.load({}, {}, tmp_path)
    assert settings.limits == {"media.thumbnail": 2, "media.metadata": 3, "jobs": 1}
    (tmp_path / "cortex.toml").write_text("limits.network = true")
    with pytest.raises(LoomError, match=r"cortex\.toml\): 'network' must be a whole number from 1 on, not True"):
        CortexSettings.load({}, {}, tmp_path)


def test_the_file_that_ships_shows_every_setting_at_its_default(tmp_path: Path) -> None:
    text = shipped("cortex.toml")
    shown = set(re.findall(r"^#? ?([a-z_]+) = ", text, re.MULTILINE))
    assert shown == set(rules(CortexSettings))
    assert [rule.env for rule in rules(CortexSettings).values() if rule.env not in text] == []
    shown_at_default = {"cache", "scratch_limit", "spool_limit", "memory_limit", "timeout_s", "programs", "unfinished"}
    assert set(tomllib.loads(text)) == shown_at_default | {"niceness", "read_limit", "disk_reserve", "limits"}
    (tmp_path / "cortex.toml").write_text(text)
    default, read = CortexSettings.load({}, {}, Path("/")), CortexSettings.load({}, {}, tmp_path)
    assert all(getattr(read, name) == getattr(default, name) for name in rules(CortexSettings))
