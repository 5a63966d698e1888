"""Which language a text is in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.references import ValueName, nodes_of, texts_of, value_of
from loom.errors import LoomError
from loom.graph.specs import Port, Requirement

if TYPE_CHECKING:
    from cortex.media import Media

_ENOUGH = 4000
"""So many characters are looked at, in pieces from all over the text: more make it slower and no surer."""

_PIECES = 8
_LIMIT = 1_000_000
_CODES = {2: "H", 4: "I"}
"""Of arrays, by the bytes of a number."""


class LanguageOptions(NodeOptions):
    of: ValueName | None = Field(
        None,
        description="The text of an earlier node, such as `text.text` or `speech.transcript`; else the document's.",
    )
    min_letters: int = Field(20, ge=1, le=1000, description="Of a text with fewer letters nothing is said.")
    min_confidence: float = Field(0.5, ge=0, le=1, description="What is less sure than this is `und` (undetermined).")


class Language(MediaNode[LanguageOptions]):
    """Tells which language a text is in, and how sure that is.

    `{of: text.text}` looks at what a node `text` (such as one of `text.extract`) gave, else the document itself is
    read, as `text.extract` does. The language is an ISO 639 code, such as `de` or `pcm`, one of about 140; `zxx` is no
    language (numbers, codes), `und` one of which it is not sure enough. Of mixed texts it is the one of most of it.
    The model is that of py3langid (byte n-grams, naive Bayes); it is in the package, and nothing is downloaded.

    Ports `in` and `out`; needs the extra `language`, and without `of` the extra `documents`. Where there is no text, or
    too little, there is no output. Without `of` other kinds of media are not processed, and documents are refused with
    the codes of `text.extract`; `REQUIREMENT_MISSING` where the package is missing.
    """

    operator = "text.language"
    outputs = (Port(id="out", content_type="struct/language"),)
    reads = ()
    verdicts = False
    requires = (Requirement(kind="package", name="py3langid", extra="language"),)
    LANGUAGE = OutputKey("language", str, "The code of the language; `und` where it is not sure.")
    CONFIDENCE = OutputKey("confidence", float, "How sure it is, 0 to 1.")
    OTHERS = OutputKey("others", list, "The next two languages: code and confidence of each.")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._identifier: Any = None

    def named_nodes(self) -> tuple[str, ...]:
        return nodes_of([self.options.of]) if self.options.of is not None else ()

    def open(self) -> None:
        """Loads the model: 0.7 s, some 100 MB."""
        try:
            self._identifier = load_identifier()
        except ImportError as error:
            raise LoomError(
                "REQUIREMENT_MISSING", f"{error.name} is not installed: pip install 'loom-cortex[language]'"
            ) from error

    def close(self) -> None:
        self._identifier = None

    def is_processable(self, media: Media) -> bool:
        if self.options.of is not None:
            return True
        from cortex.media.documents import is_readable

        return is_readable(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        text = sample(self._text(ctx, media))
        if sum(map(str.isalpha, text)) < self.options.min_letters:
            return
        (best, sure), *others = self._identifier.rank(text)[:3]
        ctx.output(self.LANGUAGE, best if sure >= self.options.min_confidence else "und")
        ctx.output(self.CONFIDENCE, round(float(sure), 4))
        told = others if sure >= self.options.min_confidence else [(best, sure), *others][:2]
        ctx.output(self.OTHERS, [{"language": code, "confidence": round(float(p), 4)} for code, p in told])

    def _text(self, ctx: NodeContext, media: Media) -> str:
        if self.options.of is not None:
            return "\n".join(texts_of(value_of(ctx, self.options.of)))
        from cortex.media.documents import read_document

        return read_document(media, _LIMIT, ctx.progress).text()


def load_identifier() -> Any:
    """As the package's own loader does it, which needs a file to write to, and a worker has none."""
    import io
    import lzma
    from array import array

    import numpy as np
    from py3langid.langid import MODEL_FILE, LanguageIdentifier
    from py3langid.modelio import __file__ as package

    with lzma.open(Path(package).parent / MODEL_FILE) as packed:
        unpacked = io.BytesIO(packed.read())
    with np.load(unpacked, allow_pickle=False) as model:
        moves, rows = (
            array(_CODES[model[name].itemsize], model[name].tobytes()) for name in ("nextmove", "nextmove_row")
        )
        return LanguageIdentifier(
            model["ptc"],
            model["pc"],
            model["classes"].tolist(),
            moves,
            model["out_feat"].tolist(),
            norm_probs=True,
            tk_row=rows,
        )


def sample(text: str) -> str:
    """At most 4000 characters, in eight pieces spread evenly over it."""
    if len(text) <= _ENOUGH:
        return text
    piece = _ENOUGH // _PIECES
    step = (len(text) - piece) // (_PIECES - 1)
    return "\n".join(text[at : at + piece] for at in range(0, step * _PIECES, step))
