"""A small library, and the command line in an environment of its own."""

import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import programs
import pytest
from PIL import Image
from programs import CORTEX, Done, Running, Server, age
from warm import WarmCortex
from watches import Watching


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
    return programs.environment(tmp_path)


@pytest.fixture
def server(environment: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    made = Server(environment, tmp_path)
    made.start()
    yield made
    if made.running:
        made.stop()


@pytest.fixture
def remote(environment: dict[str, str], server: Server) -> dict[str, str]:
    environment["LOOM_URL"] = server.url
    environment["LOOM_TOKEN"] = server.token
    return environment


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmCortex]:
    made = WarmCortex(tmp_path_factory.mktemp("warm"))
    yield made
    made.close()


@pytest.fixture
def cortex(warm: WarmCortex, environment: dict[str, str], tmp_path: Path) -> Callable[..., Done]:
    def call(*arguments: object, env: dict[str, str] | None = None, stdin: str | None = None) -> Done:
        return warm.run(*arguments, env={**environment, **(env or {})}, folder=tmp_path, stdin=stdin)

    return call


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    (folder / "sub").mkdir(parents=True)
    for name in ("one.txt", "sub/two.txt"):
        (folder / name).write_text(f"the text {name}")
    age(folder)
    return folder


@pytest.fixture
def start(environment: dict[str, str], texts: Path, tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    started: list[Running] = []

    def begin(*arguments: object, data: Path | None = None, **more: str) -> Watching:
        env = {**environment, **more}
        started.append(Running(CORTEX, "watch", texts, *arguments, env=env, folder=tmp_path))
        return Watching(started[-1], data or Path(env["LOOM_DATA_DIR"]), texts)

    yield begin
    for running in started:
        running.kill()
