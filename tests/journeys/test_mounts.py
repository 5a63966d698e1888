"""Real disks, mounted below a library and taken away again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from programs import CORTEX, LONG_AGO

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")

STEPS = """
set -e
cortex() {{ set +e; {cortex} ingest library --json > "$1"; echo $? > "$1.code"; set -e; }}
gone() {{ {cortex} ingest library --gone library/disk --json > gone 2> gone.said; }}
show() {{ {cortex} show library/disk/deep/2.txt; }}
mount -t tmpfs disk store
mkdir store/deep
for number in 1 deep/2; do echo "on disk $number" > store/$number.txt; done
touch -d @{long_ago} store/1.txt store/deep/2.txt
mount --bind store library/disk
cortex first
umount library/disk
cortex away
show > shown.away
rm library/kept.txt
cortex away.again
mount --bind store library/disk
cortex back
show > shown.back
cortex unchanged
rm store/1.txt
cortex deleted
rm -r store/deep
cortex bare
umount library/disk
cortex bare.away
gone
show > shown.gone
cortex after
"""

MID_WALK = """
import os, subprocess, sys
from cortex.sources.found import ScanOptions
from cortex.sources.scan import Scan
from loom.model import KnownFile

subprocess.run(["mount", "-t", "tmpfs", "disk", "disk"], check=True)
for name in "abc":
    os.mkdir(f"disk/{name}")
    open(f"disk/{name}/file", "w").close()
device = os.stat("disk").st_dev

class Ledger:
    def known_files(self, host, directories, plan):
        return [[KnownFile(b"file", 0, 0, 0, device, True, False)]]
    def known_directories(self, host, root):
        return [root + b"/" + name for name in (b"a", b"b", b"c")]
    def mark_missing(self, host, files):
        raise AssertionError(files)
    def mark_unreachable(self, host, root, device=None):
        return 0

root = os.fsencode(os.path.abspath("disk"))
scan = Scan([root], ScanOptions(), ledger=Ledger(), host="", plan=b"")
for found in scan:
    if found.directory.endswith(b"a"):
        subprocess.run(["umount", "--lazy", "disk"], check=True)
        open("disk/something else", "w").close()
print(scan.why_unreachable[root], scan.missing)
"""

ELSEWHERE = """
import os, subprocess, sys
from pathlib import Path
from remembering import HOST, remembering_in
from cortex.sources.known import Known
from cortex.sources.marker import Markers
from cortex.sources.mounts import Mounts
from loom.sources import Source

here = Path.cwd()
nodes = [Path("/dev", name) for name in os.listdir("/dev")]
disk = next((node for node in nodes if node.is_block_device() and node.stat().st_rdev == here.stat().st_dev), None)
if disk is None:
    sys.exit("no device node of the disk that this lies on")
(here / "by-uuid").mkdir()
(here / "by-uuid" / "some-id").symlink_to(disk)

def mount(point):
    subprocess.run(["mount", "--bind", "store", point], check=True)

def ingest(root):
    roots = [os.fsencode(here / root)]
    known = Known(remembering.loom, HOST, markers=Markers(Mounts(by_uuid=here / "by-uuid")))
    known.near(roots)
    scan, found = remembering.scan(*roots, away=tuple(known.away.items()))
    notes = [note.replace(f"{here}/", "") for note in known.notes]
    print(*notes, scan.unchanged, len(found), scan.missing, len(scan.unreachable))
    print(remembering.loom.source("photos").state, remembering.loom.source("photos").files)

(here / "store" / "photos").mkdir()
(here / "store" / "photos" / "file").write_text("content")
with remembering_in(here) as remembering:
    mount("library/disk")
    path = os.fsencode(here / "library/disk/photos")
    marker = Markers(Mounts(by_uuid=here / "by-uuid")).of(path)
    print(marker.id, marker.inside == os.fsencode(here.resolve() / "store/photos"))
    remembering.loom.save_source(Source(name="photos", host=HOST, path=path, marker=marker))
    ingest("library")
    subprocess.run(["umount", "library/disk"], check=True)
    ingest("library")
    mount("disk")
    ingest("disk")
    ingest("library")
"""


@pytest.fixture
def mounting(tmp_path: Path) -> Path:
    """The folder in which commands may mount something in a namespace of their own."""
    try:
        subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "probe", tmp_path], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounting in a namespace of its own is not granted here: {error}")
    for name in ("store", "library/disk", "disk"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("kept", "other"):
        path = tmp_path / "library" / f"{name}.txt"
        path.write_text(f"{name} here\n")
        os.utime(path, (LONG_AGO, LONG_AGO))
    return tmp_path


@pytest.mark.slow
def test_a_disk_below_the_library_goes_away_and_comes_back(mounting: Path, environment: dict[str, str]) -> None:
    script = STEPS.format(cortex=" ".join(CORTEX), long_ago=LONG_AGO)
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", script], env=environment, cwd=mounting, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

    def ended(step: str) -> tuple[int, dict[str, Any], list[Any]]:
        lines = [json.loads(line) for line in (mounting / step).read_text().splitlines()]
        failures = [(line["path"], line["code"]) for line in lines if line["message_type"] == "failure"]
        return int((mounting / f"{step}.code").read_text()), lines[-1], failures

    away = [(str(mounting / "library" / "disk"), "SOURCE_UNREACHABLE")]
    code, summary, failures = ended("first")
    assert (code, summary["assets"]["new"], failures) == (0, 4, [])
    code, summary, failures = ended("away")
    assert (code, summary["assets"]["unchanged"], failures) == (4, 2, away)
    assert "unreachable" in (mounting / "shown.away").read_text()
    code, summary, failures = ended("away.again")
    assert (code, summary["assets"]["unchanged"], failures) == (4, 1, away)
    code, summary, failures = ended("back")
    assert (code, summary["assets"]["new"], summary["assets"]["unchanged"], failures) == (0, 0, 3, [])
    assert not any(counts["computed"] for counts in summary["nodes"].values())
    assert "unreachable" not in (mounting / "shown.back").read_text()
    code, summary, _ = ended("unchanged")
    assert (code, summary["assets"]["unchanged"]) == (0, 3)
    code, summary, failures = ended("deleted")
    assert (code, summary["assets"]["unchanged"], failures) == (0, 2, []), "deleted from a disk that is there"
    code, _, failures = ended("bare")
    assert (code, failures) == (4, away), "a disk that shows nothing"
    assert ended("bare.away")[0] == 4
    assert "since they are not there: 1" in (mounting / "gone.said").read_text()
    assert "missing" in (mounting / "shown.gone").read_text()
    code, summary, failures = ended("after")
    assert (code, summary["assets"]["unchanged"], failures) == (0, 1, []), "a disk that is gone for good"


def test_a_root_that_goes_away_while_it_is_read_is_unreachable(mounting: Path) -> None:
    command = [*NAMESPACE, sys.executable, "-c", MID_WALK]
    done = subprocess.run(command, cwd=mounting, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "it went away while it was read 0\n"), done.stderr


def test_a_disk_at_another_mount_point_is_known_again(mounting: Path, project: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(project / "tests" / "support")}
    command = [*NAMESPACE, sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(command, cwd=mounting, env=env, capture_output=True, text=True, check=False)
    if "no device node" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout.splitlines() == [
        "some-id True",
        "0 3 0 0",
        "reachable 1",
        "2 0 0 1",
        "unreachable 0",
        "photos lay at library/disk/photos and lies at disk/photos now 1 0 0 0",
        "reachable 1",
        "2 0 0 0",
        "reachable 1",
    ], done.stderr
