"""What an expression comes to, given the values it may look at."""

from __future__ import annotations

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from cortex.expression.tree import Both, Compare, Either, Reference, Tree, Value
from cortex.outputs import part_of

Lookup = Callable[[str, str], Any]
"""Gives the value of a node (or of `media`) under a key, None when there is none."""

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def evaluate(tree: Tree, lookup: Lookup) -> Any:
    """The value of the tree. What is absent is null. An ordering comparison holds only between two numbers or two
    strings, so never with null; equality never holds between values of different types (1 and 1.0 are both numbers);
    `in` looks for an item of a list, a key of an object, or a part of a string. As a condition, null, false, 0, ""
    and empty lists and objects count as false."""
    if isinstance(tree, Compare):
        return _compare(evaluate(tree.left, lookup), tree.operator, evaluate(tree.right, lookup))
    if isinstance(tree, Reference):
        return _find(tree, lookup)
    if isinstance(tree, Value):
        return tree.value
    if isinstance(tree, Both):
        return all(evaluate(operand, lookup) for operand in tree.operands)
    if isinstance(tree, Either):
        return any(evaluate(operand, lookup) for operand in tree.operands)
    return not evaluate(tree.operand, lookup)


def _find(reference: Reference, lookup: Lookup) -> Any:
    key, *rest = reference.path
    return part_of(lookup(reference.node, key), rest)


def _compare(left: Any, operator: str, right: Any) -> bool:
    if operator == "==":
        return _equal(left, right)
    if operator == "!=":
        return not _equal(left, right)
    if operator == "in":
        return _contains(right, left)
    if operator == "not in":
        return not _contains(right, left)
    return _comparable(left, right) and _ORDERINGS[operator](left, right)


def _equal(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _comparable(left: Any, right: Any) -> bool:
    return (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _contains(container: Any, item: Any) -> bool:
    if isinstance(container, list):
        return any(_equal(item, member) for member in container)
    if isinstance(container, str | dict):
        return isinstance(item, str) and item in container
    return False
