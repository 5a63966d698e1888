from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.errors import LoomError
from loom.store import values


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_unsigned_numbers_survive(number):
    assert -(2**63) <= values.signed(number) < 2**63
    assert values.signed(number) & values.ALL_BITS == number


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_signed_numbers_are_kept_as_they_are(number):
    assert values.signed(number) == number


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_can_be_stored_by_every_database(text):
    assert "\0" not in values.clean(text)
    values.clean(text).encode("utf-8")


@given(st.binary(min_size=1, max_size=300), st.text(max_size=20))
def test_any_name_can_be_searched(name, query):
    assert values.folded(name)
    values.folded_query(query)


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=30))
def test_a_name_is_found_by_itself(text):
    assert values.folded_query(text) == values.folded(text.encode())


def test_times_are_shown_in_utc():
    assert values.iso(1_500_000) == "1970-01-01T00:00:01.500Z"
    assert values.iso(-1) == "1969-12-31T23:59:59.999Z"
    assert values.iso(2**62) == "9999-12-31T23:59:59.999Z"
    assert values.iso(-(2**62)) == "0001-01-01T00:00:00.000Z"


@given(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)))
def test_cursors_come_back(key):
    assert values.key_of_cursor(values.cursor_of(*key), int, int) == key


@pytest.mark.parametrize("cursor", ["", "!", "%%%", "bnVsbA", values.cursor_of("a"), values.cursor_of(1, 2),
                                    values.cursor_of(2**63), values.cursor_of(1) + "\n", "é"])  # fmt: skip
def test_other_cursors_are_refused(cursor):
    with pytest.raises(LoomError) as refused:
        values.key_of_cursor(cursor, int)
    assert refused.value.code == "REQUEST_INVALID"


@given(st.lists(st.binary(max_size=5), max_size=4), st.lists(st.binary(max_size=5), max_size=4))
def test_keys_tell_parts_apart(one, other):
    assert (values.key_of(*one) == values.key_of(*other)) == (one == other)
