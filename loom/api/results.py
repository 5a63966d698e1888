"""Results, as workers ask for them and report them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from loom.api.answers import answer, nothing, route
from loom.api.bodies import BatchBody, decoded
from loom.api.serving import TheLoom
from loom.verbs import Taker
from loom.wire.ledger import known_to_wire, report_of_wire
from loom.wire.reports import ReportsWire
from loom.wire.shapes import InHandWire, KnownAssets, ResultsQuestion
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
    """What is known of each asset, with its stored results of these signatures. With `taker` and `plan` each is in the
    taker's hands from then on, unless it is `elsewhere`."""
    asked = decoded(body, ResultsQuestion)
    assets = [digest_of(asset) for asset in asked.assets]
    signatures = [digest_of(signature) for signature in asked.signatures]
    taker = None if asked.taker is None or asked.plan is None else Taker(asked.taker, digest_of(asked.plan))
    return answer(KnownAssets([known_to_wire(known) for known in loom.lookup(assets, signatures, asked.runs, taker)]))


@router.post("/in-hand", **route(takes=InHandWire, status=204))
def keep_in_hand(loom: TheLoom, body: BatchBody) -> Response:
    """A worker goes on with these of the assets that it has taken in hand, and has let go of all others."""
    said = decoded(body, InHandWire)
    loom.keep_in_hand(Taker(said.taker, digest_of(said.plan)), [digest_of(asset) for asset in said.assets])
    return nothing()
