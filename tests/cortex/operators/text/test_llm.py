from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from chatserver import ChatServer, Deed, answer
from ingests import THUMBNAIL, carry_out, definition, loom_in

from cortex.operators.pictures.thumbnails import Thumbnail
from cortex.operators.text.extract import TextExtract
from cortex.operators.text.llm import LlmPrompt
from cortex.operators.text.llm_server import MOST_BYTES
from cortex.report.summary import in_words
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.graph.definition import loads
from loom.model import Spent
from loom.settings import shipped
from loom.steering import AssetQuery

SCHEMA = {
    "type": "object",
    "properties": {"tags": {"type": "array", "items": {"type": "string"}}, "about": {"type": "string"}},
    "required": ["tags"],
    "additionalProperties": False,
}
TAGS = json.dumps({"tags": ["sea", "sky"], "about": "A view."})
VALUES = {"extract": {"text": "some words"}}


@pytest.fixture
def server(no_proxy: None) -> Iterator[ChatServer]:
    with closing(ChatServer()) as server:
        yield server


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have waited, without waiting."""
    slept: list[float] = []
    monkeypatch.setattr("cortex.operators.text.llm_server.sleep", slept.append)
    return slept


def node(server: ChatServer, **options: Any) -> LlmPrompt:
    return LlmPrompt(**{"base_url": server.url, "model": "toy", "prompt": "About {extract.text}", **options})


def ask(server: ChatServer, path: Path, **options: Any) -> OperatorRun:
    return run_operator(node(server, **options), path, upstream=VALUES)


def test_real_pictures_are_shown_and_broken_ones_are_not(server, real_image, real_video, broken_files):
    server.said = "A rocket."
    asking = node(server, prompt="What is this?", images=["thumbnail.thumbnail"], outputs={"caption": "text"})
    for path in (real_image, real_video):
        made = run_operator(Thumbnail(size=64), path).artifact("thumbnail")
        files = {"thumbnail": {"thumbnail": (made.data, made.media_type)}}
        run = run_operator(asking, path, upstream_artifacts=files)
        assert (run.outputs["text"], run.outputs["caption"]) == ("A rocket.", "A rocket.")
        words, picture = server.heard[-1][2]["messages"][0]["content"]
        assert words == {"type": "text", "text": "What is this?"}
        kind, _, data = picture["image_url"]["url"].partition(";base64,")
        assert (kind, base64.b64decode(data)) == (f"data:{made.media_type}", made.data)
    for path in broken_files:
        assert run_operator(asking, path).outputs == {}, "there is no thumbnail of it"
    assert len(server.heard) == 2


def test_what_is_asked(server, media, monkeypatch):
    monkeypatch.setenv("LLM_KEY", " secret-1 ")
    options = {
        "system": "You sum up {{briefly}}.",
        "prompt": "{extract.text:12} ({extract.pages}) {extract.title}{extract.who}",
        "key_env": "LLM_KEY", "temperature": 0.5, "seed": 7, "max_tokens": 99, "more": {"top_p": 0.9},
    }  # fmt: skip
    outputs = {"text": "{braces} and more", "pages": 3, "who": ["a", "b"]}
    run = run_operator(node(server, **options), media.images["rocket"], upstream={"extract": outputs})
    ((path, headers, body),) = server.heard
    assert (path, headers["authorization"]) == ("/v1/chat/completions", "Bearer secret-1")
    assert body == {
        "model": "toy", "temperature": 0.5, "seed": 7, "max_tokens": 99, "top_p": 0.9,
        "messages": [
            {"role": "system", "content": "You sum up {briefly}."},
            {"role": "user", "content": "{braces} and (3) a, b"},
        ],
    }  # fmt: skip
    assert run.outputs == {
        "text": "words", "model": "toy-1", "finish": "stop", "prompt_tokens": 100, "completion_tokens": 20, "cost": 0.0,
    }  # fmt: skip


def test_of_nothing_nothing_is_asked(server, real_image):
    for upstream in ({}, {"extract": {}}, {"extract": {"text": ""}}):
        assert run_operator(node(server), real_image, upstream=upstream).outputs == {}
    assert server.heard == []


def test_real_documents(server, media):
    papers = [path for _, path in media.household() if path.suffix in (".pdf", ".txt")]
    for path in papers:
        outputs = run_operator(TextExtract(), path).outputs
        run_operator(node(server), path, upstream={"extract": outputs})
        assert server.heard[-1][2]["messages"] == [{"role": "user", "content": f"About {outputs['text']}"}]
    assert len(server.heard) == len(papers) >= 2


def test_an_answer_by_a_schema(server, real_image):
    server.deeds = [f"<think>Hm.</think>\n```json\n{TAGS}\n```"]
    run = ask(
        server,
        real_image,
        answer_schema=SCHEMA,
        outputs={"keywords": "tags", "caption": "about"},
        price_in=2,
        price_out=10,
    )
    assert server.heard[0][2]["response_format"]["json_schema"]["schema"] == SCHEMA
    assert run.outputs["answer"] == {"tags": ["sea", "sky"], "about": "A view."}
    assert (run.outputs["keywords"], run.outputs["caption"]) == (["sea", "sky"], "A view.")
    assert (run.outputs["cost"], "text" in run.outputs) == (0.0004, False)


@pytest.mark.parametrize(
    ("bad", "why"),
    [('{"tags": [1]}', r"follow the schema at \$.tags\[0\]"), ("no JSON", "is no JSON object"), ("[1]", "JSON object")],
)
def test_a_wrong_answer_is_asked_for_once_more(server, real_image, bad, why):
    server.deeds = [bad, TAGS]
    run = ask(server, real_image, answer_schema=SCHEMA)
    assert (run.outputs["answer"]["tags"], run.outputs["prompt_tokens"]) == (["sea", "sky"], 200)
    first, said, repair = server.heard[1][2]["messages"]
    assert (first["role"], said) == ("user", {"role": "assistant", "content": bad})
    assert "Answer again" in repair["content"]
    server.deeds = [bad, bad]
    with pytest.raises(LoomError, match=why) as error:
        ask(server, real_image, answer_schema=SCHEMA)
    assert (error.value.code, len(server.heard)) == ("OUTPUT_INVALID", 4)


def test_a_server_that_knows_no_schemas_is_told_in_words(server, real_image):
    server.said = TAGS
    server.deeds = [Deed(400, b'{"error": {"message": "response_format is not known"}}')]
    asking = node(server, answer_schema=SCHEMA, system="Be brief.")
    for _ in range(2):
        assert run_operator(asking, real_image, upstream=VALUES).outputs["answer"]["tags"] == ["sea", "sky"]
    assert ["response_format" in body for _, _, body in server.heard] == [True, False, False]
    told = server.heard[1][2]["messages"]
    assert [one["role"] for one in told] == ["system", "user"]
    assert told[0]["content"].startswith("Be brief.\n\nAnswer with a JSON object alone")
    assert json.dumps(SCHEMA, separators=(",", ":")) in told[0]["content"]


@pytest.mark.parametrize(
    ("deed", "pause"),
    [
        (Deed(429), 0.5), (Deed(429, headers={"retry-after": "7"}), 7.0), (Deed(500), 0.5), (Deed(503, b"<html>"), 0.5),
        (Deed(body=b"{broken"), 0.5), (Deed(body=b"[1]"), 0.5), (Deed(body=answer("half"), cut=True), 0.5),
        (Deed(silent=True), 0.5),
    ],
)  # fmt: skip
def test_what_may_pass_is_asked_again(server, real_image, pauses, deed, pause):
    server.deeds = [deed]
    assert ask(server, real_image, wait_s=0.2 if deed.silent else 60).outputs["text"] == "words"
    assert (pauses, len(server.heard)) == ([pause], 2)


def test_in_the_end_it_gives_up_until_the_next_run(server, real_image, pauses):
    server.deeds = [Deed(500, b'{"error": "over\\nloaded"}')] * 3
    with pytest.raises(LoomError, match="HTTP 500: over loaded, attempt 3") as error:
        ask(server, real_image, attempts=3)
    assert (error.value.code, pauses) == ("TRY_AGAIN", [0.5, 1.0])


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        (Deed(401, b'{"error": {"message": "bad key secret-1"}}'), "REQUIREMENT_MISSING"),
        (Deed(404, b"no such model"), "REQUIREMENT_MISSING"),
        (Deed(302, headers={"location": "http://127.0.0.1:9/"}), "REQUIREMENT_MISSING"),
        (Deed(400, b'{"error": {"message": "the picture is too large"}}'), "OPERATOR_FAILED"),
        (Deed(body=b'{"choices": [{"message": {"content": null, "refusal": "no"}}]}'), "OPERATOR_FAILED"),
        (Deed(body=b'{"choices": []}'), "OUTPUT_INVALID"),
        (Deed(body=b'{"choices": [{"message": 7}], "usage": 3}'), "OUTPUT_INVALID"),
        (Deed(body=b" " * (MOST_BYTES + 1)), "OUTPUT_INVALID"),
    ],
)
def test_what_will_not_pass_is_not(server, real_image, monkeypatch, deed, code):
    monkeypatch.setenv("LLM_KEY", "secret-1")
    server.deeds = [deed]
    with pytest.raises(LoomError) as error:
        ask(server, real_image, key_env="LLM_KEY")
    assert (error.value.code, len(server.heard)) == (code, 1)
    assert "secret-1" not in error.value.message


def test_nobody_is_there(real_image):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(LoomError, match="ConnectError") as error:
        run_operator(LlmPrompt(base_url=url, model="m", prompt="{extract.text}"), real_image, upstream=VALUES)
    assert error.value.code == "TRY_AGAIN"


def test_a_long_answer_is_a_file_and_its_beginning(server, real_image):
    server.said = "é" * 20_000
    run = ask(server, real_image)
    assert (run.outputs["text"], run.artifact("text").data) == ("é" * 10_000, ("é" * 20_000).encode())


@pytest.mark.parametrize(
    ("kind", "size", "code"), [("image/tiff", 10, "FORMAT_UNSUPPORTED"), ("image/png", 2000, "FILE_TOO_LARGE")]
)
def test_pictures_that_no_model_is_shown(server, real_image, kind, size, code):
    asking = node(server, images=["edit.edited"], max_image_bytes=1000)
    with pytest.raises(LoomError) as error:
        run_operator(asking, real_image, upstream=VALUES, upstream_artifacts={"edit": {"edited": (bytes(size), kind)}})
    assert (error.value.code, server.heard) == (code, [])


@pytest.mark.parametrize("key", [None, " ", "pass\nword"])
def test_a_key_that_is_not_to_be_had(server, real_image, monkeypatch, key):
    if key is not None:
        monkeypatch.setenv("LLM_KEY", key)
    with pytest.raises(LoomError, match="LLM_KEY") as error:
        ask(server, real_image, key_env="LLM_KEY")
    assert (error.value.code, server.heard) == ("REQUIREMENT_MISSING", [])


def test_in_runs_the_thumbnail_is_handed_over(server, media_folder, tmp_path):
    options = {"base_url": server.url, "model": "toy", "prompt": "What is it?", "images": ["thumbnail.thumbnail"]}
    said = {"id": "said", "operator": "llm.prompt", "config": options}
    with loom_in(tmp_path / "loom") as loom:
        dry = carry_out(loom, media_folder, definition("asks", THUMBNAIL, said), dry_run=True)
        shown = len(server.heard)
        assert (dry.ended.exit_code, shown) == (0, dry.nodes("thumbnail")["computed"])
        server.deeds = [Deed(404)]
        first = carry_out(loom, media_folder, definition("asks", THUMBNAIL, said))
        assert first.nodes("said")["failed"] == 1
        assert carry_out(loom, media_folder, definition("asks", THUMBNAIL, said)).nodes("said")["computed"] == 1
        assert len(server.heard) == 2 * shown + 1
        said["config"] = {**options, "prompt": "And now?"}
        again = carry_out(loom, media_folder, definition("asks", THUMBNAIL, said))
        assert "computed" not in again.nodes("thumbnail")
        assert len(server.heard) == 3 * shown + 1, "of what is stored as well"
    pictures = [[part["type"] for part in body["messages"][0]["content"]] for _, _, body in server.heard]
    assert pictures == [["text", "image_url"]] * len(server.heard)


def shipped_for(server: ChatServer, name: str) -> dict[str, Any]:
    """A definition that ships, asking this server."""
    document = loads(shipped(f"pipelines/{name}.yaml"), "yaml").document()
    for one in document["graph"]["nodes"]:
        if one["operator"] == "llm.prompt":
            one["config"]["base_url"] = server.url
    return dict(document)


def test_pictures_get_captions(server, media_folder, tmp_path):
    server.said = json.dumps({"caption": "A rocket.", "keywords": ["rocket"], "sensitive": True})
    server.deeds = [json.dumps({"caption": "A cat.", "keywords": ["cat"], "sensitive": False})]
    with loom_in(tmp_path / "loom") as loom:
        done = carry_out(loom, media_folder, shipped_for(server, "captions"))
        assert done.nodes("aside")["computed"] == len(server.heard) - 1 >= 2
        found = [len(loom.assets(AssetQuery(text=text)).items) for text in ("a cat", "a rocket")]
        assert found == [1, len(server.heard) - 1], "captions are searched"


def test_documents_are_summed_up_and_translated(server, media, tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "de.txt").write_text("Der Regenschirm steht in der Ecke, und der Zug fährt um acht Uhr ab. " * 5)
    (folder / "en.txt").write_text("The umbrella is in the corner, and the train leaves at eight o'clock. " * 5)
    server.said = json.dumps({"title": "Train", "summary": "It leaves.", "keywords": ["train"], "mood": "neutral"})
    with loom_in(tmp_path / "loom") as loom:
        done = carry_out(loom, folder, shipped_for(server, "enrichment"))
    assert (done.nodes("summary"), done.nodes("translation")) == ({"computed": 2}, {"computed": 1, "skipped": 1})
    translated = [body["messages"][1]["content"] for _, _, body in server.heard if "response_format" not in body]
    assert [text.split()[1] for text in translated] == ["Regenschirm"]


def test_a_run_tells_what_it_has_spent_and_stored_answers_cost_nothing(server, tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.txt").write_text(f"The {name} text.")
    options = {
        "base_url": server.url,
        "model": "toy",
        "prompt": "About {extract.text}",
        "price_in": 2.0,
        "price_out": 10.0,
    }
    extract, said = {"id": "extract", "operator": "text.extract"}, {"id": "said", "operator": "llm.prompt"}
    asks = definition("asks", extract, said | {"config": options})
    with loom_in(tmp_path / "loom") as loom:
        dry = carry_out(loom, folder, asks, dry_run=True)
        first = carry_out(loom, folder, asks)
        both = {"prompt_tokens": 200, "completion_tokens": 40, "cost": 0.0008}
        assert (dry.summary["spent"], first.summary["spent"]) == (both, both)
        assert loom.run(first.ingest.runs[0].uuid).spent == Spent(**both)
        assert "  models were asked with 200 tokens and answered with 40 tokens, for 0.0008" in in_words(first.summary)
        (folder / "three.txt").write_text("The third text.")
        again = carry_out(loom, folder, asks)
        assert again.summary["spent"] == {"prompt_tokens": 100, "completion_tokens": 20, "cost": 0.0004}
        same = carry_out(loom, folder, asks)
        assert (same.summary["spent"], len(server.heard)) == (None, 5)
        assert loom.run(first.ingest.runs[0].uuid).spent == Spent(**both)
        asks["graph"]["nodes"][-1]["config"] = {**options, "price_in": 0.0, "price_out": 0.0}
        unpriced = carry_out(loom, folder, asks)
        assert unpriced.summary["spent"] == {"prompt_tokens": 300, "completion_tokens": 60, "cost": None}
