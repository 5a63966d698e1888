"""Tells a web server of the asset."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import msgspec
from pydantic import AfterValidator, Field

from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.references import ValueName, nodes_of, value_of
from cortex.operators.sinks.naming import sayable
from loom.errors import LoomError

if TYPE_CHECKING:
    import httpx

    from cortex.media import Media

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_PAUSE_S = 0.5
_MAX_PAUSE_S = 30.0
_PREFIX = "whsec_"


def _is_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(f"this is no address: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_port or parts.fragment:
        raise ValueError("the address begins with http:// or https://, names a host and has no #")
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials have no place in a definition: leave them out of the address")
    return url


class WebhookOptions(NodeOptions):
    url: Annotated[str, AfterValidator(_is_address)] = Field(max_length=2000, description="Where to POST to.")
    secret_env: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        max_length=100,
        description="Name of the environment variable that holds the secret for signing; without it nothing is signed.",
    )
    values: tuple[ValueName, ...] = Field((), max_length=200, description="Values of nodes that are sent: `node.key`.")
    attempts: int = Field(5, ge=1, le=20, description="How often it is tried in one run.")
    within_s: float = Field(
        45, gt=0, le=86_400, description="Seconds for all attempts; fewer than the node's `timeout_s`, 60 by default."
    )
    wait_s: float = Field(10, gt=0, le=600, description="Seconds that the server may take to answer one attempt.")


class Webhook(MediaNode[WebhookOptions]):
    """Tells a web server of the asset: one POST with JSON, signed and retried.

    `{url: "https://example.org/hook", secret_env: HOOK_SECRET, values: [metadata.title]}` is an example. The body has
    `type` (`asset`), `node`, `asset`, `blake3`, `size`, `mime`, `kind`, `path` and `values`. It is signed by the rules
    of Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature` (`v1,` and the HMAC-SHA256 of
    `id.timestamp.body` in base64). The secret is the text of the variable, or base64 after `whsec_`. The id, also sent
    as `Idempotency-Key`, is the same whenever the same is told of the same asset, so that a server can tell repeats.

    Any answer of 200 to 299 will do; others lead nowhere, redirects too. 408, 425, 429, 500, 502, 503, 504, no answer
    and a broken one are tried again after 0.5, 1, 2 … seconds, or after those that `Retry-After` asks for, at most 30.
    A server that has answered is not told again in later runs.

    Ports `in` and `out`; needs the network and the nodes that it names before it. It does not get ready without the
    variable (`REQUIREMENT_MISSING`). Fails with `EFFECT_FAILED`, to be tried again in the next run, when the server
    does not take it, `OUTPUT_INVALID` for values of more than 1 MiB, and `TIMED_OUT` when `within_s` is more than the
    node may take.
    """

    operator = "sink.webhook"
    outputs = HANDS_ON
    reads = ()
    verdicts = False
    capabilities = frozenset({"effect", "network"})
    STATUS = OutputKey("status", int, "The HTTP status of the answer.")
    ATTEMPTS = OutputKey("attempts", int, "How often it was tried.")
    ID = OutputKey("id", str, "The id under which the server was told.")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._client: httpx.Client | None = None
        self._secret: bytes | None = None

    def named_nodes(self) -> tuple[str, ...]:
        return nodes_of(self.options.values)

    def open(self) -> None:
        import httpx

        self._secret = secret_of(self.options.secret_env) if self.options.secret_env is not None else None
        self._client = httpx.Client(follow_redirects=False, timeout=self.options.wait_s)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def compute(self, ctx: NodeContext, media: Media) -> None:
        told = {
            "type": "asset",
            "node": ctx.node,
            "asset": str(media.asset.uuid),
            "blake3": media.asset.blake3.hex(),
            "size": media.size,
            "mime": media.mime,
            "kind": media.kind.value,
            "values": {name: value_of(ctx, name) for name in self.options.values},
        }
        number = id_of(self.options.url, told)
        body = msgspec.json.encode({**told, "path": sayable(media.path)})
        if len(body) > 1024 * 1024:
            raise LoomError("OUTPUT_INVALID", "the values come to more than 1 MiB")
        ctx.effect(f"POST to {self.options.url}", lambda: self._post(ctx, number, body))

    def _post(self, ctx: NodeContext, number: str, body: bytes) -> None:
        end = monotonic() + self.options.within_s
        pause = _FIRST_PAUSE_S
        for attempt in range(1, self.options.attempts + 1):
            status, said, asked = self._try(number, body, end - monotonic())
            if status is not None and 200 <= status < 300:
                ctx.output(self.STATUS, status)
                ctx.output(self.ATTEMPTS, attempt)
                ctx.output(self.ID, number)
                return
            wait = asked if asked is not None else pause
            left = end - monotonic() - wait
            if (status is not None and status not in _AGAIN) or attempt == self.options.attempts or left <= 0:
                raise LoomError("EFFECT_FAILED", f"the server did not take it: {said}, attempt {attempt}")
            sleep(wait)
            pause = min(pause * 2, _MAX_PAUSE_S)

    def _try(self, number: str, body: bytes, left: float) -> tuple[int | None, str, float | None]:
        """The status of the answer, None without one; what to say of it; how long to wait if the server says so."""
        import httpx

        if self._client is None:
            raise LoomError("INTERNAL", "the node is not open")
        headers = {"content-type": "application/json", **signed(self._secret, number, body, int(time()))}
        try:
            with self._client.stream(
                "POST",
                self.options.url,
                content=body,
                headers=headers,
                timeout=max(0.01, min(self.options.wait_s, left)),
            ) as answer:
                return answer.status_code, f"HTTP {answer.status_code}", pause_of(answer.headers.get("retry-after"))
        except httpx.HTTPError as error:
            return None, f"{type(error).__name__}: {error}", None


def secret_of(variable: str) -> bytes:
    """The secret that an environment variable holds. Raises `REQUIREMENT_MISSING`."""
    text = os.environ.get(variable, "").strip()
    if not text:
        raise LoomError(
            "REQUIREMENT_MISSING", f"the environment variable {variable}, which holds the secret, is not set"
        )
    if not text.startswith(_PREFIX):
        return text.encode("utf-8", "surrogateescape")
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        raise LoomError("REQUIREMENT_MISSING", f"what follows {_PREFIX} in {variable} is no base64") from None


def id_of(url: str, told: Mapping[str, Any]) -> str:
    """The same for the same told to the same server."""
    text = msgspec.json.encode([url, told], order="deterministic")
    return f"msg_{hashlib.blake2b(text, digest_size=16).hexdigest()}"


def signed(secret: bytes | None, number: str, body: bytes, now: int) -> dict[str, str]:
    """The headers that tell who says it, and that it is no repeat; `now` in seconds since 1970."""
    headers = {"webhook-id": number, "webhook-timestamp": str(now), "idempotency-key": number}
    if secret is not None:
        code = hmac.new(secret, f"{number}.{now}.".encode() + body, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(code).decode()}"
    return headers


def pause_of(retry_after: str | None) -> float | None:
    """Seconds, at most 30, that a `Retry-After` asks for, as a number or a date; None without one."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            moment = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _MAX_PAUSE_S) if not math.isnan(seconds) else None
