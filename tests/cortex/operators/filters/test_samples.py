from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from cortex.node import NodeContext
from cortex.operators.filters.samples import SampleFilter
from cortex.testing import run_operator
from loom.model import Branch


def sample(count=4000, **options):
    """Which of so many contents pass."""
    node = SampleFilter(**options)
    passed = set()
    for number in range(count):
        ctx = NodeContext("sample", {})
        node.compute(ctx, SimpleNamespace(asset=SimpleNamespace(blake3=number.to_bytes(32))))
        if ctx.result_verdict is Branch.PASS:
            passed.add(number)
    return passed


def test_the_size_of_a_sample():
    assert 340 < len(sample(fraction=0.1)) < 460
    assert 340 < len(sample(every=10)) < 460
    assert len(sample(every=1)) == len(sample(fraction=1.0)) == 4000


def test_a_sample_stays_what_it_is():
    assert sample(50, every=5) == {5, 10, 11, 18, 19, 20, 23, 26, 30, 41, 43, 45, 46}
    assert sample(fraction=0.1) < sample(fraction=0.2)
    other = sample(fraction=0.1, seed="other")
    assert 340 < len(other) < 460
    assert len(other & sample(fraction=0.1)) < 100


def test_real_and_broken_files_alike(real_image, real_audio, broken_files, tmp_path):
    for path in (real_image, real_audio, *broken_files):
        copy = tmp_path / "other name.bin"
        copy.write_bytes(path.read_bytes())
        assert run_operator(SampleFilter(every=2), copy).verdict == run_operator(SampleFilter(every=2), path).verdict
        assert run_operator(SampleFilter(every=1), path).verdict is Branch.PASS
        assert run_operator(SampleFilter(fraction=1e-12), path).reason == "not in the sample"


@pytest.mark.parametrize(
    "options", [{}, {"fraction": 0.1, "every": 10}, {"fraction": 0}, {"fraction": 1.1}, {"every": 0}]
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        SampleFilter(**options)
