"""Reports, stored results and known files on their way to the wire and back."""

from __future__ import annotations

import msgspec

from loom.errors import LoomError
from loom.model import (
    ArtifactRef,
    AssetReport,
    FileStat,
    FoundAt,
    KnownAsset,
    KnownFile,
    Outcome,
    State,
    StoredResult,
)
from loom.packing import pack_outcomes, unpack_outcomes
from loom.shapes import ArtifactShape
from loom.wire.reports import ReportWire, action_of_wire, action_to_wire
from loom.wire.shapes import (
    AssetWire,
    FaultWire,
    FoundWire,
    KnownAssetWire,
    KnownFileWire,
    OutcomeWire,
    StoredWire,
)
from loom.wire.values import digest_of, duration_of, milliseconds_of, object_bytes, sendable


def report_to_wire(report: AssetReport) -> ReportWire:
    outcomes = None
    if report.outcomes is not None:
        outcomes = [_outcome_to_wire(outcome) for outcome in unpack_outcomes(report.outcomes)]
    return ReportWire(
        blake3=report.blake3.hex(),
        size=report.size,
        mime=report.mime,
        kind=report.kind,
        found=[found_to_wire(found) for found in report.found],
        collections=list(report.collections),
        results=[stored_to_wire(result) for result in report.results],
        outcomes=outcomes,
        failed=report.failed,
        settled=report.settled,
        settles=None if report.settles is None else report.settles.hex(),
        actions=[action_to_wire(action) for action in report.actions],
    )


def report_of_wire(wire: AssetWire) -> AssetReport:
    """A report, or (of a bare asset) one without results. Raises `REQUEST_INVALID`."""
    bare = AssetReport(
        blake3=digest_of(wire.blake3),
        size=wire.size,
        mime=wire.mime,
        kind=wire.kind,
        found=tuple(found_of_wire(found) for found in wire.found),
        collections=tuple(wire.collections),
    )
    if not isinstance(wire, ReportWire):
        return bare
    return bare._replace(
        results=tuple(_new_result(result) for result in wire.results),
        outcomes=None if wire.outcomes is None else pack_outcomes(_outcome_of_wire(one) for one in wire.outcomes),
        failed=wire.failed,
        settled=wire.settled,
        settles=None if wire.settles is None else digest_of(wire.settles),
        actions=tuple(action_of_wire(action) for action in wire.actions),
    )


def stored_to_wire(result: StoredResult) -> StoredWire:
    fault = None if result.error_code is None else FaultWire(result.error_code, sendable(result.error_message or ""))
    return StoredWire(
        signature=result.signature.hex(),
        state=result.state,
        verdict=result.verdict,
        outputs=msgspec.Raw(result.outputs),
        artifacts=[
            ArtifactShape(name=one.name, digest=one.digest.hex(), media_type=one.media_type, size=one.size)
            for one in result.artifacts
        ],
        error=fault,
        duration_ms=milliseconds_of(result.duration_us),
    )


def stored_of_wire(wire: StoredWire) -> StoredResult:
    """Raises `REQUEST_INVALID`."""
    return StoredResult(
        signature=digest_of(wire.signature),
        state=wire.state,
        verdict=wire.verdict,
        outputs=object_bytes(wire.outputs),
        artifacts=tuple(
            ArtifactRef(one.name, digest_of(one.digest), one.media_type, one.size) for one in wire.artifacts
        ),
        error_code=None if wire.error is None else wire.error.code,
        error_message=None if wire.error is None else wire.error.message,
        duration_us=duration_of(wire.duration_ms),
    )


def _new_result(wire: StoredWire) -> StoredResult:
    """One that is to be stored. Raises `REQUEST_INVALID`."""
    if wire.state is State.SKIPPED:
        raise LoomError("REQUEST_INVALID", "A result is COMPLETED or FAILED; what was SKIPPED has none.")
    if (wire.state is State.FAILED) is (wire.error is None):
        raise LoomError("REQUEST_INVALID", "A result has an error when it is FAILED, and only then.")
    return stored_of_wire(wire)


def known_to_wire(known: KnownAsset) -> KnownAssetWire:
    return KnownAssetWire(
        known=known.known,
        walked=known.walked,
        elsewhere=known.elsewhere,
        results=[stored_to_wire(result) for result in known.results],
    )


def known_of_wire(wire: KnownAssetWire) -> KnownAsset:
    results = tuple(stored_of_wire(result) for result in wire.results)
    return KnownAsset(wire.known, results, wire.walked, wire.elsewhere)


def file_to_wire(file: KnownFile) -> KnownFileWire:
    return KnownFileWire(
        name_b64=file.name,
        size=file.size,
        mtime_ns=file.mtime_ns,
        inode=file.inode,
        device=file.device,
        present=file.present,
        settled=file.settled,
        asset=None if file.asset is None else file.asset.hex(),
        failed=file.failed,
        away=file.away,
    )


def file_of_wire(wire: KnownFileWire) -> KnownFile:
    asset = None if wire.asset is None else digest_of(wire.asset)
    return KnownFile(
        wire.name_b64,
        wire.size,
        wire.mtime_ns,
        wire.inode,
        wire.device,
        wire.present,
        wire.settled,
        asset,
        wire.failed,
        wire.away,
    )


def found_to_wire(found: FoundAt) -> FoundWire:
    return FoundWire(
        directory_b64=found.directory,
        name_b64=found.name,
        size=found.stat.size,
        mtime_ns=found.stat.mtime_ns,
        inode=found.stat.inode,
        device=found.stat.device,
        trusted=found.trusted,
    )


def found_of_wire(wire: FoundWire) -> FoundAt:
    stat = FileStat(wire.size, wire.mtime_ns, wire.inode, wire.device)
    return FoundAt(wire.directory_b64, wire.name_b64, stat, wire.trusted)


def _outcome_to_wire(outcome: Outcome) -> OutcomeWire:
    return OutcomeWire(
        state=outcome.state,
        reason=outcome.reason,
        origin=outcome.origin,
        verdict=outcome.verdict,
        duration_ms=milliseconds_of(outcome.duration_us),
    )


def _outcome_of_wire(wire: OutcomeWire) -> Outcome:
    return Outcome(wire.state, wire.reason, wire.origin, wire.verdict, duration_of(wire.duration_ms))
