"""What makes a result reusable, and what makes a plan the same plan: BLAKE2b-256 of canonical JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loom.graph.plan import AssetFilter, Inbound, Source, Step
from loom.graph.specs import OperatorSpec


def signature(
    spec: OperatorSpec,
    config: dict[str, Any],
    reads: Iterable[Step],
    effect_of: tuple[str, str] | None,
    taken: Sequence[Sequence[Any]] = (),
) -> bytes:
    """The digest of operator, version, normalised config (without `enabled`) and the steps whose outputs it reads, each
    with its node id and, where they decide whether there are outputs, its filter and that it is switched off.
    `effect_of` is pipeline and node of an operator with a side effect, `taken` node, key and depth of what comes in at
    its input for values, and along which ways."""
    read = sorted((step.node, _seen_by_readers(step)) for step in reads)
    return _digest([spec.id, spec.version, config, read, effect_of, *([taken] if taken else [])])


def plan_digest(source: Source, steps: Sequence[Step]) -> bytes:
    """The digest of all that decides outcomes, however the definition orders its nodes."""
    names = {step.index: step.node for step in steps}
    rows = [
        [
            step.node,
            step.signature.hex(),
            sorted(_inbound(edge, names) for edge in step.inbound),
            sorted(step.needs),
            sorted(step.kinds),
            step.enabled,
            _filter(step.filter),
        ]
        for step in sorted(steps, key=lambda step: step.node)
    ]
    return _digest([source.node, source.operator, source.config, rows])


def _inbound(edge: Inbound, names: Mapping[int, str]) -> list[str]:
    """The bucket only where there is one, so that plans without have the digests that they always had."""
    return [names.get(edge.upstream, ""), edge.branch or "", *([] if edge.bucket is None else [edge.bucket])]


def _seen_by_readers(step: Step) -> str:
    if not step.enabled:
        return "off"
    return step.signature.hex() + ("" if step.filter is None else _digest(_filter(step.filter)).hex())


def _filter(filter: AssetFilter | None) -> list[Any] | None:  # noqa: A002
    if filter is None:
        return None
    globs = [sorted(filter.kinds), sorted(filter.mime), sorted(filter.path)]
    return [*globs, filter.min_size, filter.max_size]


def _digest(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=32).digest()
