"""Runs and failures on their way to the wire and back."""

from __future__ import annotations

from uuid import UUID

from loom.model import RunClosing, RunOpening, StepRef
from loom.verbs import Place, Selection
from loom.wire.shapes import ClosingWire, OpeningWire, PlaceWire, SelectionWire, StepWire
from loom.wire.values import digest_of, microseconds_of, moment_of


def opening_to_wire(opening: RunOpening) -> OpeningWire:
    return OpeningWire(
        uuid=opening.uuid,
        pipeline=opening.pipeline,
        version=opening.version,
        plan=opening.plan.hex(),
        steps=[
            StepWire(
                node=step.node,
                operator=step.operator,
                operator_version=step.operator_version,
                signature=step.signature.hex(),
            )
            for step in opening.steps
        ],
        worker=opening.worker,
        host=opening.host,
        started=moment_of(opening.started),
        settles=None if opening.settles is None else opening.settles.hex(),
        dry_run=opening.dry_run,
        paths_b64=list(opening.paths),
    )


def opening_of_wire(wire: OpeningWire) -> RunOpening:
    """Raises `REQUEST_INVALID`."""
    return RunOpening(
        uuid=wire.uuid,
        pipeline=wire.pipeline,
        version=wire.version,
        plan=digest_of(wire.plan),
        steps=tuple(
            StepRef(step.node, step.operator, step.operator_version, digest_of(step.signature)) for step in wire.steps
        ),
        worker=wire.worker,
        settles=None if wire.settles is None else digest_of(wire.settles),
        host=wire.host,
        started=microseconds_of(wire.started),
        dry_run=wire.dry_run,
        paths=tuple(wire.paths_b64),
    )


def closing_to_wire(closing: RunClosing) -> ClosingWire:
    return ClosingWire(
        state=closing.state,
        finished=moment_of(closing.finished),
        assets=closing.assets,
        nodes=closing.nodes,
        bytes=closing.bytes_read,
    )


def closing_of_wire(uuid: UUID, wire: ClosingWire) -> RunClosing:
    """Raises `REQUEST_INVALID`."""
    return RunClosing(
        uuid=uuid,
        state=wire.state,
        finished=microseconds_of(wire.finished),
        assets=wire.assets,
        nodes=wire.nodes,
        bytes_read=wire.bytes,
    )


def selection_to_wire(selection: Selection) -> SelectionWire:
    return SelectionWire(run=selection.run, node=selection.node, code=selection.code, asset=selection.asset)


def selection_of_wire(wire: SelectionWire) -> Selection:
    return Selection(wire.run, wire.node, wire.code, wire.asset)


def place_to_wire(place: Place) -> PlaceWire:
    return PlaceWire(pipeline=place.pipeline, host=place.host, path_b64=place.path)


def place_of_wire(wire: PlaceWire) -> Place:
    return Place(wire.pipeline, wire.host, wire.path_b64)
