from __future__ import annotations

import pytest

from cortex.expression import ExpressionError, parse
from cortex.expression.tree import MAX_DEPTH, MAX_LENGTH, Both, Compare, Either, Not, Reference, Value

A, B, C = Reference("a", ("x",)), Reference("b", ("x",)), Reference("c", ("x",))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a.x or b.x and c.x", Either((A, Both((B, C))))),
        ("(a.x or b.x) and not c.x", Both((Either((A, B)), Not(C)))),
        ("not a.x == 1", Not(Compare(A, "==", Value(1)))),
        ("a.x not in [1, 'b', null]", Compare(A, "not in", Value([1, "b", None]))),
        ("a.x in []", Compare(A, "in", Value([]))),
        ("is-image.some_key.sub-key", Reference("is-image", ("some_key", "sub-key"))),
        ("1st.x<2", Compare(Reference("1st", ("x",)), "<", Value(2))),
        ("a.x==-1.5e3", Compare(A, "==", Value(-1500.0))),
        (r"""a.x == "q\"\\\n" """, Compare(A, "==", Value('q"\\\n'))),
        ("a.x == 'ü'", Compare(A, "==", Value("ü"))),
        ("a.x == true", Compare(A, "==", Value(True))),
        ("media.kind\n==\n'image'", Compare(Reference("media", ("kind",)), "==", Value("image"))),
    ],
)
def test_expressions_become_trees(text, tree):
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "value"),
    [("10B", 10), ("10kB", 10240), ("2MB", 2 << 20), ("2MiB", 2 << 20), ("1.5GB", 1.5 * 2**30), ("30s", 30),
     ("5min", 300), ("2h", 7200), ("1d", 86400), ("250ms", 0.25)],
)  # fmt: skip
def test_numbers_may_have_units(text, value):
    assert parse(text) == Value(value)


@pytest.mark.parametrize(
    ("text", "position", "part"),
    [
        ("", 1, "the end"),
        ("   ", 1, "the end"),
        ("a.x >", 6, "the end"),
        ("a.x = 1", 5, "=="),
        ("a.x < 1 < 2", 9, "and"),
        ("a.x == 'b", 8, "does not end"),
        ("a.x == 3zz", 8, "unit"),
        ("a.x == '\\q'", 9, "means nothing"),
        ("a.x b.x", 5, "'b.x'"),
        ("a.x in [1, 2", 13, "the end"),
        ("a.x in [1 2]", 11, "2"),
        ("a.x in [b.x]", 9, "'b.x'"),
        ("a.x not 1", 9, "1"),
        ("(a.x", 5, "the end"),
        ("a.x + 1", 5, "'+'"),
        ("f(a.x)", 1, "f.KEY"),
        ("a..x", 1, "not expected"),
        ("a.x.__class__()", 14, "'('"),
        ("image", 1, "'image' for text"),
        ("media.path == 'x'", 1, "media.kind, media.mime, media.size"),
        ("and", 1, "'and'"),
        ("a.x; b.x", 4, "';'"),
    ],
)
def test_errors_say_where_and_what(text, position, part):
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert f"at character {position})" in str(error.value)
    assert part in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "a.x == " + "1" * MAX_LENGTH,
        "(" * (MAX_DEPTH + 1) + "a.x" + ")" * (MAX_DEPTH + 1),
        "not " * (MAX_DEPTH + 1) + "a.x",
        "a.x in [" + "1," * 400 + "1]",
        " or ".join(["a.x"] * 200),
    ],
)
def test_length_depth_and_parts_are_bounded(text):
    with pytest.raises(ExpressionError, match=r"longer than|nested more than|more than 300 parts"):
        parse(text)
