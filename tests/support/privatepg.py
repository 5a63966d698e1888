"""A PostgreSQL server of the tests' own, from the Debian package's programs, on a private socket folder."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from loom.store.database import Database

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=60")
_OPTIONS = [part for setting in _SETTINGS for part in ("-c", setting)]
_EMPTY = """
DO $$ DECLARE one text;
BEGIN
    SET LOCAL session_replication_role = replica;  -- whom a row belongs to is not asked
    FOR one IN SELECT oid::regclass FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    LOOP EXECUTE 'DELETE FROM ' || one; END LOOP;
    PERFORM setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
END $$
"""


def binaries() -> Path | None:
    """The folder with `initdb` and `pg_ctl` of the newest version there is."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")]
    return max(folders, key=lambda folder: float(re.sub(r"[^\d.]", "", folder.parent.name) or 0), default=None)


def until_done() -> Iterator[PrivatePostgreSQL]:
    """The body of a fixture; skips where PostgreSQL is not installed."""
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not tried: its programs are not installed (Debian package postgresql)")
    server = PrivatePostgreSQL(folder)
    yield server
    server.stop()


class PrivatePostgreSQL:
    """Runs until `stop`, or until the process of the tests dies. PostgreSQL refuses to run as root, so root starts it
    as nobody."""

    def __init__(self, folder_of_binaries: Path) -> None:
        self._bin = folder_of_binaries
        self._folder = Path(tempfile.mkdtemp(prefix="loom-pg-"))
        self._count = 0
        self._emptied: tuple[str, psycopg.Connection] | None = None
        self._as_user = ["setpriv", "--pdeathsig=QUIT"]
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._as_user += [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-U", "loom", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        with (self._folder / "log").open("wb") as log:
            self._server = subprocess.Popen(
                self._command("postgres", "-D", str(data), *_OPTIONS, "-c", f"unix_socket_directories={self._folder}"),
                cwd=self._folder, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self._wait()

    def new_database(self) -> str:
        """The URL of a database with nothing in it."""
        self._count += 1
        name = f"loom{self._count}"
        with psycopg.connect(host=str(self._folder), user="loom", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        return f"postgresql://loom@/{name}?host={self._folder}"

    def emptied_database(self) -> str:
        """The URL of a database with Loom's tables, always the same one, emptied at each call: that takes a hundredth
        of the time of a new one. For who needs one at a time."""
        if self._emptied is None:
            url = self.new_database()
            Database.open(url).close()
            self._emptied = url, psycopg.connect(url, autocommit=True)
        url, connection = self._emptied
        connection.execute(_EMPTY)
        return url

    def stop(self) -> None:
        if self._emptied is not None:
            self._emptied[1].close()
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(timeout=60)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        ready = self._command("pg_isready", "-q", "-h", str(self._folder), "-U", "loom", "-d", "postgres")
        deadline = time.monotonic() + 60
        while subprocess.run(ready, env=_ENVIRONMENT, timeout=60).returncode != 0:
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "log").read_text("utf-8", "replace"))
            time.sleep(0.02)

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [*self._as_user, str(self._bin / program), *arguments]

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            self._command(program, *arguments), cwd=self._folder, env=_ENVIRONMENT, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr}")
