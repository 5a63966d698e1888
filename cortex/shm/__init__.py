"""Process pipelines over shared memory: every task a process, every stream a ring of NumPy frames."""

from cortex.shm.errors import EndOfStream, NothingPendingError, ShmError, TaskError
from cortex.shm.event import Event
from cortex.shm.monitor import ProcessMetrics
from cortex.shm.pipeline import Pipeline
from cortex.shm.reader import Frame, FrameInfo, Reader
from cortex.shm.ring import Ring, RingStats
from cortex.shm.writer import Writer

__all__ = [
    "EndOfStream",
    "Event",
    "Frame",
    "FrameInfo",
    "NothingPendingError",
    "Pipeline",
    "ProcessMetrics",
    "Reader",
    "Ring",
    "RingStats",
    "ShmError",
    "TaskError",
    "Writer",
]
