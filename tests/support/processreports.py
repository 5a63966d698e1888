"""What a process pipeline says of itself: a camera whose frames a detector reads, which writes boxes for a sink."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from loom.processes import ProcessEvent, ProcessPipeline, ProcessReader, ProcessStream, ProcessTask

STARTED = 1_795_253_400_123_000
"""2026-11-21T09:30:00.123Z."""


def stream(name: str, writer: str, *readers: str, **more: Any) -> ProcessStream:
    told = {"shape": [480, 640, 3], "dtype": "uint8", "frames": 8, "bytes": 8 * 921_600}
    told["readers"] = [ProcessReader(task=reader) for reader in readers]
    return ProcessStream(name=name, writer=writer, **{**told, **more})


def process_pipeline(run: UUID, **more: Any) -> ProcessPipeline:
    tasks = [
        ProcessTask(name="camera", pid=11, state="RUNNING", cpu_percent=12.5, memory_mib=34.0, writes=["frames"]),
        ProcessTask(name="detector", state="STARTING", reads=["frames"], writes=["boxes"], events=["pause"]),
        ProcessTask(name="sink", pid=13, state="WAITING", cpu_percent=0.0, memory_mib=1.5, restarts=2, reads=["boxes"]),
    ]
    behind = ProcessReader(task="detector", behind=3, skipped=7, blocking=False)
    told: dict[str, Any] = {
        "name": "webcam", "host": "here", "pid": 10, "state": "RUNNING", "started": STARTED, "tasks": tasks,
        "streams": [
            stream("frames", "camera", written=120, bytes_written=120 * 921_600, pressure=37.5, full_waits=4,
                   readers=[behind]),
            stream("boxes", "detector", "sink", shape=[4], dtype="<f4", bytes=128, ended=True),
        ],
        "events": [ProcessEvent(name="pause", pending=2)],
    }  # fmt: skip
    return ProcessPipeline(run=run, **{**told, **more})
