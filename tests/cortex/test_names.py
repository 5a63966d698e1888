from __future__ import annotations

import subprocess
import sys

import pytest

import cortex
import cortex.operators


def test_the_names_of_the_package_are_there():
    for name in cortex.__all__:
        assert getattr(cortex, name) is not None
    assert set(cortex.__all__) <= set(dir(cortex))
    assert cortex.MediaNode.__module__ == "cortex.node"


def test_every_operator_has_a_name():
    for name in cortex.operators.__all__:
        assert getattr(cortex.operators, name).__name__ == name
    assert set(cortex.operators.__all__) <= set(dir(cortex.operators))


@pytest.mark.parametrize("module", [cortex, cortex.operators])
def test_other_names_are_not(module):
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = module.Nothing


def test_importing_the_packages_imports_nothing_heavy():
    code = "import sys, cortex, cortex.operators; print(len([m for m in sys.modules if m.split('.')[0] == 'pydantic']))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60).stdout == b"0\n"
