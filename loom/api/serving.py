"""What every route is given: Loom, the bus and the catalogue of the app that serves it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from loom.api.metrics import Metrics
from loom.bus.hub import Hub
from loom.graph.specs import Operators
from loom.verbs import Loom


def _loom(connection: HTTPConnection) -> Loom:
    loom: Loom = connection.app.state.loom
    return loom


def _hub(connection: HTTPConnection) -> Hub:
    hub: Hub = connection.app.state.hub
    return hub


def _operators(connection: HTTPConnection) -> Operators:
    operators: Operators = connection.app.state.operators
    return operators


def _metrics(connection: HTTPConnection) -> Metrics:
    metrics: Metrics = connection.app.state.metrics
    return metrics


TheLoom = Annotated[Loom, Depends(_loom)]
TheHub = Annotated[Hub, Depends(_hub)]
TheOperators = Annotated[Operators, Depends(_operators)]
TheMetrics = Annotated[Metrics, Depends(_metrics)]
