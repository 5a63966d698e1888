import subprocess
import sys

import pytest
import typer

from cortex.cli.commands import COMMANDS, make_app


def _names(*arguments: str) -> set[str]:
    commands = getattr(typer.main.get_command(make_app(arguments)), "commands")  # noqa: B009
    return set(commands)


def test_without_a_command_all_are_offered() -> None:
    every = {path.split()[0] for path in COMMANDS}
    assert _names() == _names("--help") == _names("ingst") == every


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(("ingest", "photos"), "ingest"), (("-v", "runs", "list"), "runs"), (("sources",), "sources")],
)
def test_the_one_that_is_called_for_comes_alone(arguments: tuple[str, ...], name: str) -> None:
    assert _names(*arguments) == {name}


def test_files_of_other_commands_are_not_imported() -> None:
    code = "import sys; from cortex.cli.commands import make_app; make_app(['ingest']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "cortex.cli.ingesting" in loaded
    assert "cortex.cli.exporting" not in loaded
