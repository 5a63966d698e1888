from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cortex.shm.declaration import Declaration
from cortex.shm.text import from_toml, to_toml

ALIGNED = np.dtype([("a", "i1"), ("b", ">f8"), ("c", "i2")], align=True)
DTYPES = [
    *map(np.dtype, ["?", "<f2", "g", ">c8", "S5", ">U3", "V7", "<M8[ns]", "M8", "m8[25s]"]),
    ALIGNED,
    np.dtype({"names": ["b", "a"], "formats": ["<f4", "i1"], "offsets": [8, 2], "itemsize": 23}),
    np.dtype({"names": ["all", "low"], "formats": ["<u4", "<u2"], "offsets": [0, 0], "titles": [None, "lower ½"]}),
    np.dtype([("grid", "<f4", (2, 3)), ("one", "u1", (1,)), ("empty", "S0"), ("é \0", [("deep", ALIGNED, (4,))])]),
    np.dtype([("a", np.dtype(("<f4", (2,))), (3,))]),
    np.dtype([("pad", np.dtype({"names": [], "formats": [], "itemsize": 8}))]),
    np.dtype((np.record, [("a", "<f4"), ("b", (np.record, [("c", "u1")]))])),
]  # fmt: skip


def exactly(kind: np.dtype[Any]) -> object:
    """All that makes a dtype what it is; == of numpy overlooks some of it."""
    fields = {name: (exactly(field[0]), *field[1:]) for name, field in (kind.fields or {}).items()}
    base = (exactly(kind.base), kind.shape) if kind.subdtype else None
    return kind.str, kind.type, kind.itemsize, kind.alignment, kind.isalignedstruct, kind.names, fields, base


@pytest.mark.parametrize("kind", DTYPES, ids=str)
def test_dtypes_come_back_the_very_same(kind: np.dtype[Any]) -> None:
    declaration = Declaration("d")
    declaration.add_stream("s", shape=(2,), dtype=kind)
    restored = from_toml(to_toml(declaration)).streams["s"].dtype
    assert restored == kind
    assert exactly(restored) == exactly(kind)


def test_a_dtype_without_a_written_form_is_refused_on_saving() -> None:
    declaration = Declaration("d")
    declaration.add_stream("s", shape=(2,), dtype=np.dtype({"names": ["a"], "formats": ["u1"], "titles": [3]}))
    with pytest.raises(ValueError, match="stream 's': the title 3 of the field 'a' is not text"):
        to_toml(declaration)
    extension = pytest.importorskip("ml_dtypes", reason="needs a dtype from outside of numpy")
    declaration = Declaration("d")
    declaration.add_stream("s", shape=(2,), dtype=extension.bfloat16)
    with pytest.raises(ValueError, match=r"stream 's': .*bfloat16.* no written form"):
        to_toml(declaration)
