"""The task functions of the manual of PYTHUSA's pipelines, as they stand there."""

from __future__ import annotations

import time
from typing import Any

import numpy as np


def worker_read(samples: Any, fft: Any) -> None:
    while True:
        frame = samples.read()
        if frame is None:
            time.sleep(0.001)
            continue
        spectrum = np.fft.rfft(frame).astype(np.complex64, copy=False)
        if fft.write(spectrum):
            return


def worker_read_into(samples: Any, fft: Any) -> None:
    frame = np.empty((4096,), dtype=np.float32)
    while True:
        if not samples.read_into(frame):
            time.sleep(0.001)
            continue
        spectrum = np.fft.rfft(frame).astype(np.complex64, copy=False)
        if fft.write(spectrum):
            return


def worker_look(samples: Any, fft: Any) -> None:
    while True:
        frame_view = samples.look()
        if frame_view is None:
            time.sleep(0.001)
            continue
        frame = np.frombuffer(frame_view, dtype=np.float32).reshape((4096,))
        spectrum = np.fft.rfft(frame).astype(np.complex64, copy=False)
        samples.increment()
        if fft.write(spectrum):
            return


def worker_latest(samples: Any) -> None:
    samples.set_blocking(False)
    if not samples.is_blocking():
        latest = samples.look()
        if latest is not None:
            print(np.frombuffer(latest, dtype=np.float32))  # noqa: T201
            samples.increment()
    samples.set_blocking(True)


def worker_write(samples: Any, fft: Any) -> None:
    frame = samples.read()
    if frame is None:
        return
    spectrum = np.fft.rfft(frame).astype(np.complex64, copy=False)
    fft.write(spectrum)


def worker_fill(samples: Any, fft: Any) -> None:
    frame = samples.read()
    if frame is None:
        return
    fft_view = fft.look()
    if fft_view is None:
        return
    spectrum = np.frombuffer(fft_view, dtype=np.complex64).reshape((2049,))
    spectrum[:] = np.fft.rfft(frame).astype(np.complex64, copy=False)
    fft.increment()


def flush_buffer(output: Any) -> None:
    output.write(np.zeros(8, dtype=np.float32))


FRAME = np.arange(4096, dtype=np.float32)


def source(samples: Any) -> None:
    samples.write(FRAME)
