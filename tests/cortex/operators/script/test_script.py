"""`script.process` runs real programs, Python's own interpreter among them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from programs import until
from pydantic import ValidationError

from cortex.operators.script.script import Script, allowed
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import Branch, Kind

PYTHON = sys.executable


@pytest.fixture(autouse=True)
def _may_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CORTEX_PROGRAMS", f"{PYTHON},cat,wc,definitely-not-there")
    scratches = tmp_path / "scratches"
    scratches.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratches))


def scratches() -> list[str]:
    return os.listdir(tempfile.gettempdir())


def script(code: str, *arguments: str, **options: Any) -> Script:
    return Script(program=PYTHON, arguments=["-c", code, *arguments], **options)


def run(path: Path, code: str, *arguments: str, **more: Any) -> OperatorRun:
    return run_operator(script(code, *arguments, **more), path)


def failure(path: Path, code: str, **options: Any) -> LoomError:
    with pytest.raises(LoomError) as caught:
        run(path, code, **options)
    return caught.value


def test_what_it_is_given(real_image: Path) -> None:
    code = "import json, sys; print(json.dumps({'values': {'got': json.load(sys.stdin), 'args': sys.argv[1:]}}))"
    node = script(code, "{path}", "{mime}:{size}", "{{path}}", '{"a": {"b": 1}}', nodes=["metadata", "phash"])
    upstream = {"metadata": {"width": 512}}
    found = run_operator(node, real_image, upstream=upstream).outputs["values"]
    size = real_image.stat().st_size
    assert found["args"] == [str(real_image), f"image/jpeg:{size}", "{path}", '{"a": {"b": 1}}']
    assert found["got"]["asset"]["kind"] == Kind.IMAGE
    assert found["got"]["asset"]["size"] == size
    assert found["got"]["nodes"] == {"metadata": {"width": 512}, "phash": None}
    assert node.named_nodes() == ("metadata", "phash")


def test_what_it_says(real_image: Path, real_video: Path) -> None:
    code = (
        "import json, pathlib, sys; data = pathlib.Path(sys.argv[1]).read_bytes();"
        "pathlib.Path('head.bin').write_bytes(data[:100]);"
        "print(json.dumps({'values': {'sum': sum(data)}, 'text': 'fox', 'verdict': 'FAIL', 'reason': 'too red',"
        "'artifacts': [{'file': 'head.bin', 'media_type': 'application/octet-stream', 'name': 'head'}]}))"
    )
    for path in (real_image, real_video):
        found = run(path, code, "{path}")
        assert found.outputs == {"values": {"sum": sum(path.read_bytes())}, "text": "fox", "exit_code": 0}
        assert found.artifact("head").data == path.read_bytes()[:100]
        assert (found.verdict, found.reason) == (Branch.FAIL, "too red")
    assert scratches() == []


def test_a_program_that_knows_nothing_of_this(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("one two\nthree\n")
    assert run_operator(Script(program="cat"), path).outputs == {"text": "one two\nthree", "exit_code": 0}
    assert run_operator(Script(program="wc", arguments=["-w", "{path}"]), path).outputs["text"].startswith("3 ")


def test_a_name_that_looks_like_an_option_or_a_command(tmp_path: Path) -> None:
    path = tmp_path / "-n; touch hacked $(id)"
    path.write_text("fox")
    assert run_operator(Script(program="cat"), path).outputs["text"] == "fox"


@pytest.mark.parametrize(
    ("status", "code"),
    [(1, "OPERATOR_FAILED"), (65, "FILE_DAMAGED"), (66, "FILE_UNREADABLE"), (69, "REQUIREMENT_MISSING"),
     (75, "TRY_AGAIN"), (73, "EFFECT_FAILED")],
)  # fmt: skip
def test_exit_codes(real_image: Path, status: int, code: str) -> None:
    error = failure(real_image, f"import sys; print('first\\nno fox in it\\n', file=sys.stderr); sys.exit({status})")
    assert (error.code, error.message) == (code, "no fox in it")


def test_an_exit_code_that_is_a_verdict(real_image: Path) -> None:
    found = run(real_image, "import sys; sys.exit('dull')", fail_codes=[1])
    assert (found.verdict, found.reason, found.outputs["exit_code"]) == (Branch.FAIL, "dull", 1)


def test_a_program_that_crashes(real_image: Path) -> None:
    error = failure(real_image, "import os; os.abort()")
    assert (error.code, "signal 6" in error.message) == ("OPERATOR_FAILED", True)


@pytest.mark.parametrize(
    "said",
    ["{broken", '{"values": 1}', '{"unknown": 1}', '{"verdict": "ERROR"}', '{"values": {"a": 9007199254740993}}',
     '{"artifacts": [{"file": "../../etc/passwd", "media_type": "text/plain"}]}',
     '{"artifacts": [{"file": "missing", "media_type": "text/plain"}]}'],
)  # fmt: skip
def test_answers_that_are_none(real_image: Path, said: str) -> None:
    assert failure(real_image, f"print({said!r})").code == "OUTPUT_INVALID"


def test_links_are_no_artifacts(real_image: Path) -> None:
    code = (
        'import os; os.symlink(\'/etc/passwd\', \'x\'); print(\'{"artifacts": [{"file": "x", "media_type": "a/b"}]}\')'
    )
    assert failure(real_image, code).code == "OUTPUT_INVALID"


def test_too_much_said_and_written(real_image: Path) -> None:
    assert failure(real_image, "print('x' * (2 << 20))").code == "OUTPUT_INVALID"
    error = failure(real_image, "open('large', 'wb').write(bytes(1 << 20))", max_file=65536)
    assert error.code == "OPERATOR_FAILED"


def test_too_much_memory(real_image: Path) -> None:
    error = failure(real_image, "bytearray(200 << 20)", memory="64MB")
    assert (error.code, error.message) == ("OPERATOR_FAILED", "MemoryError")


def test_the_network_is_closed_unless_it_is_wanted(real_image: Path) -> None:
    code = "import socket; socket.create_connection(('127.0.0.1', {port})).close(); print('reached')"
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = code.replace("{port}", str(server.getsockname()[1]))
        assert "Permission denied" in failure(real_image, there).message
        below = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {there!r}]).returncode)"
        assert "Permission denied" in failure(real_image, below).message
        assert run(real_image, there, network=True).outputs["text"] == "reached"


def test_secrets_are_passed_on_by_name_alone(real_image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOX_SECRET", "red")
    code = "import os; print(sorted(set(os.environ) - {'LC_CTYPE', 'LANG', 'LC_ALL', 'TZ'}))"
    assert run(real_image, code).outputs["text"] == "['HOME', 'PATH', 'TMPDIR']"
    assert "FOX_SECRET" in run(real_image, code, environment=["FOX_SECRET"]).outputs["text"]


LINGERING = (
    "import os, pathlib, subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True);"
    "pathlib.Path(sys.argv[1]).write_text(f'{os.getpid()} {child.pid}');"
)


def pids(file: Path) -> list[int]:
    return [int(pid) for pid in file.read_text().split()]


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_nothing_is_left_when_it_ends(real_image: Path, tmp_path: Path) -> None:
    """A child in a session of its own, too."""
    run(real_image, LINGERING, str(tmp_path / "pids"))
    assert all(map(gone, pids(tmp_path / "pids")))


def test_nothing_is_left_when_it_takes_too_long(real_image: Path, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    node = script(LINGERING + "time.sleep(600)", str(file), within_s=1.5)
    with pytest.raises(LoomError) as caught:
        run_operator(node, real_image)
    assert caught.value.code == "TIMED_OUT"
    assert not file.exists() or all(map(gone, pids(file)))
    assert scratches() == []


class Apart:
    """An operator at work in a thread."""

    def __init__(self, node: Script, path: Path) -> None:
        self.error: LoomError | None = None
        self.outputs: dict[str, Any] | None = None
        self._thread = threading.Thread(target=self._run, args=(node, path))
        self._thread.start()

    def _run(self, node: Script, path: Path) -> None:
        try:
            self.outputs = run_operator(node, path).outputs
        except LoomError as error:
            self.error = error

    def join(self) -> None:
        self._thread.join()


def test_a_pause_drops_it_and_it_begins_anew(real_image: Path, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    node = script(LINGERING + "time.sleep(600) if not os.path.exists(sys.argv[2]) else print('done')",
                  str(file), str(tmp_path / "go"))  # fmt: skip
    apart = Apart(node, real_image)
    until(lambda: file.exists() and len(file.read_text().split()) == 2)
    first = pids(file)
    node.halt(True)
    until(lambda: all(map(gone, first)))
    (tmp_path / "go").touch()
    node.halt(False)
    apart.join()
    assert apart.outputs == {"text": "done", "exit_code": 0}


def test_closing_ends_it(real_image: Path, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    node = script(LINGERING + "time.sleep(600)", str(file))
    apart = Apart(node, real_image)
    until(lambda: file.exists() and len(file.read_text().split()) == 2)
    node.close()
    apart.join()
    assert apart.error is not None
    assert apart.error.code == "TRY_AGAIN"
    assert all(map(gone, pids(file)))


def test_it_dies_with_cortex(real_image: Path, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    arguments = ["-c", LINGERING + "time.sleep(600)", str(file)]
    code = (
        "import json, sys; from cortex.operators.script.script import Script; from cortex.testing import run_operator;"
        "run_operator(Script(program=sys.executable, arguments=json.loads(sys.argv[1])), sys.argv[2])"
    )
    environment = {**os.environ, "TMPDIR": tempfile.gettempdir()}
    parent = subprocess.Popen([PYTHON, "-c", code, json.dumps(arguments), str(real_image)], env=environment)
    try:
        until(lambda: file.exists() and len(file.read_text().split()) == 2)
    finally:
        parent.kill()
        parent.wait()
    until(lambda: all(map(gone, pids(file))))
    until(lambda: scratches() == [])


def test_a_dry_run_computes_but_has_no_effects(real_image: Path, tmp_path: Path) -> None:
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).touch(); print('done')"
    touched = tmp_path / "touched"
    found = run_operator(script(code, str(touched), effects=True), real_image, dry_run=True)
    assert (found.outputs, len(found.effects), touched.exists()) == ({}, 1, False)
    assert run_operator(script(code, str(touched), effects=True), real_image).outputs["text"] == "done"
    assert run_operator(script("print('seen')"), real_image, dry_run=True).outputs["text"] == "seen"


def test_only_programs_that_are_named_may_run(real_image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert allowed("cat", ("cat",)).endswith("/cat")
    assert allowed(PYTHON, (PYTHON,)) == PYTHON
    for program, programs in (
        ("cat", ("wc",)),
        ("bin/cat", ("bin/cat",)),
        ("/tmp/cat", ("cat",)),
        ("nowhere", ("nowhere",)),
    ):
        with pytest.raises(LoomError) as caught:
            allowed(program, programs)
        assert caught.value.code == "REQUIREMENT_MISSING"
    monkeypatch.delenv("CORTEX_PROGRAMS")
    error = failure(real_image, "print('fox')")
    assert (error.code, "CORTEX_PROGRAMS" in error.message) == ("REQUIREMENT_MISSING", True)


def test_options_that_mean_nothing() -> None:
    with pytest.raises(ValidationError, match="there is no"):
        Script(program="cat", arguments=["{pth}"])
    with pytest.raises(ValidationError):
        Script(program="cat", environment=["SECRET=red"])
