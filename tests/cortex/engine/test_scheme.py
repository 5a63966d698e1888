import pytest
from ingests import MD5, SHA256, THUMBNAIL, definition

from cortex.catalogue import load
from cortex.engine.scheme import Chosen, Scheme, make_scheme
from cortex.operators import Thumbnail
from loom.graph.diagnostics import DefinitionError
from loom.model import Kind


def scheme(*definitions: dict, matched: bool = True, dry_run: bool = False) -> Scheme:
    return make_scheme([Chosen(one, 1, matched) for one in definitions], load(), dry_run=dry_run)


def test_match_counts_only_where_it_chooses() -> None:
    pictures = definition("pictures", SHA256, match={"kinds": ["image"]})
    assert scheme(pictures).lanes[0].match.kinds == {Kind.IMAGE}
    assert scheme(pictures, matched=False).lanes[0].match.kinds == frozenset()


def test_files_are_settled_under_all_that_could_lead_them_elsewhere() -> None:
    plain = definition("plain", SHA256)
    pictures = definition("plain", SHA256, match={"kinds": ["image"]})
    films = definition("plain", SHA256, match={"kinds": ["video"]})
    other = definition("other", MD5)
    settles = [
        scheme(*chosen).settles
        for chosen in ([plain], [pictures], [films], [plain, other], [pictures, other], [other, pictures])
    ]
    assert len(set(settles)) == len(settles)
    assert scheme(plain).settles == scheme(pictures, matched=False).settles == scheme(plain).lanes[0].plan.digest


def test_a_node_that_is_off_is_off_in_the_plan() -> None:
    off = {**THUMBNAIL, "config": {"enabled": False}}
    assert [step.enabled for step in scheme(definition("plain", SHA256, off)).lanes[0].plan.steps] == [True, False]


def test_a_node_that_is_off_for_its_own_reasons_changes_what_files_are_settled_under(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = definition("plain", SHA256, THUMBNAIL)
    on = scheme(plain)
    monkeypatch.setattr(Thumbnail, "is_enabled", lambda self: False)
    off = scheme(plain)
    assert [step.enabled for step in off.lanes[0].plan.steps] == [True, False]
    assert off.settles != on.settles


@pytest.mark.parametrize("error", [SystemExit(3), ValueError("no idea")])
def test_a_node_that_cannot_say_whether_it_is_on_is_a_fault_of_its_pipeline_alone(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def raises(self: Thumbnail) -> bool:
        raise error

    monkeypatch.setattr(Thumbnail, "is_enabled", raises)
    bad, good = Chosen(definition("bad", THUMBNAIL), 1, True), Chosen(definition("good", SHA256), 1, True)
    with pytest.raises(DefinitionError, match="'thumbnail' cannot say whether it is enabled"):
        make_scheme([bad], load(), dry_run=False)
    left_out: list[str] = []
    made = make_scheme([bad, good], load(), dry_run=False, left_out=lambda name, _: left_out.append(name))
    assert (left_out, [lane.plan.pipeline for lane in made.lanes]) == (["bad"], ["good"])


def test_dry_run_comes_from_the_definition_or_the_caller() -> None:
    plain, mute = definition("plain", SHA256), definition("mute", SHA256, dry_run=True)
    assert [lane.plan.dry_run for lane in scheme(plain, mute).lanes] == [False, True]
    assert [lane.plan.dry_run for lane in scheme(plain, mute, dry_run=True).lanes] == [True, True]


def test_a_bad_definition_is_refused() -> None:
    with pytest.raises(DefinitionError):
        scheme(definition("bad", {"id": "x", "operator": "no.such"}))


def test_a_pipeline_that_cannot_be_used_is_left_out_of_several() -> None:
    bad = definition("bad", {"id": "strange", "operator": "hash.nope"})
    chosen = [Chosen(bad, 1, matched=True), Chosen(definition("good", SHA256), 1, matched=True)]
    told: list[str] = []
    scheme = make_scheme(chosen, load(), dry_run=False, left_out=lambda name, error: told.append(name))
    assert [lane.plan.pipeline for lane in scheme.lanes] == ["good"]
    assert [one["name"] for one in scheme.definitions] == ["good"]
    assert told == ["bad"]
    with pytest.raises(DefinitionError):
        make_scheme(chosen, load(), dry_run=False)
    with pytest.raises(DefinitionError):
        make_scheme(chosen[:1], load(), dry_run=False, left_out=lambda name, error: None)
