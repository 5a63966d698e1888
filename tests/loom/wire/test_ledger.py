import msgspec
import pytest
from ledgers import BROKEN, COMPUTED, artifact, closing, definition, digest, done, failed, found, opening, report

from loom.errors import LoomError
from loom.model import KnownAsset, KnownFile
from loom.steering import Place, Selection
from loom.wire import ledger, runs
from loom.wire.reports import ReportWire
from loom.wire.shapes import (
    AssetWire,
    ClosingWire,
    KnownAssetWire,
    KnownFileWire,
    OpeningWire,
    PlaceWire,
    SelectionWire,
)
from loom.wire.values import digest_of, microseconds_of, moment_of, object_bytes, sendable

_, REF = artifact(b"data")
ITEM = report("a", found(b"/data/\xff\x00 a", mtime_ns=-5, inode=2**64 - 1, trusted=False),
              results=[done(0, b'{"a":[1,{"b":null}]}', artifacts=(REF,)), failed(1)],
              outcomes=[COMPUTED, BROKEN], settled=True, collections=("best",))  # fmt: skip


def sent(value, shape):
    """Over the wire."""
    return msgspec.json.decode(msgspec.json.encode(value), type=shape)


def test_reports_arrive_as_they_were():
    for item in (ITEM, report("b"), report("c", outcomes=[])):
        assert ledger.report_of_wire(sent(ledger.report_to_wire(item), ReportWire)) == item
    bare = ledger.report_of_wire(sent(ledger.report_to_wire(ITEM), AssetWire))
    assert (bare.found, bare.collections, bare.results, bare.outcomes) == (ITEM.found, ("best",), (), None)


def test_answers_arrive_as_they_were():
    known = KnownAsset(True, ITEM.results, True)
    assert ledger.known_of_wire(sent(ledger.known_to_wire(known), KnownAssetWire)) == known
    for file in (
        KnownFile(b"\xff", 1, 2, 3, 4, True, True),
        KnownFile(b"a", 1, -2, 2**63, 2**63, False, False, digest("a")),
        KnownFile(b"b", 1, 2, 3, 4, True, False, None, True, True),
    ):
        assert ledger.file_of_wire(sent(ledger.file_to_wire(file), KnownFileWire)) == file


def test_runs_arrive_as_they_were():
    own = opening(version=0, definition=definition(size=2))
    for one in (own, opening(), opening(settles=digest("s"), dry_run=True, started=1_795_253_400_123_456)):
        assert runs.opening_of_wire(sent(runs.opening_to_wire(one), OpeningWire)) == one
    ended = closing(one.uuid)
    assert runs.closing_of_wire(one.uuid, sent(runs.closing_to_wire(ended), ClosingWire)) == ended
    selection = Selection(one.uuid, "a", "b", one.uuid, cause="c")
    assert runs.selection_of_wire(sent(runs.selection_to_wire(selection), SelectionWire)) == selection
    place = Place("p", "h", b"/\xff")
    assert runs.place_of_wire(sent(runs.place_to_wire(place), PlaceWire)) == place


def test_values():
    assert microseconds_of(moment_of(1_795_253_400_123_456)) == 1_795_253_400_123_456
    assert sendable("é \udcff") == "é ?"
    for wrong in ("", "zz" * 32, "ab", "ab " * 32, "a" * 65):
        with pytest.raises(LoomError):
            digest_of(wrong)
    deep = [b'{"a":' * depth + b"1" + b"}" * depth for depth in (100, 101, 975, 5000)]
    assert object_bytes(msgspec.Raw(deep[0])) == deep[0]
    for wrong in (b"[]", b"7", b'{"a":1e999}', *deep[1:]):
        with pytest.raises(LoomError):
            object_bytes(msgspec.Raw(wrong))
    with pytest.raises(LoomError):
        microseconds_of(moment_of(0).replace(tzinfo=None))


@pytest.mark.parametrize(
    "change",
    [
        {"state": "SKIPPED"}, {"state": "FAILED"}, {"error": {"code": "FILE_DAMAGED", "message": "broken"}},
        {"state": "SKIPPED", "error": {"code": "FILE_DAMAGED", "message": "broken"}},
    ],
)  # fmt: skip
def test_a_result_is_completed_or_has_an_error(change):
    wire = msgspec.json.decode(msgspec.json.encode(ledger.report_to_wire(report("a", results=[done(0)]))))
    wire["results"][0] |= change
    with pytest.raises(LoomError) as refused:
        ledger.report_of_wire(sent(wire, ReportWire))
    assert refused.value.code == "REQUEST_INVALID"
