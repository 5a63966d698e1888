from __future__ import annotations

import pytest
from ledgers import begin, definition, opening

from loom.errors import LoomError
from loom.graph.diagnostics import DefinitionError


def test_a_pipeline_is_kept_as_it_was_written(loom):
    saved = loom.save_pipeline(definition(description="all photos", priority=3, enabled=False))
    assert (saved.name, saved.version, saved.priority, saved.enabled) == ("photos", 1, 3, False)
    assert saved.description == "all photos"
    assert saved.definition["graph"]["nodes"][2]["config"] == {"size": 1}
    assert loom.pipeline("photos") == saved


def test_only_a_save_that_changes_something_makes_a_version(loom):
    first = loom.save_pipeline(definition())
    assert loom.save_pipeline(definition(enabled=True, priority=0)) == first
    second = loom.save_pipeline(definition(size=2))
    assert (second.version, second.etag == first.etag) == (2, False)
    assert [v.version for v in loom.pipeline_versions("photos")] == [2, 1]
    assert loom.pipeline("photos", 1) == first


def test_an_old_version_can_be_restored_as_a_new_one(loom):
    first = loom.save_pipeline(definition())
    loom.save_pipeline(definition(size=2))
    restored = loom.restore_pipeline("photos", 1)
    assert (restored.version, restored.definition, restored.etag) == (3, first.definition, first.etag)


def test_someone_elses_change_is_not_overwritten(loom):
    first = loom.save_pipeline(definition())
    second = loom.save_pipeline(definition(size=2), if_match=first.etag)
    assert second.version == 2
    for etag in (first.etag, "other"):
        with pytest.raises(LoomError) as conflict:
            loom.save_pipeline(definition(size=3), if_match=etag)
        assert conflict.value.code == "VERSION_CONFLICT"
    assert loom.save_pipeline(definition(size=3), if_match="*").version == 3
    with pytest.raises(LoomError) as conflict:
        loom.save_pipeline(definition("new"), if_match="*")
    assert conflict.value.code == "VERSION_CONFLICT"


def test_what_someone_else_changed_is_neither_deleted_nor_replaced(loom):
    first = loom.save_pipeline(definition())
    second = loom.save_pipeline(definition(size=2))
    for call in (
        lambda: loom.delete_pipeline("photos", if_match=first.etag),
        lambda: loom.restore_pipeline("photos", 1, if_match=first.etag),
    ):
        with pytest.raises(LoomError) as conflict:
            call()
        assert conflict.value.code == "VERSION_CONFLICT"
    assert loom.pipeline("photos") == second
    third = loom.restore_pipeline("photos", 1, if_match=second.etag)
    assert third.version == 3
    assert loom.restore_pipeline("photos", 2, if_match="*").version == 4
    loom.delete_pipeline("photos", if_match=second.etag)
    for call in (
        lambda: loom.delete_pipeline("photos", if_match="*"),
        lambda: loom.delete_pipeline("photos", if_match=first.etag),
    ):
        with pytest.raises(LoomError) as gone:
            call()
        assert gone.value.code == "NOT_FOUND"


def test_an_invalid_definition_is_refused_with_all_that_is_wrong(loom):
    broken = definition()
    broken["graph"]["edges"].append({"from": {"node": "nowhere"}, "to": {"node": "small"}})
    broken["graph"]["nodes"][2]["config"] = {"size": "big"}
    with pytest.raises(DefinitionError) as refused:
        loom.save_pipeline(broken)
    assert refused.value.code == "DEFINITION_INVALID"
    assert len([d for d in refused.value.diagnostics if d.level == "error"]) == 2
    with pytest.raises(LoomError):
        loom.save_pipeline(definition("events"))
    assert loom.pipelines().items == []


def test_an_unknown_operator_does_not_keep_a_definition_from_being_saved(loom):
    unknown = definition()
    unknown["graph"]["nodes"][2] |= {"operator": "not.here", "config": {}}
    assert loom.save_pipeline(unknown).version == 1


def test_a_deleted_pipeline_leaves_the_versions_that_runs_refer_to(loom):
    begin(loom)
    loom.save_pipeline(definition(size=2))
    loom.delete_pipeline("photos")
    assert loom.pipelines().items == []
    for call in (
        lambda: loom.pipeline("photos"),
        lambda: loom.pipeline("photos", 2),
        lambda: loom.pipeline_versions("photos"),
        lambda: loom.delete_pipeline("photos"),
    ):
        with pytest.raises(LoomError) as gone:
            call()
        assert gone.value.code == "NOT_FOUND"
    assert loom.pipeline("photos", 1).version == 1
    assert loom.runs(pipeline="photos").items[0].version == 1
    assert loom.save_pipeline(definition(size=3)).version == 3


def test_what_a_run_brought_is_stored_under_the_number_that_it_has(loom):
    loom.open_run(opening("own", version=0, definition=definition("own")))
    assert loom.save_pipeline(definition("own")).version == 1
    assert [p.version for p in loom.pipelines().items] == [1]
    loom.open_run(opening("own", version=0, definition=definition("own", size=2)))
    assert loom.pipeline("own").version == 1
    assert loom.save_pipeline(definition("own", size=2)).version == 2


def test_pipelines_come_in_pages_by_name(loom):
    for name in ("c", "a", "b"):
        loom.save_pipeline(definition(name))
    first = loom.pipelines(limit=2)
    rest = loom.pipelines(limit=2, cursor=first.next)
    assert [[p.name for p in page.items] for page in (first, rest)] == [["a", "b"], ["c"]]
    assert rest.next is None
    with pytest.raises(LoomError) as refused:
        loom.pipelines(cursor="garbage")
    assert refused.value.code == "REQUEST_INVALID"
