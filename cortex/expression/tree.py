"""What an expression is once it is parsed: nested tuples, the first item saying what each is."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

MEDIA = "media"
"""Stands in place of a node's id for the facts of the media: `media.kind`, `media.mime`, `media.size`."""

FACTS = ("kind", "mime", "size")

MAX_LENGTH = 2_000
MAX_DEPTH = 32
MAX_PARTS = 300

Comparison = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]


class ExpressionError(ValueError):
    """The expression cannot be understood. `position` is the index of the character where it goes wrong."""

    def __init__(self, message: str, position: int) -> None:
        self.position = position
        super().__init__(f"{message} (at character {position + 1})")


class Value(NamedTuple):
    """A literal: a string, number, boolean, null, or a list of such."""

    value: Any


class Reference(NamedTuple):
    """`node.key.subkey`: a value that a node gave, or (node `media`) a fact of the media."""

    node: str
    path: tuple[str, ...]


class Compare(NamedTuple):
    left: Tree
    operator: Comparison
    right: Tree


class Not(NamedTuple):
    operand: Tree


class Both(NamedTuple):
    """True when every operand is true."""

    operands: tuple[Tree, ...]


class Either(NamedTuple):
    """True when some operand is true."""

    operands: tuple[Tree, ...]


Tree = Value | Reference | Compare | Not | Both | Either


def nodes_named(tree: Tree) -> set[str]:
    """The ids of the nodes whose values the expression looks at."""
    if isinstance(tree, Reference):
        return set() if tree.node == MEDIA else {tree.node}
    if isinstance(tree, Compare):
        return nodes_named(tree.left) | nodes_named(tree.right)
    if isinstance(tree, Not):
        return nodes_named(tree.operand)
    if isinstance(tree, Both | Either):
        return set().union(*map(nodes_named, tree.operands))
    return set()
