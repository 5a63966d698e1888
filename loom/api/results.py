"""Results, as workers ask for them and report them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from loom.api.answers import answer, nothing, route
from loom.api.bodies import BatchBody, decoded
from loom.api.serving import TheLoom
from loom.wire.ledger import known_to_wire, report_of_wire
from loom.wire.shapes import KnownAssets, ReportsWire, ResultsQuestion
from loom.wire.values import digest_of

router = APIRouter(prefix="/results", tags=["results"])


@router.post("", **route(takes=ReportsWire, status=204))
def report_results(loom: TheLoom, body: BatchBody) -> Response:
    """Stores assets, where they lie, their results and outcomes. A COMPLETED result is never replaced by a FAILED
    one."""
    said = decoded(body, ReportsWire)
    loom.report(said.run, [report_of_wire(item) for item in said.items], worker=said.worker)
    return nothing()


@router.post("/lookup", **route(KnownAssets, ResultsQuestion))
def lookup_results(loom: TheLoom, body: BatchBody) -> Response:
    """What is known of each asset, with its stored results of these signatures."""
    asked = decoded(body, ResultsQuestion)
    assets = [digest_of(asset) for asset in asked.assets]
    signatures = [digest_of(signature) for signature in asked.signatures]
    return answer(KnownAssets([known_to_wire(known) for known in loom.lookup(assets, signatures, asked.runs)]))
