"""The README keeps its word: its commands exist, its exit codes are those of the code, its example runs as written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from loom.errors import CODES


@pytest.fixture(scope="module")
def readme(project: Path) -> str:
    return (project / "README.md").read_text(encoding="utf-8")


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def _promised(text: str) -> dict[str, set[str]]:
    """Commands of the table, such as `cortex pipeline check`, with the options that their row names."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if match := re.match(r"\| `((?:cortex|loom) [^`]*)` \|", line):
            words = [word for word in match[1].split() if word.islower()]
            found[" ".join(words)] = set(re.findall(r"`(--[a-z-]+)`", line))
    return found


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, set[str]]]:
    below = getattr(command, "commands", None)
    if below is None:
        shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
        yield name, {option for parameter in shown for option in parameter.opts if option.startswith("--")}
        return
    for word, sub in below.items():
        yield from _commands(sub, f"{name} {word}")


@pytest.fixture(scope="module")
def offered() -> dict[str, set[str]]:
    """Every command of both programs with its options, as their --help has them."""
    from cortex.cli.commands import make_app
    from loom.cli import app as loom

    return {
        **dict(_commands(typer.main.get_command(make_app()), "cortex")),
        **dict(_commands(typer.main.get_command(loom), "loom")),
    }


def test_the_table_has_every_command_and_no_other(readme: str, offered: dict[str, set[str]]) -> None:
    assert set(_promised(readme)) == set(offered)


def test_every_option_of_the_table_exists(readme: str, offered: dict[str, set[str]]) -> None:
    unknown = {command: options - offered[command] for command, options in _promised(readme).items()}
    assert not {command: options for command, options in unknown.items() if options}


def test_every_option_is_in_the_table(readme: str, offered: dict[str, set[str]]) -> None:
    """But for those of all commands, which stand below it."""
    promised = _promised(readme)
    missing = {command: options - promised[command] - {"--verbose", "--quiet"} for command, options in offered.items()}
    assert not {command: options for command, options in missing.items() if options}


def test_commands_in_shell_lines_exist(readme: str, offered: dict[str, set[str]]) -> None:
    lines = [line for block in _blocks(readme, "sh") for line in block.splitlines()]
    used = [match[1] for line in lines if (match := re.match(r"\.venv/bin/((?:cortex|loom) .*)", line))]
    assert len(used) > 5
    for line in used:
        assert any(line.startswith(command) for command in offered), line


def test_make_targets_in_shell_lines_exist(readme: str, project: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (project / "Makefile").read_text(), re.MULTILINE))
    used = {
        match[1] for block in _blocks(readme, "sh") for match in re.finditer(r"^make ([a-z-]+)", block, re.MULTILINE)
    }
    assert {"run", "serve", "test"} <= used <= targets


def test_every_exit_code_of_the_error_table_is_explained(readme: str) -> None:
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", readme, re.MULTILINE)}
    assert {row.exit for row in CODES.values()} <= explained
    assert explained == {0, 1, 2, 3, 4, 5, 6, 130}


def test_linked_files_exist(readme: str, project: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", readme)
    assert links
    assert [link for link in links if not (project / link).exists()] == []


@pytest.fixture
def installed_example(readme: str, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """The example's files, and an environment in which its package is installed: on the path, with its entry points."""
    (code,), (package,) = _blocks(readme, "python"), _blocks(readme, "toml")
    (pipeline,) = _blocks(readme, "yaml")
    folder = tmp_path / "wordcount"
    folder.mkdir()
    project: dict[str, Any] = tomllib.loads(package)["project"]
    info = folder / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(points))
    (folder / "word_count.py").write_text(code)
    (folder / "words.yaml").write_text(pipeline)
    return folder, {**os.environ, "PYTHONPATH": str(folder)}


def test_the_custom_operator_runs_as_written(
    installed_example: tuple[Path, dict[str, str]], tmp_path: Path, data_dir: Path
) -> None:
    folder, environ = installed_example
    environ["LOOM_DATA_DIR"] = str(data_dir)
    documents = tmp_path / "Documents"
    documents.mkdir()
    (documents / "notes.txt").write_text("to be or not to be, that is the question\n")

    def cortex(*arguments: str | Path) -> str:
        command = [sys.executable, "-m", "cortex", *map(str, arguments)]
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Counts the words of a text document." in cortex("operators", "example.word-count")
    cortex("ingest", documents, "--pipeline", folder / "words.yaml")
    shown = json.loads(cortex("show", documents / "notes.txt", "--json"))
    outputs = {result["node"]: result["outputs"] for result in shown["results"]}
    assert outputs["words"] == {"words": 5, "checksum": outputs["sha256"]["sha256"]}
