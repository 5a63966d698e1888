from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cortex.media.speaker import Heard
from cortex.operators.sound.speech_store import RATE, WINDOW_S, SpeechStore


def heard(time_s: float, samples: Any) -> Heard:
    return Heard(samples=np.asarray(samples, np.float32)[np.newaxis], rate=RATE, layout="mono", time_s=time_s)


def tone(seconds: float) -> Any:
    return np.sin(np.arange(round(seconds * RATE)) / 5) * 0.5


@pytest.mark.slow
def test_what_is_heard_comes_back_as_it_was() -> None:
    store, sound = SpeechStore(600), tone(70.3)
    for at in range(0, len(sound), 1024):
        store.update(heard(2 + at / RATE, sound[at : at + 1024]))
    (window,) = store.windows()
    assert (window.start_s, store.truncated, window.samples.dtype) == (2, False, np.float32)
    assert window.samples == pytest.approx(sound, abs=1e-4)


def test_what_is_missing_is_silence() -> None:
    store = SpeechStore(600)
    store.update(heard(0, tone(1)))
    store.update(heard(41, tone(1)))
    store.update(heard(41.95, tone(1)))
    (window,) = store.windows()
    assert len(window.samples) == 43 * RATE
    assert not window.samples[RATE : 41 * RATE].any()
    assert window.samples[41 * RATE :] == pytest.approx(np.concatenate([tone(1), tone(1)]), abs=1e-4)


def test_no_more_is_kept_than_is_asked_for() -> None:
    store = SpeechStore(50)
    store.update(heard(0, tone(20)))
    store.update(heard(1e9, tone(20)))
    assert (store.seconds, store.truncated) == (50, True)
    store.update(heard(1e9, tone(20)))
    assert sum(len(window.samples) for window in store.windows()) == 50 * RATE


def test_windows_end_where_it_is_quiet() -> None:
    store, sound = SpeechStore(3600), tone(2 * WINDOW_S + 10) * 4
    quiet = WINDOW_S - 12
    sound[quiet * RATE : (quiet + 1) * RATE] = 0
    store.update(heard(5, sound))
    first, second, third = store.windows()
    assert quiet < first.start_s - 5 + len(first.samples) / RATE < quiet + 1
    assert second.start_s == first.start_s + len(first.samples) / RATE
    assert third.start_s + len(third.samples) / RATE == 2 * WINDOW_S + 15
    assert max(len(one.samples) for one in (first, second, third)) <= WINDOW_S * RATE
    assert np.abs(first.samples).max() <= 1


def test_of_nothing_there_are_no_windows() -> None:
    assert list(SpeechStore(10).windows()) == []
