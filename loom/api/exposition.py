"""The text format of Prometheus."""

from __future__ import annotations


def head(name: str, kind: str, text: str) -> tuple[str, str]:
    """What stands above the samples of a figure."""
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"
