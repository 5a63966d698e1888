from __future__ import annotations

import os
import sys

import pytest

from cortex.sources.ground import folders_in, ground_of


def test_a_folder_on_the_disk_of_its_parent_is_no_disk_of_its_own(folder):
    assert ground_of(folder.path, is_bare=True) == (os.stat(folder.path).st_dev, False)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a place where something is mounted always")
@pytest.mark.parametrize("is_bare", [True, False])
def test_where_a_disk_is_mounted_it_matters_whether_it_shows_anything(is_bare):
    assert ground_of(b"/proc", is_bare=is_bare) == (os.stat("/proc").st_dev, is_bare)


def test_what_is_not_there_lies_on_nothing(folder):
    assert ground_of(folder / "gone", is_bare=True) is None
    assert folders_in(folder / "gone") == (None, frozenset())


def test_folders_and_links_are_named_and_files_are_not(folder):
    folder.write("sub/file")
    folder.write("file")
    os.symlink("file", folder / "link")
    assert folders_in(folder.path)[1] == {b"sub", b"link"}
