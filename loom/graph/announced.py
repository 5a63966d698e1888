"""Operators known only by what workers announced of them: configs are checked against JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loom.graph.specs import ConfigProblem, OperatorSpec


class Announced:
    """A source of operators for the catalogue. A schema may refer to its own parts, never to another place."""

    def __init__(self, specs: Iterable[OperatorSpec]) -> None:
        self._specs = {spec.id: spec for spec in specs}
        self._validators: dict[str, Any] = {}

    def ids(self) -> list[str]:
        return sorted(self._specs)

    def spec(self, operator: str) -> OperatorSpec | None:
        return self._specs.get(operator)

    def normalise(self, operator: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[ConfigProblem, ...]]:
        """The config with the defaults of the schema, or what the schema refuses. Raises `KeyError` for an operator
        that nobody announced, and what `jsonschema` raises for a schema that is none."""
        schema = self._specs[operator].config_schema
        validator = self._validator(operator, schema)
        problems = tuple(problem for fault in validator.iter_errors(config) for problem in _problems(fault))
        if problems:
            return {}, problems
        filled = _filled(config, schema, schema)
        return {"enabled": True} | filled, ()

    def _validator(self, operator: str, schema: dict[str, Any]) -> Any:
        if operator not in self._validators:
            from jsonschema import Draft202012Validator
            from referencing import Registry

            Draft202012Validator.check_schema(schema)
            self._validators[operator] = Draft202012Validator(schema, registry=Registry())
        return self._validators[operator]


def _problems(fault: Any) -> Iterator[ConfigProblem]:
    where = [str(part) for part in fault.absolute_path]
    if fault.validator == "additionalProperties" and fault.validator_value is False:
        known = fault.schema.get("properties", {})
        for extra in sorted(str(key) for key in fault.instance if key not in known):
            yield ConfigProblem(".".join([*where, extra]), "there is no such option")
    elif fault.validator == "required":
        missing = next((name for name in fault.validator_value if f"'{name}' is a required" in fault.message), "")
        yield ConfigProblem(".".join([*where, missing]), "this option is missing")
    else:
        yield ConfigProblem(".".join(where), fault.message[:500])


def _filled(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    """The value with the defaults that the schema gives for what is left out, at any depth; whole numbers become
    fractions where the schema asks for a number, as the operator's own model would have them."""
    schema = _resolved(schema, root)
    if isinstance(value, Mapping):
        return _filled_object(value, schema, root)
    if isinstance(value, list) and "items" in schema:
        return [_filled(part, schema["items"], root) for part in value]
    if isinstance(value, int) and not isinstance(value, bool) and _takes(schema, "number", root):
        return float(value)
    return value


def _filled_object(value: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    options = next((part for part in _branches(schema, root) if "properties" in part), schema)
    properties = options.get("properties", {})
    defaults = {name: part["default"] for name, part in properties.items() if "default" in part}
    given = defaults | dict(value)
    return {name: _filled(part, properties.get(name, {}), root) for name, part in given.items()}


def _takes(schema: Mapping[str, Any], kind: str, root: Mapping[str, Any]) -> bool:
    """Whether this type, and no whole number, is among those the schema takes."""
    kinds = [part.get("type") for part in _branches(schema, root)]
    return kind in kinds and "integer" not in kinds


def _branches(schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    parts = [part for word in ("anyOf", "oneOf", "allOf") for part in schema.get(word, ())]
    return [schema, *(_resolved(part, root) for part in parts)]


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema, or what its `$ref` names among the definitions of the root."""
    if not isinstance(schema, Mapping):
        return {}
    name = schema.get("$ref", "")
    if not name.startswith("#/$defs/"):
        return schema
    found = root.get("$defs", {}).get(name.removeprefix("#/$defs/"), {})
    return found if isinstance(found, Mapping) else {}
