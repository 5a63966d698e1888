from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from paperwork import PAPERS, sealed_pages
from sandboxes import in_child

from cortex.engine import confine
from cortex.operators.text.language import Language, sample
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

TEXTS = {
    "en": "It was the best of times, it was the worst of times, it was the age of wisdom and of foolishness.",
    "de": "Als Gregor Samsa eines Morgens aus unruhigen Träumen erwachte, fand er sich in seinem Bett verwandelt.",
    "fr": "Longtemps, je me suis couché de bonne heure. Parfois, à peine ma bougie éteinte, mes yeux se fermaient.",
    "es": "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía un hidalgo.",
    "ru": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.",
    "ja": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で泣いていた。",
}


def told(path: Path, **options: Any) -> dict[str, Any]:
    return run_operator(Language(**options), path).outputs


@pytest.mark.parametrize("code", TEXTS)
def test_a_text(tmp_path: Path, code: str) -> None:
    path = tmp_path / "letter.txt"
    path.write_text(TEXTS[code], encoding="utf-8")
    found = told(path)
    assert found["language"] == code
    assert 0.8 < found["confidence"] <= 1
    assert [other["language"] for other in found["others"]].count(code) == 0


def test_a_document(tmp_path: Path) -> None:
    assert told(PAPERS["word.docx"](tmp_path / "word.docx"))["language"] == "en"
    assert told(PAPERS["pages.pdf"](tmp_path / "pages.pdf"), min_letters=5)["confidence"] > 0.5


def test_what_an_earlier_node_gave(real_image: Path) -> None:
    node = Language(of="speech.transcript")
    assert node.named_nodes() == ("speech",)
    found = run_operator(node, real_image, upstream={"speech": {"transcript": TEXTS["fr"]}})
    assert found.outputs["language"] == "fr"
    assert run_operator(node, real_image).outputs == {}


def test_too_little_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("1234 5678 hello 90")
    assert told(path) == {}
    assert "language" in told(path, min_letters=5)


def test_what_is_not_sure_is_undetermined(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("Hello world, hola amigo, ciao bella")
    found = told(path, min_confidence=1.0)
    assert found["language"] == "und"
    assert found["others"][0]["confidence"] == found["confidence"]


def test_of_a_long_text_all_parts_count() -> None:
    text = "a" * 50_000 + "b" * 50_000
    assert len(sample(text)) < 4100
    assert sample(text).count("b") == 2000
    assert sample("short") == "short"


def test_documents_that_cannot_be_read(tmp_path: Path, real_image: Path) -> None:
    with pytest.raises(LoomError) as caught:
        told(sealed_pages(tmp_path / "sealed.pdf", password="fox"))
    assert caught.value.code == "FILE_ENCRYPTED"
    assert run_operator(Language(), real_image).state is State.SKIPPED


def test_within_the_sandbox(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text(TEXTS["de"])

    def tell() -> bool:
        confine.refuse_calls()
        return told(path)["language"] == "de"

    assert in_child(tell) == 0
