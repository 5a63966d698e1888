"""Sentence models in ONNX, with the tokenizer that they were trained with, run on one core."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from cortex.operators.vision.onnx_models import Answer, Array
from cortex.operators.vision.onnx_sessions import answers_of, session_of_file
from cortex.operators.vision.vectors import vector_of
from loom.errors import LoomError

Pooling = Literal["mean", "first"]
Vector = np.ndarray[Any, np.dtype[np.float32]]

_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
_CHARACTERS = 20
"""No token is longer on average, so that no more of a long text need be looked at."""


class Embedded(NamedTuple):
    """The vector of a text, of how many tokens it was made, and whether the text has more."""

    vector: Vector
    tokens: int
    truncated: bool


class TextModel:
    """A model that takes `input_ids`, and where it has them `attention_mask` and `token_type_ids`, and gives a row of
    numbers for each token, or one for all. Raises `REQUIREMENT_MISSING` for files that cannot be used."""

    def __init__(self, model: Path, tokenizer: Path, *, tokens: int, pieces: int) -> None:
        """A text is taken in at most `pieces` pieces of `tokens` tokens."""
        from tokenizers import Tokenizer

        self._session = session_of_file(model)
        self._inputs = [one.name for one in self._session.get_inputs()]
        if "input_ids" not in self._inputs or not _INPUTS.issuperset(self._inputs):
            raise LoomError("REQUIREMENT_MISSING", f"the model {model} takes no tokens, but {', '.join(self._inputs)}")
        self._names = [one.name for one in self._session.get_outputs()]
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(tokens)
        except Exception as error:
            raise LoomError("REQUIREMENT_MISSING", f"{tokenizer} is no tokenizer: {error}") from error
        self._pieces = pieces
        self._most = tokens * pieces * _CHARACTERS

    def embed(self, text: str, pooling: Pooling, wanted: str | None) -> Embedded | None:
        """The mean of the vectors of its pieces, each of length 1, made one of length 1; None for a text without
        tokens. Raises `OPERATOR_FAILED` and `CONFIG_INVALID` as `vector_of`."""
        encoded = self._tokenizer.encode(text[: self._most])
        pieces = [piece for piece in (encoded, *encoded.overflowing) if piece.ids]
        used = pieces[: self._pieces]
        if not used:
            return None
        vectors = [self._vector(piece.ids, pooling, wanted) for piece in used]
        mean = Answer("", np.stack(vectors).mean(axis=0, keepdims=True))
        truncated = len(pieces) > len(used) or len(text) > self._most
        return Embedded(vector_of([mean], None, True), sum(len(piece.ids) for piece in used), truncated)

    def _vector(self, ids: list[int], pooling: Pooling, wanted: str | None) -> Vector:
        tokens = np.array([ids], np.int64)
        given = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
        values = answers_of(self._session, self._names, {name: given[name] for name in self._inputs})
        answers = [Answer(name, _pooled(np.asarray(v), pooling)) for name, v in zip(self._names, values, strict=True)]
        return vector_of(answers, wanted, True)


def _pooled(values: Array, pooling: Pooling) -> Array:
    """One row, where there is one for each token."""
    if values.ndim != 3:
        return values
    return values[:, 0] if pooling == "first" else values.mean(axis=1, keepdims=True)
