"""Cortex does things: it finds media, walks every asset through the nodes of a plan, and reports.

The names that authors of operators and pipelines need are here, each imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module

from loom.version import VERSION

TYPE_CHECKING = False  # of `typing`, which takes longer to import than all else that must be there for Ctrl-C
if TYPE_CHECKING:
    from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey, Result
    from loom.graph.definition import Pipeline
    from loom.model import Branch

__all__ = ["Branch", "MediaNode", "NodeContext", "NodeOptions", "OutputKey", "Pipeline", "Result", "__version__"]

__version__ = VERSION

_HOMES = {
    "Branch": "loom.model",
    "MediaNode": "cortex.node",
    "NodeContext": "cortex.node",
    "NodeOptions": "cortex.node",
    "OutputKey": "cortex.node",
    "Pipeline": "loom.graph.definition",
    "Result": "cortex.node",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
