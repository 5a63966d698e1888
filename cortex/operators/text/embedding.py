"""What a text is about to a model, as a vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.models import ModelFile, checked_file, requirement
from cortex.operators.references import ArtifactName, ValueName, artifact_of, nodes_of, texts_of, value_of
from cortex.operators.vision.embedding import known_as
from cortex.requirements import demand
from loom.graph.specs import Port, Requirement

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.operators.text.models import TextModel

_RUNTIME = tuple(Requirement(kind="package", name=name, extra="embedding") for name in ("onnxruntime", "tokenizers"))


class TextEmbeddingOptions(NodeOptions):
    model: ModelFile = Field(description="Path and SHA-256 of the model, in ONNX, in one file")
    tokenizer: ModelFile = Field(description="Path and SHA-256 of its `tokenizer.json`")
    of: tuple[ValueName, ...] = Field(
        (), max_length=50, description="Texts of nodes: `node.key`; those that are there, one line each"
    )
    file: ArtifactName | None = Field(
        None, description="A derived file of a node, `node.name`, with a text in UTF-8, such as `extract.text`"
    )
    prefix: str = Field("", max_length=200, description="What the model wants before a text, such as `passage: `")
    tokens: int = Field(256, ge=8, le=8192, description="Of one piece of a text, as many as the model takes")
    pieces: int = Field(8, ge=1, le=1000, description="So many pieces of a long text; their vectors are averaged")
    pooling: Literal["mean", "first"] = Field(
        "mean", description="Which vector stands for a piece: the mean of all tokens, or the first, as the model wants"
    )
    output: str | None = Field(None, description="Which of the model's outputs is the vector; else the first")
    form: Literal["float16", "list"] = Field(
        "float16", description="As base64 of half-precision numbers, little-endian, or as a list of numbers"
    )

    @model_validator(mode="after")
    def _some_text(self) -> TextEmbeddingOptions:
        if not self.of and self.file is None:
            raise ValueError("say which texts: `of` for values, or `file` for a derived file")
        return self


class TextEmbedding(MediaNode[TextEmbeddingOptions]):
    """Describes a text by a vector, with a model that you give: texts about the same have vectors in nearly the same
    direction, whatever their words.

    The texts are those of documents, captions or transcripts. The model is a file in ONNX, such as an export of MiniLM,
    E5 or BGE, that takes `input_ids` (and `attention_mask`, `token_type_ids`) and gives a row of at most 8192 numbers
    for each token or for all. It runs on one core. Vectors have the length 1, so that their products are cosines.

    Ports `in` and `out`; needs the extra `embedding` and the nodes that it names before it; nothing is downloaded.
    Without any text there are no outputs. Refuses OPERATOR_FAILED where the model gives no such row; nothing runs
    without the files or with others (REQUIREMENT_MISSING), or where `output` is none of the model's (CONFIG_INVALID).
    An example:

        model: {path: /models/e5-small.onnx, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
        tokenizer: {path: /models/e5.json, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
        of: [extract.title]
        file: extract.text
    """

    operator = "text.embedding"
    version = "2"
    reads = ()
    verdicts = False
    requires = _RUNTIME
    outputs = (Port(id="out", content_type="vector/text", key="vector"),)
    VECTOR: OutputKey[Any] = OutputKey("vector", object, "a text in base64, or a list of numbers")
    MODEL = OutputKey("model", str, "16 hexadecimal digits; vectors are compared that have the same")
    DIMENSIONS = OutputKey("dimensions", int, "how many numbers the vector has")
    TOKENS = OutputKey("tokens", int, "of how many tokens it was made")
    TRUNCATED = OutputKey("truncated", bool, "whether the text has more")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._model: TextModel | None = None

    def named_nodes(self) -> tuple[str, ...]:
        return nodes_of((*self.options.of, *([self.options.file] if self.options.file is not None else [])))

    def requirements(self) -> Sequence[Requirement]:
        return (*_RUNTIME, *(requirement(one, {}) for one in (self.options.model, self.options.tokenizer)))

    def open(self) -> None:
        demand(self.requirements())
        from cortex.operators.text.models import TextModel

        files = [checked_file(one, {}) for one in (self.options.model, self.options.tokenizer)]
        self._model = TextModel(*files, tokens=self.options.tokens, pieces=self.options.pieces)

    def close(self) -> None:
        self._model = None

    def compute(self, ctx: NodeContext, media: Media) -> None:
        from cortex.operators.vision.vectors import stored

        assert self._model is not None, "the engine calls open() first"
        text = self._text(ctx)
        if not text.strip():
            return
        found = self._model.embed(self.options.prefix + text, self.options.pooling, self.options.output)
        if found is None:
            return
        ctx.output(self.VECTOR, stored(found.vector, self.options.form))
        options = self.options
        told = known_as(options.model.sha256, options.tokenizer.sha256, options.pooling, options.output or "")
        ctx.output(self.MODEL, told)
        ctx.output(self.DIMENSIONS, len(found.vector))
        ctx.output(self.TOKENS, found.tokens)
        ctx.output(self.TRUNCATED, found.truncated)

    def _text(self, ctx: NodeContext) -> str:
        made = artifact_of(ctx, self.options.file) if self.options.file is not None else None
        lines = [text for name in self.options.of for text in texts_of(value_of(ctx, name))]
        return "\n".join([*lines, *([made.data.decode("utf-8", "replace")] if made is not None else [])])
