from __future__ import annotations

import tarfile
import threading

import pytest
from ledgers import HOST, PLAN, SilentBus, artifact, begin, definition, digest, done, found, report, toy_operators

from loom.errors import LoomError
from loom.model import asset_uuid
from loom.service import LocalLoom
from loom.sources import Source
from loom.store.backup import restore
from loom.store.database import Database


@pytest.fixture
def filled(loom):
    new, ref = artifact(b"derived")
    loom.put_artifacts([new])
    run = begin(loom)
    loom.report(run, [report("a", found(b"/data/a"), results=[done(1, artifacts=(ref,))], settled=True)])
    loom.save_source(Source(name="data", host=HOST, path=b"/data"))
    loom.set_limit("network", 4)
    return ref


def code_of(call) -> str:
    with pytest.raises(LoomError) as refused:
        call()
    return refused.value.code


def open_at(folder):
    return LocalLoom(Database.open(f"sqlite:///{folder}/loom.db"), folder / "blobs", SilentBus(), toy_operators())


def test_there_and_back(loom, filled, tmp_path):
    made = loom.backup(tmp_path / "backup.tar")
    assert made.artifacts == 1
    back = tmp_path / "back"
    back.mkdir()
    assert restore(tmp_path / "backup.tar", back / "loom.db", back / "blobs") == made
    other = open_at(back)
    assert other.assets() == loom.assets()
    assert other.runs() == loom.runs()
    assert other.sources() == loom.sources() != []
    assert other.limits() == {"network": 4}
    assert other.asset_results(asset_uuid(digest("a"))) == loom.asset_results(asset_uuid(digest("a")))
    assert other.artifact(filled.digest) == ("image/webp", b"derived")
    assert other.known_files(HOST, [b"/data"], PLAN)[0][0].settled
    assert other.verify("elsewhere", read_data=True).findings == []
    other.close()
    assert sorted(path.name for path in back.iterdir()) == ["blobs", "loom.db"]


def test_a_backup_of_a_loom_in_use_is_one_state(loom, tmp_path):
    run = begin(loom)
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            new, ref = artifact(b"%d" % n)
            loom.put_artifacts([new])
            loom.report(run, [report(f"{n}-{k}", results=[done(1, artifacts=(ref,))]) for k in range(20)])
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    for name in ("one.tar", "two.tar", "three.tar"):
        loom.backup(tmp_path / name)
    stop.set()
    writer.join()
    for name in ("one.tar", "two.tar", "three.tar"):
        back = tmp_path / name.removesuffix(".tar")
        back.mkdir()
        restore(tmp_path / name, back / "loom.db", back / "blobs")
        other = open_at(back)
        assert len(other.assets(limit=500).items) % 20 == 0
        assert other.verify("elsewhere", read_data=True).findings == []
        other.close()


def test_a_backup_is_its_owners_alone(loom, filled, tmp_path):
    loom.backup(tmp_path / "backup")
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten(loom, filled, tmp_path):
    loom.backup(tmp_path / "backup.tar")
    before = (tmp_path / "backup.tar").read_bytes()
    assert code_of(lambda: loom.backup(tmp_path / "backup.tar")) == "NOT_EMPTY"
    assert (tmp_path / "backup.tar").read_bytes() == before
    back = tmp_path / "back"
    back.mkdir()
    occupied = open_at(back)
    occupied.save_pipeline(definition())
    occupied.close()
    call = lambda: restore(tmp_path / "backup.tar", back / "loom.db", back / "blobs")  # noqa: E731
    assert code_of(call) == "NOT_EMPTY"
    (back / "loom.db").unlink()
    open_at(back).close()
    call()
    assert len(open_at(back).assets().items) == 1


def test_what_is_no_whole_backup_is_refused(loom, filled, tmp_path):
    loom.backup(tmp_path / "good.tar")
    good = (tmp_path / "good.tar").read_bytes()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(good[: good.index(b"blobs/")])
    garbage = tmp_path / "garbage.tar"
    garbage.write_bytes(b"no archive at all" * 1000)
    flipped = tmp_path / "flipped.tar"
    flipped.write_bytes(good.replace(b"derived", b"derivEd"))
    sly = tmp_path / "sly.tar"
    with tarfile.open(sly, "w") as tar:
        tar.add(tmp_path / "good.tar", "../escaped")
    back = tmp_path / "back"
    back.mkdir()
    for archive in (cut, garbage, flipped, sly):
        assert code_of(lambda a=archive: restore(a, back / "loom.db", back / "blobs")) == "BACKUP_INVALID"
    with pytest.raises(LoomError, match=f"{tmp_path}/none cannot be used: No such file") as refused:
        restore(tmp_path / "none", back / "loom.db", back / "blobs")
    assert (refused.value.code, refused.value.exit_code) == ("FILE_UNREADABLE", 1)
    assert list(back.iterdir()) == []
    assert not (tmp_path / "escaped").exists()


def test_a_missing_derived_file_is_not_backed_up_over(loom, filled, tmp_path):
    (tmp_path / "blobs" / filled.digest.hex()[:2] / filled.digest.hex()).unlink()
    assert code_of(lambda: loom.backup(tmp_path / "backup.tar")) == "BACKUP_INVALID"
    assert not list(tmp_path.glob("*backup*"))


def test_a_backup_into_no_folder_is_refused_by_name(loom, tmp_path):
    with pytest.raises(LoomError, match=f"There is no folder {tmp_path}/none") as refused:
        loom.backup(tmp_path / "none" / "backup.tar")
    assert refused.value.exit_code == 1
