import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

LONG_AGO = 1_700_000_000


class Done(NamedTuple):
    code: int
    lines: list[dict[str, Any]]
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        assert self.lines, self.err
        assert self.lines[-1]["message_type"] == "summary", self.err
        return self.lines[-1]

    def of(self, message_type: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["message_type"] == message_type]


def age(folder: Path) -> None:
    """Files that were written just now are read again next time; these are old."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Six files, five contents: two pictures (one twice), a sound, a text and a broken picture."""
    folder = tmp_path / "library"
    (folder / "sub").mkdir(parents=True)
    Image.effect_noise((320, 200), 40).convert("RGB").save(folder / "one.jpg", quality=90)
    Image.linear_gradient("L").convert("RGB").save(folder / "two.png")
    (folder / "sub" / "copy of one.jpg").write_bytes((folder / "one.jpg").read_bytes())
    with wave.open(str(folder / "sub" / "tone.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(i * 7 % 251 for i in range(16000)))
    (folder / "words.txt").write_text("some words\nand more of them\n")
    (folder / "broken.jpg").write_bytes((folder / "one.jpg").read_bytes()[:3000])
    age(folder)
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "LOOM_DATA_DIR": str(tmp_path / "data"),
        "CORTEX_META_PATH": str(tmp_path / "meta"),
        "CORTEX_JOBS": "2",
    }


@pytest.fixture
def cortex(environment: dict[str, str], tmp_path: Path) -> Callable[..., Done]:
    def call(*arguments: object, env: dict[str, str] | None = None, stdin: str | None = None) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "cortex", *map(str, arguments)],
            capture_output=True,
            env={**environment, **(env or {})},
            cwd=tmp_path,
            input=None if stdin is None else stdin.encode(),
            timeout=100,
            check=False,
        )
        out = done.stdout.decode("utf-8", "replace")
        lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")] if "--json" in arguments else []
        return Done(done.returncode, lines, out, done.stderr.decode("utf-8", "replace"))

    return call
