"""What an operator's class says of itself: its `OperatorSpec`, and its config in normal form."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from pydantic import ValidationError

from cortex.node import MediaNode, NodeOptions, keys_of, output_keys, validate_options
from loom.graph.ports import BUCKET, CONTENT_TYPE, VERDICTS, find, takes_asset, takes_files
from loom.graph.specs import ConfigProblem, OperatorSpec, Port, Requirement
from loom.model import Kind

OPERATOR_ID = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")

_TAKEN = frozenset({"id", "filter", "timeout_s", "retries"})
"""What a node has besides its options; an option may not have such a name."""


class NotAnOperatorError(Exception):
    """The object that an entry point names breaks a rule for operators; the message completes “it …”."""


def describe(operator: str, node: object) -> OperatorSpec:
    """The spec of the class that stands for `operator`. Raises `NotAnOperatorError` with the first rule it breaks."""
    cls = _checked(operator, node)
    text = inspect.cleandoc(cls.__doc__ or "")
    return OperatorSpec(
        id=operator,
        version=cls.version,
        summary=" ".join(text.partition("\n\n")[0].split()),
        description=text,
        inputs=_inputs(cls),
        outputs=_outputs(cls),
        values=tuple(key.spec for key in output_keys(cls)),
        config_schema=cls.options_model.model_json_schema(),
        kinds=_kinds(cls),
        reads=None if cls.reads is None else nodes_of(_all_of(str, cls.reads, "reads")),
        needs=nodes_of(_all_of(str, cls.needs, "needs")),
        takes=tuple(name for name in (*(cls.reads or ()), *cls.needs) if "." in name),
        buckets=_buckets(cls),
        verdicts=cls.verdicts,
        capabilities=frozenset(_all_of(str, cls.capabilities, "capabilities")),
        requires=_all_of(Requirement, cls.requires, "requires"),
    )


def _checked(operator: str, node: object) -> type[MediaNode[Any]]:
    if not (isinstance(node, type) and issubclass(node, MediaNode)):
        raise NotAnOperatorError("is not a class derived from MediaNode")
    if not OPERATOR_ID.fullmatch(operator):
        raise NotAnOperatorError("has an id that is not made of lowercase letters, digits, hyphens and dots")
    if getattr(node, "operator", None) != operator:
        raise NotAnOperatorError(f"calls itself {getattr(node, 'operator', None)!r}")
    version: object = node.version
    if not isinstance(version, str) or not version:
        raise NotAnOperatorError("has a version that is not a string")
    if taken := sorted(_TAKEN & node.options_model.model_fields.keys()):
        raise NotAnOperatorError(f"has an option called {taken[0]!r}, which every node has already")
    if "source" not in node.capabilities and node.compute is MediaNode.compute:
        raise NotAnOperatorError("does not define compute()")
    return node


def _all_of(kind: type[Any], values: Any, attribute: str) -> tuple[Any, ...]:
    """A string in place of a tuple of strings is the usual slip."""
    if isinstance(values, str) or not all(isinstance(value, kind) for value in values):
        raise NotAnOperatorError(f"has `{attribute}` that are not a collection of {kind.__name__}")
    return tuple(values)


def _inputs(cls: type[MediaNode[Any]]) -> tuple[Port, ...]:
    """The inputs of a class. Raises `NotAnOperatorError`."""
    ports: tuple[Port, ...] = _all_of(Port, cls.inputs, "inputs")
    for port in ports:
        _check_type(port, "input")
        if port.key is not None or port.passes is not None:
            raise NotAnOperatorError(f"has an input {port.id!r} with `key` or `passes`, which outputs have")
        if takes_asset(port) and port.cardinality == "many":
            raise NotAnOperatorError(f"has an input {port.id!r} for many assets: an operator gets one")
    if sum(not takes_asset(port) for port in ports) > 1:
        raise NotAnOperatorError("has more than one input for values or derived files")
    if VERDICTS in keys_of(cls) and any(not takes_asset(port) for port in ports):
        raise NotAnOperatorError(f"has an OutputKey {VERDICTS!r}, under which the verdicts of items stand")
    return ports


def _outputs(cls: type[MediaNode[Any]]) -> tuple[Port, ...]:
    """The outputs of a class. Raises `NotAnOperatorError`."""
    ports: tuple[Port, ...] = _all_of(Port, cls.outputs, "outputs")
    keys = keys_of(cls)
    for port in ports:
        _check_type(port, "output")
        if port.passes is not None and find(cls.inputs, port.passes) is None:
            raise NotAnOperatorError(
                f"has an output {port.id!r} that passes an input {port.passes!r}, which it has not"
            )
        if takes_files(port):  # the key is a name of files
            continue
        if port.key is not None and port.key not in keys:
            raise NotAnOperatorError(f"has an output {port.id!r} with the key {port.key!r}, which no OutputKey has")
        if port.cardinality == "many" and (port.key is None or list not in keys[port.key].accepts):
            raise NotAnOperatorError(f"has an output {port.id!r} of many values without the `key` of a list")
    return ports


def _check_type(port: Port, side: str) -> None:
    if not CONTENT_TYPE.fullmatch(port.content_type):
        raise NotAnOperatorError(
            f"has an {side} {port.id!r} of the type {port.content_type!r}: write family/type, such as media/image"
        )


def _buckets(cls: type[MediaNode[Any]]) -> str | None:
    if cls.buckets is None:
        return None
    if cls.buckets not in cls.options_model.model_fields:
        raise NotAnOperatorError(f"has buckets by an option {cls.buckets!r}, which it has not")
    if BUCKET not in keys_of(cls):
        raise NotAnOperatorError(f"has buckets without an OutputKey {BUCKET!r}")
    return cls.buckets


def nodes_of(names: Iterable[str]) -> tuple[str, ...]:
    """The nodes among `node` and `node.key`."""
    return tuple(dict.fromkeys(name.partition(".")[0] for name in names))


def _kinds(cls: type[MediaNode[Any]]) -> frozenset[Kind]:
    try:
        return frozenset(Kind(kind) for kind in _all_of(str, cls.kinds, "kinds"))
    except ValueError as error:
        raise NotAnOperatorError(f"has a kind that does not exist: {error}") from None


def normalise(model: type[NodeOptions], config: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[ConfigProblem, ...]]:
    """The config with its defaults as plain JSON values, sets in order; or an empty one and what is wrong with it."""
    try:
        options = validate_options(model, config)
        encoded = msgspec.json.encode(options.model_dump(), order="deterministic", enc_hook=str)
        return msgspec.json.decode(encoded), ()
    except ValidationError as error:
        return {}, tuple(_problem(detail) for detail in error.errors(include_url=False))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return {}, (ConfigProblem("", f"this is not plain data: {error}"),)


def _problem(detail: Any) -> ConfigProblem:
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "value_error":
        return ConfigProblem(field, str(detail["ctx"]["error"]))
    if detail["type"] == "extra_forbidden":
        return ConfigProblem(field, "there is no such option")
    return ConfigProblem(field, detail["msg"][:1].lower() + detail["msg"][1:])
