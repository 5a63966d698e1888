"""How nodes get ready for the first asset, and end after the last."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from cortex.engine.failures import as_failure
from cortex.node import MediaNode
from loom.errors import LoomError

T = TypeVar("T")


def ready(node: MediaNode[Any], act: Callable[[], T]) -> T:
    """What a node gives while it gets ready. Raises the `LoomError` that says which node does not, and why."""
    try:
        return act()
    except BaseException as error:  # also what an operator calls to end its process
        code, message = as_failure(error)
        raise LoomError(code, f"the node {node.id!r} does not get ready: {message}") from error


def close_all(nodes: Iterable[MediaNode[Any]]) -> None:
    """Ends them all; one that cannot is only told of, for its work is done."""
    for node in nodes:
        try:
            node.close()
        except BaseException as error:
            logging.getLogger(f"cortex.node.{node.id}").warning("does not end: %s", as_failure(error)[1])
