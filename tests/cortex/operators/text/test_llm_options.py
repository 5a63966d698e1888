from __future__ import annotations

import pytest
from pydantic import ValidationError

from cortex.operators.text.llm import LlmPrompt

SCHEMA = {"type": "object", "properties": {"about": {"type": "string"}}}


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "https://u:p@api.example.org/v1"}, {"base_url": "http://api.example.org/v1"},
        {"base_url": "http://8.8.8.8/v1"}, {"base_url": "ftp://localhost/"}, {"base_url": "https://a.org/?key=1"},
        {"base_url": "http:///v1"}, {"prompt": "no value"}, {"prompt": "{0}"}, {"prompt": "{extract}"},
        {"prompt": "{extract.text.__class__!r}"}, {"prompt": "{extract.text[0]}"}, {"prompt": "{extract.text:>9}"},
        {"prompt": "{extract.text"}, {"images": ["thumbnail"]}, {"answer_schema": {"type": "thing"}},
        {"answer_schema": {"type": "array"}}, {"answer_schema": SCHEMA, "outputs": {"caption": "nothing"}},
        {"outputs": {"caption": "about"}}, {"outputs": {"other": "text"}}, {"more": {"messages": []}},
        {"key_env": "A B"}, {"temperature": 3}, {"attempts": 0}, {"wait_s": 0},
    ],
)  # fmt: skip
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        LlmPrompt(**{"base_url": "https://a.org/v1", "model": "m", "prompt": "{extract.text}", **options})


@pytest.mark.parametrize(
    ("base_url", "more"),
    [
        ("http://localhost:11434/v1", {}),
        ("http://[::1]:8000", {}),
        ("http://192.168.1.7/v1", {}),
        ("http://ollama:80", {}),
        ("http://box.local/v1", {}),
        ("https://api.example.org/v1", {}),
        ("http://api.example.org", {"plain_http": True}),
    ],
)
def test_addresses_that_are_right(base_url, more):
    asking = LlmPrompt(
        base_url=base_url, model="m", system="{a.b}", prompt="{extract.text:10}", images=["t.x y"], **more
    )
    assert asking.named_nodes() == ("a", "extract", "t")
