"""A PostgreSQL server of the tests' own, from the Debian package's programs, on a private socket folder."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

_OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses='' -c max_connections=60"


def binaries() -> Path | None:
    """The folder with `initdb` and `pg_ctl` of the newest version there is."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")]
    return max(folders, key=lambda folder: float(re.sub(r"[^\d.]", "", folder.parent.name) or 0), default=None)


class PrivatePostgreSQL:
    """Runs until `stop`. PostgreSQL refuses to run as root, so root starts it as nobody."""

    def __init__(self, folder_of_binaries: Path) -> None:
        self._bin = folder_of_binaries
        self._folder = Path(tempfile.mkdtemp(prefix="loom-pg-"))
        self._count = 0
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._as_user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        self._data = self._folder / "data"
        self._run("initdb", "-D", str(self._data), "-U", "loom", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self._run(
            "pg_ctl", "-D", str(self._data), "-w", "-l", str(self._folder / "log"),
            "-o", f"{_OPTIONS} -c unix_socket_directories='{self._folder}'", "start",
        )  # fmt: skip

    def new_database(self) -> str:
        """The URL of a database with nothing in it."""
        self._count += 1
        name = f"loom{self._count}"
        self._run("createdb", "-h", str(self._folder), "-U", "loom", name)
        return f"postgresql://loom@/{name}?host={self._folder}"

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as_user, str(self._bin / program), *arguments],
            cwd=self._folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr}")
