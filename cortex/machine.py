"""What this machine is as a worker."""

from __future__ import annotations

import contextlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from loom.model import Resources, Worker
from loom.version import VERSION


def resources(*, disk_reserve: int, is_confined: bool) -> Resources:
    """What this machine has to work with. `is_confined`: the kernel keeps worker processes from what they have no
    business doing, not Python alone."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    sandbox: Literal["kernel", "python"] = "kernel" if is_confined else "python"
    return Resources(cpus=os.cpu_count() or 1, memory=memory, disk_reserve=disk_reserve, sandbox=sandbox)


def this_worker(name: str | None = None) -> Worker:
    """This machine, or one worker on it, and the versions of what decides results."""
    versions = {"cortex": VERSION, "python": platform.python_version()}
    for package in ("pillow", "av"):
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return Worker(name=name or platform.node(), versions=versions)
