"""The unit and the container file that ship speak of options and settings that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from cortex.settings import CortexSettings
from loom.layers import rules
from loom.settings import LoomSettings, shipped

FILES = pytest.mark.parametrize("name", ["systemd/cortex-watch.service", "systemd/loom.service", "Containerfile"])
UNITS = pytest.mark.parametrize("name", ["cortex-watch.service", "loom.service"])


@FILES
def test_settings_exist(name: str) -> None:
    known = {rule.env for settings in (CortexSettings, LoomSettings) for rule in rules(settings).values()}
    used = set(re.findall(r"\b((?:LOOM|CORTEX)_[A-Z_]+)\b", shipped(name)))
    assert used <= known
    assert "LOOM_DATA_DIR" in used


@FILES
def test_commands_and_options_exist(name: str) -> None:
    from cortex.cli.commands import make_app
    from loom.cli import app as loom

    programs = {"cortex": typer.main.get_command(make_app()), "loom": typer.main.get_command(loom)}
    text = re.sub(r'[",\[\]]', "", shipped(name))
    calls = re.findall(r"^(?:ExecStart=\S*/|CMD )(cortex|loom) (\w+)(.*)$", text, re.MULTILINE)
    assert calls
    for program, word, rest in calls:
        commands = getattr(programs[program], "commands")  # noqa: B009
        options = {option for parameter in commands[word].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options


@UNITS
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze, which judges units, is not there")
def test_systemd_takes_the_units(name: str, tmp_path: Path) -> None:
    """With a program that is there in the place of the one that an administrator installs."""
    unit = tmp_path / name
    unit.write_text(
        re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", shipped(f"systemd/{name}"), flags=re.M)
    )
    judged = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (judged.returncode, judged.stderr) == (0, "")
