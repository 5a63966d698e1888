"""An ingest from a store that is killed in the middle, and what the next one finds."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from programs import CORTEX, Running, environment, query, until
from stores import s3_server


@pytest.mark.slow
def test_a_killed_ingest_leaves_nothing_that_the_next_does_not_remove(tmp_path: Path, real_images: list[Path]) -> None:
    store = s3_server()
    try:
        for number in range(40):
            store.put(f"/archive/{number:02}.jpg", real_images[number % 4].read_bytes() + bytes([number]))
        store.put("/archive/zz.bin", os.urandom(1 << 20))
        store.hanging.add("/archive/zz.bin")
        source = {"url": "s3://archive", "endpoint_url": store.url, "region": "us-east-1"}
        nodes = [
            {"id": "files", "operator": "source.s3", "config": source},
            {"id": "sha256", "operator": "hash.sha256"},
        ]
        edges = [{"from": {"node": "files"}, "to": {"node": "sha256"}}]
        pipeline = tmp_path / "bucket.json"
        pipeline.write_text(
            json.dumps({"schema_version": 1, "name": "bucket", "graph": {"nodes": nodes, "edges": edges}})
        )
        env = environment(tmp_path, AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret")
        scratch = Path(env["HOME"]) / ".cache/cortex/scratch"
        first = Running(CORTEX, "ingest", "--pipeline", pipeline, "--json", env=env, folder=tmp_path)
        until(lambda: list(scratch.glob("*/*.bin")))
        first.signal(signal.SIGKILL)
        first.process.wait()
        first.leaves_nobody()
        assert list(scratch.iterdir())

        store.hanging.clear()
        done = Running(CORTEX, "ingest", "--pipeline", pipeline, "--json", env=env, folder=tmp_path).wait()
        assert (done.code, done.summary["assets"]["completed"]) == (0, 41)
        assert not scratch.exists()
        assert query(tmp_path / "data", "SELECT count(*), count(DISTINCT asset) FROM locations WHERE state = 0") == [
            (41, 41)
        ]
        store.asked.clear()
        done = Running(CORTEX, "ingest", "--pipeline", pipeline, "--json", env=env, folder=tmp_path).wait()
        assert (done.summary["assets"]["unchanged"], store.reads()) == (41, [])

        watched = Running(CORTEX, "watch", tmp_path, "--pipeline", pipeline, env=env, folder=tmp_path).wait()
        assert (watched.code, "leave out the paths" in watched.err) == (2, True), watched.err
        assert query(tmp_path / "data", "SELECT count(*) FROM sources") == [(0,)]
    finally:
        store.close()
