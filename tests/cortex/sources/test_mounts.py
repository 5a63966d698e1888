"""Mount tables written as Linux writes them, and ids of file systems that stand for real device nodes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.sources.mounts import Mounts

NULL, ZERO = os.makedev(1, 3), os.makedev(1, 5)

TABLE = r"""
22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 1:3 / /media/usb\040disk rw shared:7 master:1 - vfat /dev/null rw
41 40 1:5 /@photos/2020 /media/usb\040disk/inner rw - btrfs /dev/none rw
42 27 0:44 / /mnt/nas rw - nfs4 nas:/export rw
43 42 1:3 / /mnt/nas/near rw - ext4 /dev/null rw
44 27 0:45 /@home /home rw - btrfs /dev/zero rw
45 27 254:0 /old//deleted /gone rw - ext4 /dev/vda rw
46 27 0:4 net:[4026531840] /run/netns/x rw - nsfs nsfs rw
47 27 0:46 / /sshfs rw - fuse.sshfs me@there: rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Callable[..., Mounts]:
    """What a mount table says, where `/dev/null` and `/dev/zero` are disks with an id."""

    def read(table: str = TABLE, **ids: str) -> Mounts:
        (tmp_path / "mountinfo").write_text(table.lstrip())
        by_uuid = tmp_path / "by-uuid"
        by_uuid.mkdir()
        for name, node in (
            ids or {"AAAA-1111": "/dev/null", "bbbb": "/dev/zero", "dangling": "/dev/not-there"}
        ).items():
            (by_uuid / name).symlink_to(node)
        return Mounts(tmp_path / "mountinfo", by_uuid)

    return read


@pytest.mark.parametrize(
    ("path", "device", "inside"),
    [
        (b"/media/usb disk", NULL, b"/"),
        (b"/media/usb disk/a/b", NULL, b"/a/b"),
        (b"/media/usb disk/inner/x", ZERO, b"/@photos/2020/x"),
        (b"/media/usb disk/innermost", NULL, b"/innermost"),
        (b"/media/usb", os.makedev(254, 0), b"/media/usb"),
        (b"/", os.makedev(254, 0), b"/"),
        (b"/home/me", os.makedev(0, 45), b"/@home/me"),
        (b"/gone/x", os.makedev(254, 0), b"/gone/x"),
    ],
)
def test_a_path_lies_on_what_is_mounted_nearest_above_it(
    mounts: Callable[..., Mounts], path: bytes, device: int, inside: bytes
) -> None:
    found = mounts().of(path)
    assert found is not None
    assert (found.device, found.inside(path)) == (device, inside)
    assert found.shows(inside) == path


def test_of_two_at_the_same_point_the_last_one_is_seen(mounts: Callable[..., Mounts]) -> None:
    table = "1 0 1:3 / / rw - ext4 a rw\n2 1 1:5 / /disk rw - ext4 a rw\n3 2 1:3 /x /disk rw - ext4 a rw\n"
    found = mounts(table).of(b"/disk/file")
    assert found is not None
    assert found.inside(b"/disk/file") == b"/x/file"


def test_a_part_of_a_disk_does_not_show_the_rest(mounts: Callable[..., Mounts]) -> None:
    inner = mounts().of(b"/media/usb disk/inner")
    assert inner is not None
    assert inner.shows(b"/@photos/2020/a") == b"/media/usb disk/inner/a"
    assert (inner.shows(b"/@photos"), inner.shows(b"/@photos/2020 too")) == (None, None)


def test_file_systems_are_known_by_the_number_of_their_device_or_what_was_mounted(
    mounts: Callable[..., Mounts],
) -> None:
    there = mounts()
    ids = {mount.point: there.id_of(mount) for mount in there.all}
    assert {point: number for point, number in ids.items() if number} == {
        b"/media/usb disk": "AAAA-1111",
        b"/media/usb disk/inner": "bbbb",
        b"/mnt/nas/near": "AAAA-1111",
        b"/home": "bbbb",
    }
    assert there.tells_ids


def test_what_another_machine_answers_for_is_not_near(mounts: Callable[..., Mounts]) -> None:
    points = {mount.point for mount in mounts().near()}
    assert points == {b"/proc", b"/", b"/media/usb disk", b"/media/usb disk/inner", b"/home"}


def test_where_the_system_tells_nothing_there_is_nothing(tmp_path: Path) -> None:
    none = Mounts(tmp_path / "none", tmp_path / "none")
    assert (none.all, none.of(b"/"), none.near(), none.tells_ids) == ((), None, [], False)


def test_the_table_of_this_machine_is_understood(tmp_path: Path) -> None:
    mounts = Mounts()
    here = mounts.of(os.fsencode(tmp_path.resolve()))
    if not mounts.all:
        pytest.skip("this system has no table of what is mounted")
    assert here is not None
    assert here.shows(here.inside(os.fsencode(tmp_path.resolve()))) == os.fsencode(tmp_path.resolve())
