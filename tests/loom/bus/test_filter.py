from uuid import UUID

import pytest

from loom.bus.filter import EVERYTHING, Filter
from loom.errors import LoomError
from loom.events import NO_RUN, ActionEvent, AssetEvent, DuplicateEvent, NodeEvent, RunEvent, RunHead
from loom.model import asset_uuid

RUN = RunHead(UUID(int=1), "photos", False)
NODE = NodeEvent(0, "sha256", bytes(32), "COMPLETED")
ASSET = AssetEvent(0, bytes(32), "FAILED", ())
BEGUN = RunEvent(0, "STARTED")


def passed(wanted: Filter) -> str:
    letters = "".join(name for name, event in (("n", NODE), ("a", ASSET), ("r", BEGUN)) if wanted.wants(RUN, event))
    return letters + ("p" if wanted.wants_progress(RUN) else "")


@pytest.mark.parametrize(
    ("asked", "passes"),
    [
        ({}, "narp"),
        ({"pipeline": ["photos"]}, "narp"),
        ({"pipeline": ["videos"]}, ""),
        ({"pipeline": ["videos,photos"]}, "narp"),
        ({"run": [str(UUID(int=1))]}, "narp"),
        ({"run": [str(UUID(int=2))]}, ""),
        ({"node": ["sha256"]}, "n"),
        ({"node": ["other"]}, ""),
        ({"status": ["FAILED"]}, "a"),
        ({"status": ["FAILED", "STARTED"]}, "ar"),
        ({"type": ["node", "run"]}, "nr"),
        ({"type": ["progress"]}, "p"),
        ({"type": ["node,progress"], "node": ["sha256"]}, "np"),
        ({"type": ["asset"], "status": ["COMPLETED"]}, ""),
        ({"type": ["none"]}, ""),
        ({"asset": [str(asset_uuid(bytes(32)))]}, "na"),
        ({"asset": [str(UUID(int=9))]}, ""),
        ({"asset": [str(asset_uuid(bytes(32)))], "type": ["node,progress"]}, "np"),
        ({"pipeline": [""], "type": [" "]}, "narp"),
    ],
)
def test_what_passes(asked, passes):
    assert passed(Filter.parse(**asked)) == passes


def test_who_asks_for_no_type_there_is_hears_of_those_that_say_something():
    with pytest.raises(LoomError) as refused:
        Filter.parse(type=["none,hello"])
    assert refused.value.message.endswith("it is one of action, asset, duplicate, node, progress, run.")


def test_no_wishes_are_everything():
    assert Filter.parse() == EVERYTHING
    assert not EVERYTHING.is_nothing
    assert Filter.parse(type=["none"]).is_nothing


@pytest.mark.parametrize(
    "asked",
    [
        {"status": ["completed"]},
        {"type": ["hello"]},
        {"run": ["5"]},
        {"asset": ["5"]},
        {"node": [",".join(map(str, range(200)))]},
    ],
)
def test_wishes_that_cannot_be_meant_are_refused(asked):
    with pytest.raises(LoomError) as refused:
        Filter.parse(**asked)
    assert refused.value.code == "REQUEST_INVALID"


def test_what_happens_outside_of_runs():
    group, deed = (
        DuplicateEvent(0, UUID(int=5), "exact", "PENDING"),
        ActionEvent(0, UUID(int=6), "moved", bytes(32), None, "DONE"),
    )

    def passes(head, **asked):
        wanted = Filter.parse(**asked)
        return [event for event in (group, deed) if wanted.wants(head, event)]

    assert passes(NO_RUN) == [group, deed]
    assert passes(NO_RUN, type=["duplicate"]) == [group]
    assert passes(NO_RUN, type=["action"], status=["DONE,UNDONE"]) == [deed]
    assert passes(NO_RUN, status=["CONFIRMED"]) == []
    assert passes(NO_RUN, asset=[str(asset_uuid(bytes(32)))]) == [deed]
    assert passes(NO_RUN, pipeline=["photos"]) == passes(NO_RUN, run=[str(UUID(int=1))]) == []
    assert passes(NO_RUN, node=["sha256"]) == []
    assert passes(RUN, run=[str(UUID(int=1))], type=["action"]) == [deed]
