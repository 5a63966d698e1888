"""What process pipelines tell of themselves."""

from __future__ import annotations

from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import replace
from processreports import STARTED, process_pipeline, stream

from loom.errors import LoomError
from loom.processes import MOST_ERROR, ProcessEvent, ProcessPipelineShape, ProcessReader, ProcessTask
from loom.verbs.processes import MOST_PIPELINES


def code_of(call) -> str:
    with pytest.raises(LoomError) as refused:
        call()
    return refused.value.code


def said(pipeline):
    """As it looks from outside, but for when it was heard of."""
    told = msgspec.to_builtins(pipeline) | {"started": "2026-11-21T09:30:00.123Z", "heard": "", "silent": False}
    return msgspec.convert(told, ProcessPipelineShape)


def test_what_it_says_is_known_as_it_was_said(loom):
    pipeline = process_pipeline(uuid4(), error='half\n"way"')
    loom.report_process_pipeline(pipeline)
    (told,) = loom.process_pipelines()
    assert replace(told, heard="") == said(pipeline)
    assert told.heard > "2020-"
    assert loom.process_pipeline(pipeline.run) == told


def test_what_it_says_later_takes_its_place(loom):
    first = process_pipeline(uuid4())
    loom.report_process_pipeline(first)
    second = replace(first, state="FAILED", error="sink: Traceback …", tasks=[], streams=[], events=[])
    for _ in range(2):
        loom.report_process_pipeline(second)
        assert [replace(one, heard="") for one in loom.process_pipelines()] == [said(second)]
    loom.report_process_pipeline(first)
    assert loom.process_pipeline(first.run).state == "FAILED", "what was said before its end came late"
    loom.report_process_pipeline(replace(second, state="STOPPED"))
    assert loom.process_pipeline(first.run).state == "STOPPED"


def test_the_newest_come_first_and_what_is_forgotten_is_gone(loom):
    runs = [uuid4() for _ in range(3)]
    for run, started in zip(runs, (5, 7, 6), strict=True):
        loom.report_process_pipeline(process_pipeline(run, started=STARTED + started))
    assert [one.run for one in loom.process_pipelines()] == [runs[1], runs[2], runs[0]]
    for _ in range(2):
        loom.forget_process_pipeline(runs[1])
        assert [one.run for one in loom.process_pipelines()] == [runs[2], runs[0]]
    assert code_of(lambda: loom.process_pipeline(runs[1])) == "NOT_FOUND"
    assert loom.pipelines().items == [], "they are pipelines of another kind"


def test_every_name_that_a_person_may_give_is_kept(loom):
    name = 'Kamera "1"/\\ \n\t\0é🚀' + "x" * 300
    task = ProcessTask(name=name, state="RUNNING", reads=[name], writes=[name], events=[name])
    pipeline = process_pipeline(
        uuid4(),
        name=name,
        host=name,
        tasks=[task],
        streams=[stream(name, name, name)],
        events=[ProcessEvent(name=name)],
    )
    loom.report_process_pipeline(pipeline)
    assert replace(loom.process_pipeline(pipeline.run), heard="") == said(pipeline)


def test_of_a_long_error_the_end_is_kept_and_half_characters_are_no_matter(loom):
    long = "x" * 3 * MOST_ERROR + " \udcff the end"
    pipeline = process_pipeline(
        uuid4(), error=long, tasks=[ProcessTask(name="a", state="FAILED", error=long)], streams=[]
    )
    loom.report_process_pipeline(pipeline)
    told = loom.process_pipeline(pipeline.run)
    for error in (told.error, told.tasks[0].error):
        assert len(error) == MOST_ERROR
        assert (error[:2], error[-10:]) == ("…x", " ? the end")


def test_what_is_no_number_was_not_measured(loom):
    task = ProcessTask(name="a", state="RUNNING", cpu_percent=float("nan"), memory_mib=float("inf"))
    loom.report_process_pipeline(process_pipeline(UUID(int=1), tasks=[task], streams=[]))
    (told,) = loom.process_pipeline(UUID(int=1)).tasks
    assert (told.cpu_percent, told.memory_mib) == (None, None)


TASK, EVENT = ProcessTask(name="a", state="RUNNING"), ProcessEvent(name="e")
WRONG = {
    "no name": {"name": ""},
    "long name": {"name": "x" * 501},
    "half a character": {"host": "\udcff"},
    "state": {"state": "RUNS"},
    "pid": {"pid": -1},
    "before its time": {"started": -1},
    "after its time": {"started": 2**62},
    "too many tasks": {"tasks": [replace(TASK, name=f"{n}") for n in range(257)]},
    "too many events": {"events": [ProcessEvent(name=f"{n}") for n in range(257)]},
    "too many streams": {"streams": [stream(f"{n}", "a") for n in range(257)]},
    "too many readers": {"streams": [stream("s", "a", *["a"] * 257)]},
    "two tasks": {"tasks": [TASK, TASK]},
    "two streams": {"streams": [stream("s", "a"), stream("s", "a")]},
    "two events": {"events": [EVENT, EVENT]},
    "two readers": {"streams": [stream("s", "a", "a", "a")]},
    "unknown writer": {"streams": [stream("s", "b")]},
    "unknown reader": {"streams": [stream("s", "a", "b")]},
    "unknown stream": {"tasks": [replace(TASK, reads=["t"])]},
    "unknown event": {"tasks": [replace(TASK, events=["f"])]},
    "pressure": {"streams": [stream("s", "a", pressure=100.5)]},
    "restarts": {"tasks": [replace(TASK, restarts=2**63)]},
    "behind": {"streams": [stream("s", "a", readers=[ProcessReader(task="a", behind=-1)])]},
    "memory": {"tasks": [replace(TASK, memory_mib=-1.0)]},
    "long dtype": {"streams": [stream("s", "a", dtype="x" * 4097)]},
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_out_of_bounds_is_refused(loom, what):
    sound = process_pipeline(uuid4(), tasks=[TASK], streams=[stream("s", "a", "a")], events=[EVENT])
    assert code_of(lambda: loom.report_process_pipeline(replace(sound, **WRONG[what]))) == "REQUEST_INVALID"
    assert loom.process_pipelines() == []
    loom.report_process_pipeline(sound)


def test_there_are_not_too_many_and_one_that_has_ended_makes_room(loom):
    def tell(number, **more):
        loom.report_process_pipeline(process_pipeline(UUID(int=number), tasks=[], streams=[], **more))

    for number in range(MOST_PIPELINES):
        tell(number)
    assert code_of(lambda: tell(1000)) == "REQUEST_INVALID"
    tell(3, state="STOPPED")
    tell(2, state="ENDED")
    tell(1000)
    known = {one.run.int for one in loom.process_pipelines()}
    assert known == {*range(MOST_PIPELINES), 1000} - {3}
