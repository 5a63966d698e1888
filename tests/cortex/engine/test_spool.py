from pathlib import Path
from uuid import uuid4

import pytest

from cortex.engine.spool import Spool, Told, left_behind, new_spool
from loom.errors import LoomError
from loom.model import AssetReport, FileStat, FoundAt, Kind
from loom.verbs import NewArtifact

RUN = uuid4()
REPORT = AssetReport(b"a" * 32, 3, "text/plain", Kind.TEXT, (FoundAt(b"/x", b"\xff.txt", FileStat(3, 1, 2, 3), True),))


def messages(count: int) -> list[Told]:
    return [Told(run=RUN, reports=[REPORT._replace(size=n)]) for n in range(count)]


def test_messages_are_sent_in_order_and_then_forgotten(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1_000_000)
    for told in messages(12):
        spool.put(told)
    sent: list[Told] = []
    spool.send(sent.append)
    assert [t.reports[0].size for t in sent if t.reports] == list(range(12))
    assert sent[0].reports == [REPORT._replace(size=0)]
    assert spool.empty
    spool.close()
    assert not (tmp_path / "spool").exists()


def test_what_cannot_be_sent_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1_000_000)
    for told in messages(3):
        spool.put(told)
    sent: list[Told] = []

    def tell(told: Told) -> None:
        if len(sent) == 1:
            raise LoomError("LOOM_UNREACHABLE")
        sent.append(told)

    with pytest.raises(LoomError):
        spool.send(tell)
    spool.close()
    again = Spool(tmp_path / "spool", 1_000_000)
    rest: list[Told] = []
    again.send(rest.append)
    assert [t.reports[0].size for t in rest if t.reports] == [1, 2]
    again.close()


def test_it_is_bounded(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1000)
    with pytest.raises(LoomError, match="1,000 bytes"):
        spool.put(Told(artifacts=[NewArtifact(b"d" * 32, "image/webp", bytes(2000))]))
    assert spool.empty
    spool.close()


def test_only_spools_of_dead_owners_are_taken_over(tmp_path: Path) -> None:
    mine = new_spool(tmp_path, 1000)
    mine.put(messages(1)[0])
    assert list(left_behind(tmp_path, 1000)) == []
    mine.close()
    (found,) = left_behind(tmp_path, 1000)
    assert not found.empty
    found.close()
