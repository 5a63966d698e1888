"""Operators of a third party, installed in a folder of a test's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cortex import MediaNode


def offer(site: Path, name: str, *operators: type[MediaNode[Any]]) -> str:
    """Makes a distribution that offers the operators, which are modules beside this one, in the folder `site`; returns
    the PYTHONPATH that has it."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    offers = "".join(f"{one.operator} = {one.__module__}:{one.__name__}\n" for one in operators)
    (info / "entry_points.txt").write_text(f"[cortex.operators]\n{offers}")
    return os.pathsep.join([str(site), str(Path(__file__).parent)])
