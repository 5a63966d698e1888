"""Runs asked for, claimed and steered, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from loom.client.http import Http, path_of
from loom.errors import LoomError
from loom.shapes import ForecastShape, KindCost, Page, RunShape
from loom.steering import AssetQuery, Pause, RunOrders, RunRequest, Selection
from loom.wire.runs import selection_to_wire
from loom.wire.shapes import Counted, FaultWire
from loom.wire.steering import (
    ClaimWire,
    OrdersGiven,
    OrdersQuestion,
    ReleaseWire,
    RequestWire,
    ResumeWish,
    orders_of_wire,
    request_of_wire,
    wish_of_pause,
    wish_of_request,
)


class RemoteSteering:
    """See `loom.verbs.Steering`."""

    _http: Http

    def request_run(self, request: RunRequest) -> RunShape:
        return self._http.post(path_of("pipelines", request.pipeline, "runs"), RunShape, wish_of_request(request))

    def claim_run(self, worker: str, host: str) -> RunRequest | None:
        given = self._http.post_for_some("/runs/claim", RequestWire, ClaimWire(worker=worker, host=host))
        return None if given is None else request_of_wire(given)

    def orders(self, worker: str, runs: Sequence[UUID]) -> list[RunOrders]:
        given = self._http.post("/runs/orders", OrdersGiven, OrdersQuestion(worker=worker, runs=list(runs)))
        return [orders_of_wire(one) for one in given.items]

    def release_run(self, run: UUID, worker: str, error: LoomError | None = None) -> None:
        fault = None if error is None else FaultWire(error.code, error.message)
        self._http.tell(path_of("runs", run, "release"), ReleaseWire(worker=worker, error=fault))

    def pause_run(self, run: UUID, pause: Pause) -> RunShape:
        return self._http.post(path_of("runs", run, "pause"), RunShape, wish_of_pause(pause))

    def resume_run(self, run: UUID, owner: str) -> RunShape:
        return self._http.post(path_of("runs", run, "resume"), RunShape, ResumeWish(owner=owner))

    def cancel_run(self, run: UUID) -> RunShape:
        return self._http.post(path_of("runs", run, "cancel"), RunShape, None)

    def forecast(self, pipeline: str, query: AssetQuery, definition: Mapping[str, Any] | None = None) -> ForecastShape:
        asked, path = msgspec.structs.asdict(query), path_of("pipelines", pipeline, "plan")
        if definition is not None:
            return self._http.post(path, ForecastShape, definition, params=asked)
        return self._http.get(path, ForecastShape, **asked)

    def costs(self, pipeline: str) -> list[KindCost]:
        return self._http.get(path_of("pipelines", pipeline, "costs"), Page[KindCost]).items

    def retry(self, selection: Selection) -> list[RunShape]:
        return self._http.post("/failures/retry", Page[RunShape], selection_to_wire(selection)).items

    def set_aside(self, selection: Selection) -> int:
        return self._http.post("/failures/set-aside", Counted, selection_to_wire(selection)).count
