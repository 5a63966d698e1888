import errno

import pytest
import typer

from cortex.cli.commands import make_app
from loom.cli import app as loom_app
from loom.ending import EXIT_CODES, ended, first_that_applies, run
from loom.errors import CODES, LoomError


def raising(error: BaseException) -> int:
    raise error


def test_every_code_ends_with_one_of_the_pinned_exit_codes() -> None:
    assert {code.exit for code in CODES.values()} <= set(EXIT_CODES)


@pytest.mark.parametrize(
    ("codes", "code"), [((3, 1), 1), ((1, 5), 5), ((4, 3), 4), ((0, 3), 3), ((2, 5, 6), 2), ((2, 130), 130), ((0,), 0)]
)
def test_the_first_that_applies(codes: tuple[int, ...], code: int) -> None:
    assert first_that_applies(*codes) == first_that_applies(*reversed(codes)) == code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (LoomError("LOOM_UNREACHABLE", "Nobody there."), 5, "LOOM_UNREACHABLE: Nobody there.\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, ""),
        (OSError(errno.EFBIG, "File too large", "/a"), 1, "DISK_FULL: /a cannot be written: File too large.\n"),
        (OSError(errno.EDQUOT, "Quota exceeded"), 1,
         "DISK_FULL: The output or a file cannot be written: Quota exceeded.\n"),
        (OSError(errno.EIO, "Input/output error"), 1,
         "INTERNAL: OSError: [Errno 5] Input/output error (set LOOM_DEBUG=1 to see where)\n"),
    ],
)  # fmt: skip
def test_errors_are_a_sentence_and_a_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOOM_DEBUG", raising=False)
    assert ended(lambda: raising(error)) == code
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("option", ["VERSION", "INSTALL_COMPLETION", "SHOW_COMPLETION"])
@pytest.mark.parametrize(("program", "app"), [("LOOM", loom_app), ("CORTEX", make_app())])
def test_what_prints_something_and_ends_has_no_variable(
    program: str, app: typer.Typer, option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{program}_{option}", "2.1")
    assert run(app, ["config", "--json"]) == 0
    assert capsys.readouterr().out.startswith('{"name":')
