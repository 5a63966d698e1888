"""Reads an expression into a tree, by recursive descent:

either     = both { "or" both }
both       = negation { "and" negation }
negation   = "not" negation | comparison
comparison = operand [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" | [ "not" ] "in" ) operand ]
operand    = literal | "[" [ literal { "," literal } ] "]" | node "." key { "." key } | "(" either ")"
"""

from __future__ import annotations

from typing import Any, cast

from cortex.expression.tokens import Token, tokens
from cortex.expression.tree import (
    FACTS,
    MAX_DEPTH,
    MAX_PARTS,
    MEDIA,
    Both,
    Compare,
    Comparison,
    Either,
    ExpressionError,
    Not,
    Reference,
    Tree,
    Value,
)

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}
_WORDS = frozenset({"and", "or", "not", "in"})


def parse(text: str) -> Tree:
    """The tree of an expression. Raises `ExpressionError` with the place where it goes wrong."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._next = 0
        self._depth = 0
        if len(self._tokens) > MAX_PARTS:
            raise ExpressionError(f"the expression has more than {MAX_PARTS} parts", self._tokens[MAX_PARTS].position)

    def parse(self) -> Tree:
        tree = self._either()
        if self._peek.kind != "end":
            raise self._unexpected()
        return tree

    @property
    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self, *words: str) -> str | None:
        """Takes the next word if it is one of these signs or keywords."""
        token = self._peek
        if token.kind in ("sign", "name") and token.value in words:
            self._next += 1
            return str(token.value)
        return None

    def _unexpected(self) -> ExpressionError:
        token = self._peek
        shown = token.value if token.kind == "end" else repr(token.value)
        return ExpressionError(f"{shown} is not expected here", token.position)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"the expression is nested more than {MAX_DEPTH} deep", self._peek.position)

    def _either(self) -> Tree:
        self._deeper()
        operands = [self._both()]
        while self._take("or"):
            operands.append(self._both())
        self._depth -= 1
        return operands[0] if len(operands) == 1 else Either(tuple(operands))

    def _both(self) -> Tree:
        operands = [self._negation()]
        while self._take("and"):
            operands.append(self._negation())
        return operands[0] if len(operands) == 1 else Both(tuple(operands))

    def _negation(self) -> Tree:
        if not self._take("not"):
            return self._comparison()
        self._deeper()
        operand = self._negation()
        self._depth -= 1
        return Not(operand)

    def _comparison(self) -> Tree:
        left = self._operand()
        operator = self._comparison_sign()
        if operator is None:
            return left
        compare = Compare(left, operator, self._operand())
        position = self._peek.position
        if self._comparison_sign() is not None:
            raise ExpressionError("join two comparisons with `and`", position)
        return compare

    def _comparison_sign(self) -> Comparison | None:
        if self._take("not"):
            if not self._take("in"):
                raise self._unexpected()
            return "not in"
        return cast("Comparison | None", self._take(*_COMPARISONS, "in"))

    def _operand(self) -> Tree:
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise self._unexpected()
            return inner
        if self._take("["):
            return Value(self._list())
        token = self._peek
        if token.kind == "name" and token.value not in _CONSTANTS and token.value not in _WORDS:
            self._next += 1
            return _reference(token)
        return Value(self._literal())

    def _list(self) -> list[Any]:
        items: list[Any] = []
        while not self._take("]"):
            if items and not self._take(","):
                raise self._unexpected()
            items.append(self._literal())
        return items

    def _literal(self) -> Any:
        token = self._peek
        if token.kind == "value":
            self._next += 1
            return token.value
        if token.kind == "name" and token.value in _CONSTANTS:
            self._next += 1
            return _CONSTANTS[token.value]
        raise self._unexpected()


def _reference(token: Token) -> Reference:
    node, *path = token.value.split(".")
    if not path:
        raise ExpressionError(
            f"write {node}.KEY for a value of the node {node!r}, or {node!r} for text", token.position
        )
    if node == MEDIA and (path[0] not in FACTS or len(path) > 1):
        facts = ", ".join(f"{MEDIA}.{fact}" for fact in FACTS)
        raise ExpressionError(f"there is no {token.value}; there are {facts}", token.position)
    return Reference(node, tuple(path))
