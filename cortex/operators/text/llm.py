"""Asks language models about assets."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey, ProducedArtifact
from cortex.operators.references import ArtifactName, artifact_of, nodes_of, value_of
from cortex.operators.text.llm_answers import Reply, Schema, added, field_of, reply_of
from cortex.operators.text.llm_prompts import Prompt, filled, names_in
from cortex.operators.text.llm_server import ChatServer, RefusedError, check_address, key_in
from loom.errors import LoomError
from loom.graph.specs import Port

if TYPE_CHECKING:
    from cortex.media import Media

LEAD = 10_000
"""Characters of the output `text`: at most six bytes each in JSON, so that it always has room."""

_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_OURS = frozenset({"model", "messages", "response_format", "stream", "n", "temperature", "seed", "max_tokens"})


def _is_schema(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    Schema(schema)
    return schema


class PromptOptions(NodeOptions):
    base_url: str = Field(
        max_length=2000,
        description="Of the server, such as `https://api.openai.com/v1` or `http://127.0.0.1:11434/v1`.",
    )
    model: str = Field(min_length=1, max_length=200, description="Which model is asked, as the server calls it.")
    key_env: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        max_length=100,
        description="Name of the environment variable that holds the server's key; without it none is sent.",
    )
    plain_http: bool = Field(
        False, description="Allows http:// to other networks, where key, words and pictures can be read on the way."
    )
    system: Prompt | None = Field(None, max_length=20_000, description="What the model is told beforehand.")
    prompt: Prompt = Field(
        min_length=1,
        max_length=20_000,
        description="What it is asked, with values of nodes: `{node.key}`, or `{node.key:500}` for 500 characters.",
    )
    images: tuple[ArtifactName, ...] = Field(
        (), max_length=16, description="Pictures that it is shown: derived files of nodes, `node.name`."
    )
    max_image_bytes: int = Field(5_000_000, ge=1000, le=20_000_000, description="Of one picture.")
    answer_schema: Annotated[dict[str, JsonValue], AfterValidator(_is_schema)] | None = Field(
        None, description="JSON Schema of the answer, an object; without it the answer is a text."
    )
    outputs: dict[
        Literal["title", "caption", "description", "keywords", "labels"],
        Annotated[str, StringConstraints(min_length=1, max_length=200)],
    ] = Field(
        {}, description="Which field of the answer (`name` or `name.inner`) each of these is; without schema: `text`."
    )
    temperature: float | None = Field(
        None, ge=0, le=2, description="0 for the likeliest words; without it the server's."
    )
    seed: int | None = Field(None, ge=0, le=2**31 - 1, description="For answers that can be had again, where it can.")
    max_tokens: int | None = Field(None, ge=1, le=1_000_000, description="No longer answer is asked for.")
    more: dict[str, JsonValue] = Field({}, max_length=50, description="Other fields of the request, as the server has.")
    price_in: float = Field(0, ge=0, le=1e6, description="Of a million tokens of what is asked, for the output `cost`.")
    price_out: float = Field(0, ge=0, le=1e6, description="Of a million tokens of what is answered, likewise.")
    attempts: int = Field(4, ge=1, le=10, description="How often a server that does not answer is asked.")
    wait_s: float = Field(120, gt=0, le=3600, description="Seconds that an answer may take.")

    @model_validator(mode="after")
    def _fits_together(self) -> PromptOptions:
        check_address(self.base_url, plain_http=self.plain_http)
        if not self.values and not self.images:
            raise ValueError("neither a value nor a picture is asked about: every file would get the same answer")
        if taken := sorted(_OURS & self.more.keys()):
            raise ValueError(f"`more` cannot have {taken[0]!r}")
        fields = {"text": {}} if self.answer_schema is None else self.answer_schema.get("properties")
        for name, path in self.outputs.items():
            if isinstance(fields, dict) and path.partition(".")[0] not in fields:
                raise ValueError(f"{name} is to be {path!r}, which is no field of the answer")
        return self

    @property
    def values(self) -> tuple[str, ...]:
        """The values that the prompts name."""
        return names_in(self.system or "", self.prompt)


class LlmPrompt(MediaNode[PromptOptions]):
    """Asks a language model: for captions, keywords, summaries, translations, moods, or what is not to be shown.

    `{base_url: "http://127.0.0.1:11434/v1", model: llava, prompt: Describe this picture., images:
    [thumbnail.thumbnail], outputs: {caption: text}}` is an example; `config/pipelines/captions.yaml` and
    `enrichment.yaml` have more. Any server that speaks as OpenAI's does will do: POST to `base_url/chat/completions`.
    The model sees the values and derived files that the options name, never the file. A value that is not there is
    empty; when none of them is, nothing is asked, and there are no outputs. What is in files may try to talk the model
    into something: do not let its answers alone decide on what cannot be undone.

    With `answer_schema` the answer is JSON that follows it: the server is told (`response_format`, left out when it
    refuses that), the answer is checked here, and asked for once more with what was wrong with it. 408, 409, 425, 429,
    5xx, no answer, a broken one and one that takes longer than `wait_s` are asked for again after 0.5, 1, 2 … seconds,
    or after those that `Retry-After` says, at most 30. The time limit of the node is renewed meanwhile. A dry run asks
    too. `cortex limits` bounds how many are asked at once.

    Ports `in` and `out`; needs the network and the nodes that it names before it. The key comes from the environment
    and stands in no message. It does not get ready without the variable (REQUIREMENT_MISSING). Fails with TRY_AGAIN
    (no answer), REQUIREMENT_MISSING (key, model or address are not right), both tried again in the next run;
    OPERATOR_FAILED (the server or the model refuses), OUTPUT_INVALID (an answer that does not follow the schema, has no
    text or more than 4 MiB), FILE_TOO_LARGE and FORMAT_UNSUPPORTED (a picture that is too large, or no JPEG, PNG, WebP
    or GIF).
    """

    operator = "llm.prompt"
    outputs = (Port(id="out", content_type="struct/answer"),)
    reads = ()
    verdicts = False
    capabilities = frozenset({"network"})
    TEXT = OutputKey(
        "text", str, "The answer, without a schema: its first 10,000 characters; all is in `text`, a file."
    )
    ANSWER = OutputKey("answer", dict, "The answer that follows the schema.")
    TITLE = OutputKey("title", str, "What the option `outputs` says it is.")
    CAPTION = OutputKey("caption", str, "Likewise.")
    DESCRIPTION = OutputKey("description", str, "Likewise.")
    KEYWORDS = OutputKey("keywords", list, "Likewise.")
    LABELS = OutputKey("labels", list, "Likewise.")
    MODEL = OutputKey("model", str, "The model, as the server says.")
    FINISH = OutputKey("finish", str, "Why the answer ends, such as `stop`, or `length` when it was cut off.")
    PROMPT_TOKENS = OutputKey("prompt_tokens", int, "What was asked, in tokens, as the server counts them.")
    COMPLETION_TOKENS = OutputKey("completion_tokens", int, "What was answered, likewise.")
    COST = OutputKey("cost", float, "What that cost, by the prices of the options.")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._server: ChatServer | None = None
        self._schema: Schema | None = None
        self._tells_schema = self.options.answer_schema is not None

    def named_nodes(self) -> tuple[str, ...]:
        return nodes_of((*self.options.values, *self.options.images))

    def open(self) -> None:
        options = self.options
        key = key_in(options.key_env) if options.key_env is not None else None
        self._schema = None if options.answer_schema is None else Schema(options.answer_schema)
        self._server = ChatServer(options.base_url, key, wait_s=options.wait_s, attempts=options.attempts)

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def compute(self, ctx: NodeContext, media: Media) -> None:
        images = [self._shown(found) for name in self.options.images if (found := artifact_of(ctx, name)) is not None]
        values = {name: value_of(ctx, name) for name in self.options.values}
        if not images and all(value in (None, "", []) for value in values.values()):
            return
        text = filled(self.options.prompt, values)
        messages: list[dict[str, Any]] = []
        if self.options.system is not None:
            messages.append({"role": "system", "content": filled(self.options.system, values)})
        content = [{"type": "text", "text": text}, *images] if images else text
        messages.append({"role": "user", "content": content})
        reply = self._ask(messages, ctx)
        if self._schema is None:
            self._say(ctx, reply, {"text": reply.text})
            ctx.output(self.TEXT, reply.text[:LEAD])
            if len(reply.text) > LEAD:
                ctx.artifact("text", reply.text.encode(), "text/plain; charset=utf-8")
            return
        answer, reply = self._answer(messages, reply, self._schema, ctx)
        self._say(ctx, reply, answer)
        ctx.output(self.ANSWER, answer)

    def _shown(self, picture: ProducedArtifact) -> dict[str, Any]:
        if picture.media_type not in _PICTURES:
            raise LoomError("FORMAT_UNSUPPORTED", f"{picture.name!r} is {picture.media_type}, which no model is shown")
        if len(picture.data) > self.options.max_image_bytes:
            raise LoomError("FILE_TOO_LARGE", f"{picture.name!r} has more bytes than `max_image_bytes` says")
        data = base64.b64encode(picture.data).decode()
        return {"type": "image_url", "image_url": {"url": f"data:{picture.media_type};base64,{data}"}}

    def _answer(
        self, messages: list[dict[str, Any]], reply: Reply, schema: Schema, ctx: NodeContext
    ) -> tuple[dict[str, Any], Reply]:
        """The answer that follows the schema, asked for once more if need be, and what both cost."""
        try:
            return schema.read(reply.text), reply
        except ValueError as fault:
            repair = f"Your answer {fault}. Answer again with the corrected JSON object, and nothing else."
        told = [{"role": "assistant", "content": reply.text}, {"role": "user", "content": repair}]
        second = self._ask([*messages, *told], ctx)
        both = second._replace(
            prompt_tokens=added(reply.prompt_tokens, second.prompt_tokens),
            completion_tokens=added(reply.completion_tokens, second.completion_tokens),
        )
        try:
            return schema.read(second.text), both
        except ValueError as fault:
            raise LoomError("OUTPUT_INVALID", f"the model's answer, asked for twice, {fault}") from None

    def _ask(self, messages: list[dict[str, Any]], ctx: NodeContext) -> Reply:
        assert self._server is not None, "the engine calls open() first"
        try:
            return reply_of(self._server.ask(self._body(messages), ctx.progress))
        except RefusedError:
            if not self._tells_schema:
                raise
        answer = self._server.ask(self._body(messages, tells_schema=False), ctx.progress)
        self._tells_schema = False
        return reply_of(answer)

    def _body(self, messages: list[dict[str, Any]], *, tells_schema: bool = True) -> dict[str, Any]:
        options = self.options
        body: dict[str, Any] = {**options.more, "model": options.model, "messages": messages}
        settings = {"temperature": options.temperature, "seed": options.seed, "max_tokens": options.max_tokens}
        body.update((name, value) for name, value in settings.items() if value is not None)
        if options.answer_schema is None:
            return body
        if self._tells_schema and tells_schema:
            schema = {"name": "answer", "strict": True, "schema": options.answer_schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        else:
            schema_text = msgspec.json.encode(options.answer_schema).decode()
            told = f"Answer with a JSON object alone, which follows this JSON Schema: {schema_text}"
            first, *rest = messages
            is_system = first["role"] == "system"
            told = f"{first['content']}\n\n{told}" if is_system else told
            body["messages"] = [{"role": "system", "content": told}, *(rest if is_system else messages)]
        return body

    def _say(self, ctx: NodeContext, reply: Reply, answer: dict[str, Any]) -> None:
        """The outputs that every answer has."""
        for name, path in self.options.outputs.items():
            if (value := field_of(answer, path)) is not None:
                ctx.output(_KEYS[name], value[:LEAD] if isinstance(value, str) else value)
        told: dict[OutputKey[Any], Any] = {
            self.MODEL: reply.model,
            self.FINISH: reply.finish,
            self.PROMPT_TOKENS: reply.prompt_tokens,
            self.COMPLETION_TOKENS: reply.completion_tokens,
            self.COST: self._cost(reply),
        }
        for key, value in told.items():
            if value is not None:
                ctx.output(key, value)

    def _cost(self, reply: Reply) -> float | None:
        if reply.prompt_tokens is None and reply.completion_tokens is None:
            return None
        asked = (reply.prompt_tokens or 0) * self.options.price_in
        return round((asked + (reply.completion_tokens or 0) * self.options.price_out) / 1e6, 9)


_KEYS: dict[str, OutputKey[Any]] = {
    key.name: key
    for key in (
        LlmPrompt.TITLE, LlmPrompt.CAPTION, LlmPrompt.DESCRIPTION, LlmPrompt.KEYWORDS, LlmPrompt.LABELS,
    )
}  # fmt: skip
