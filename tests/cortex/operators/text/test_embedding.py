from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ingests import carry_out, definition, loom_in
from pydantic import ValidationError

from cortex.operators.text.embedding import TextEmbedding
from cortex.operators.text.extract import TextExtract
from cortex.testing import run_operator
from loom.errors import LoomError

onnx = pytest.importorskip("onnx", reason="pip install onnx")
pytest.importorskip("tokenizers", reason="pip install 'loom-cortex[embedding]'")

WORDS = ["?", "the", "train", "leaves", "umbrella"]
TABLE = np.array([[0, 0, 0, 1], [1, 0, 0, 0], [0, 3, 0, 0], [0, 0, 2, 0], [-1, 0, 0, 5]], np.float32)


def named(path: Path) -> dict[str, str]:
    return {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, dict[str, str]]:
    """A network that knows a row of numbers for each of five words, and their tokenizer."""
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, pre_tokenizers

    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["rows"])],
        "toy",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [1, "tokens", 4])],
        [numpy_helper.from_array(TABLE, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "toy.onnx")
    words = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, "?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    return {"model": named(tmp_path / "toy.onnx"), "tokenizer": named(tmp_path / "tokenizer.json")}


def vector(outputs: dict[str, Any]) -> Any:
    return np.frombuffer(base64.b64decode(outputs["vector"]), "<f2").astype(np.float32)


def unit(rows: list[int]) -> Any:
    mean = TABLE[rows].mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_the_mean_of_all_tokens(files: Any, real_image: Path) -> None:
    node = TextEmbedding(**files, of=["said.text", "said.more", "said.none"])
    assert node.named_nodes() == ("said",)
    run = run_operator(node, real_image, upstream={"said": {"text": "the train", "more": ["leaves", "now"]}})
    assert vector(run.outputs) == pytest.approx(unit([1, 2, 3, 0]), abs=1e-3)
    assert (run.outputs["dimensions"], run.outputs["tokens"], run.outputs["truncated"]) == (4, 4, False)
    assert run_operator(node, real_image, upstream={"said": {"text": " "}}).outputs == {}
    assert run_operator(node, real_image).outputs == {}


def test_a_long_text_is_taken_in_pieces(files: Any, real_image: Path) -> None:
    text = " ".join(["train"] * 8 + ["leaves"] * 8 + ["umbrella"] * 8)
    given = {"said": {"text": (text.encode(), "text/plain")}}
    node = TextEmbedding(**files, file="said.text", tokens=8, pieces=2, pooling="first", form="list")
    run = run_operator(node, real_image, upstream_artifacts=given)
    assert run.outputs["vector"] == pytest.approx([0, 0.5**0.5, 0.5**0.5, 0], abs=1e-5)
    assert (run.outputs["tokens"], run.outputs["truncated"]) == (16, True)


def test_real_documents_and_broken_ones(files: Any, media: Any, broken_files: list[Path]) -> None:
    node = TextEmbedding(**files, file="extract.text", prefix="the ")
    papers = [path for _, path in media.household() if path.suffix in (".pdf", ".txt")]
    for path in papers:
        text = run_operator(TextExtract(), path).artifact("text")
        run = run_operator(node, path, upstream_artifacts={"extract": {"text": (text.data, text.media_type)}})
        assert np.linalg.norm(vector(run.outputs)) == pytest.approx(1, abs=1e-2)
    assert len(papers) >= 2
    for path in broken_files:
        assert run_operator(node, path).outputs == {}


def test_in_a_worker_what_is_stored_is_handed_over(files: Any, tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "one.txt").write_text("the train leaves")
    extract = {"id": "extract", "operator": "text.extract"}
    about = {"id": "about", "operator": "text.embedding", "config": {**files, "file": "extract.text"}}
    with loom_in(tmp_path / "loom") as loom:
        assert carry_out(loom, folder, definition("about", extract)).nodes("extract") == {"computed": 1}
        done = carry_out(loom, folder, definition("about", extract, about))
        assert (done.nodes("extract"), done.nodes("about")) == ({"remote": 1}, {"computed": 1})
        (asset,) = loom.assets().items
        (result,) = [one for one in loom.asset_results(asset.uuid) if one.node == "about"]
    assert result.outputs["tokens"] == 3


def test_files_that_are_no_models(files: Any, tmp_path: Path, real_image: Path) -> None:
    (tmp_path / "none").write_bytes(b"nothing")
    for name in ("model", "tokenizer"):
        for wrong in (named(tmp_path / "none"), {**files[name], "sha256": "0" * 64}):
            with pytest.raises(LoomError) as error:
                run_operator(TextEmbedding(**{**files, name: wrong}, of=["a.b"]), real_image)
            assert error.value.code == "REQUIREMENT_MISSING"
    node = TextEmbedding(**files, of=["a.b"], output="other")
    with pytest.raises(LoomError, match="has no output 'other' but rows") as error:
        run_operator(node, real_image, upstream={"a": {"b": "the train"}})
    assert error.value.code == "CONFIG_INVALID"


@pytest.mark.parametrize(
    "options", [{}, {"of": ["a"]}, {"file": "a"}, {"of": ["a.b"], "tokens": 7}, {"of": ["a.b"], "x": 1}]
)
def test_wrong_options_are_refused(files: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TextEmbedding(**files, **options)
