"""Runs and failures on their way to the wire and back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from loom.model import Problem, RunClosing, RunOpening, StepRef
from loom.problems import MOST_PROBLEMS
from loom.steering import Place, Selection
from loom.wire.shapes import NO_DEFINITION, ClosingWire, OpeningWire, PlaceWire, ProblemWire, SelectionWire, StepWire
from loom.wire.values import digest_of, microseconds_of, moment_of, not_deep, object_of, sendable


def opening_to_wire(opening: RunOpening) -> OpeningWire:
    definition = opening.definition
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
        definition=NO_DEFINITION if definition is None else msgspec.Raw(msgspec.json.encode(definition)),
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
        definition=_definition_of_wire(wire.definition),
        host=wire.host,
        started=microseconds_of(wire.started),
        dry_run=wire.dry_run,
        paths=tuple(wire.paths_b64),
    )


def _definition_of_wire(raw: msgspec.Raw) -> dict[str, Any] | None:
    return None if raw == NO_DEFINITION else object_of(raw, "The definition of a run is a JSON object, or null.")


def closing_to_wire(closing: RunClosing) -> ClosingWire:
    return ClosingWire(
        state=closing.state,
        finished=moment_of(closing.finished),
        assets=closing.assets,
        nodes=closing.nodes,
        bytes=closing.bytes_read,
        worker=closing.worker,
        would_write=closing.would_write,
        problems=[
            ProblemWire(path_b64=path, code=code, message=sendable(message))
            for path, code, message in closing.problems[:MOST_PROBLEMS]
        ],
        problems_total=max(closing.problems_total, len(closing.problems)),
        spent=closing.spent,
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
        worker=wire.worker,
        would_write=None if wire.would_write is None else not_deep(wire.would_write),
        problems=tuple(Problem(one.path_b64, one.code, one.message) for one in wire.problems),
        problems_total=wire.problems_total,
        spent=wire.spent,
    )


def selection_to_wire(selection: Selection) -> SelectionWire:
    return SelectionWire(
        run=selection.run,
        node=selection.node,
        code=selection.code,
        asset=selection.asset,
        since=None if selection.since is None else moment_of(selection.since),
        until=None if selection.until is None else moment_of(selection.until),
        aside=selection.aside,
        cause=selection.cause,
    )


def selection_of_wire(wire: SelectionWire) -> Selection:
    """Raises `REQUEST_INVALID` for times without a zone."""
    since = None if wire.since is None else microseconds_of(wire.since)
    until = None if wire.until is None else microseconds_of(wire.until)
    return Selection(wire.run, wire.node, wire.code, wire.asset, since, until, wire.aside, wire.cause)


def place_to_wire(place: Place) -> PlaceWire:
    return PlaceWire(pipeline=place.pipeline, host=place.host, path_b64=place.path, version=place.version)


def place_of_wire(wire: PlaceWire) -> Place:
    return Place(wire.pipeline, wire.host, wire.path_b64, wire.version)
