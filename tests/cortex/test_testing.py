from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3
from wordoperators import Measure, Send, Total

from cortex.derived import DerivedFile, asset_or_file
from cortex.media import Media
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey, Result
from cortex.operators.pictures.image_quality import ImageQuality
from cortex.outputs import MAX_DEPTH
from cortex.testing import derived, run_operator
from loom.errors import LoomError
from loom.model import Branch, State
from loom.wire.values import object_of


class Options(NodeOptions):
    limit: int = 3


class Probe(MediaNode[Options]):
    """Does a little of everything."""

    operator = "test.probe"
    kinds = frozenset({"text"})
    reads = ("other",)
    needs = ("other",)
    capabilities = frozenset({"effect"})
    WORDS = OutputKey("words", int)

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.calls: list[str] = []

    def open(self) -> None:
        self.calls.append("open")

    def close(self) -> None:
        self.calls.append("close")

    def compute(self, ctx: NodeContext, media: Media) -> None:
        words = media.text().split()
        if "boom" in words:
            raise LoomError("FILE_DAMAGED", "boom")
        ctx.output(self.WORDS, len(words) + ctx.upstream_output("other", "count"))
        ctx.artifact("first", words[0].encode(), "text/plain")
        ctx.effect("tells someone", lambda: self.calls.append(f"told, dry run {ctx.dry_run}"))
        ctx.effect("collects", lambda: ctx.collect("texts"))
        if len(words) > self.options.limit:
            ctx.verdict(Branch.FAIL, "too long")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text"
    path.write_text("one two")
    return path


UPSTREAM = {"other": {"count": 10}}


def test_a_whole_run(text: Path) -> None:
    node = Probe()
    run = run_operator(node, text, upstream=UPSTREAM)
    assert run.outputs == {"words": 12}
    assert run.artifact("first").data == b"one"
    assert (run.state, run.verdict, run.reason) == (State.COMPLETED, Branch.PASS, None)
    assert run.effects == ("tells someone", "collects")
    assert run.collections == ("texts",)
    assert node.calls == ["open", "told, dry run False", "close"]
    with pytest.raises(KeyError):
        run.artifact("second")


def test_a_dry_run_lists_effects_only(text: Path) -> None:
    node = Probe()
    run = run_operator(node, text, upstream=UPSTREAM, dry_run=True)
    assert run.effects == ("tells someone", "collects")
    assert run.collections == ()
    assert node.calls == ["open", "close"]


def test_a_verdict(text: Path) -> None:
    run = run_operator(Probe(limit=1), str(text), upstream=UPSTREAM)
    assert (run.verdict, run.reason) == (Branch.FAIL, "too long")


def test_what_keeps_a_node_from_computing(text: Path, real_image: Path) -> None:
    for node, path, upstream, reason in (
        (Probe(enabled=False), text, UPSTREAM, "DISABLED"),
        (Probe(), text, {}, "MISSING_INPUT"),
        (Probe(), real_image, UPSTREAM, "NOT_PROCESSABLE"),
    ):
        run = run_operator(node, path, upstream=upstream)
        assert (run.state, run.reason, run.outputs, run.verdict) == (State.SKIPPED, reason, {}, None)


def test_failures_are_raised_and_the_node_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("boom")
    node = Probe()
    with pytest.raises(LoomError, match="boom"):
        run_operator(node, path, upstream=UPSTREAM)
    assert node.calls[-1] == "close"
    with pytest.raises(LoomError) as caught:
        run_operator(node, tmp_path / "gone", upstream=UPSTREAM)
    assert caught.value.code == "FILE_VANISHED"


class Oddly(MediaNode[NodeOptions]):
    """Gives a derived file of a type that is none."""

    operator = "test.oddly"
    reads = ()

    def compute(self, ctx: NodeContext, media: Media) -> None:
        ctx.artifact("odd", b"", "JPEG picture")


def test_a_derived_file_has_a_media_type(text: Path) -> None:
    with pytest.raises(LoomError, match="'JPEG picture' is not a media type") as caught:
        run_operator(Oddly(), text)
    assert caught.value.code == "OUTPUT_INVALID"


class Reader(MediaNode[NodeOptions]):
    """Reads a node, and knows the result of some texts."""

    operator = "test.reader"
    reads = ("other",)
    SEEN = OutputKey[object]("seen", object)

    def exists_result(self, ctx: NodeContext, media: Media) -> Result | None:
        return Result({"seen": 7}, Branch.FAIL) if media.text().startswith("known") else None

    def compute(self, ctx: NodeContext, media: Media) -> None:
        ctx.output(self.SEEN, ctx.upstream_output("other", "count"))


def test_a_node_that_is_read_counts_as_skipped_when_its_outputs_are_not_given(text: Path) -> None:
    assert run_operator(Reader(), text).outputs == {"seen": None}
    assert run_operator(Reader(), text, upstream=UPSTREAM).outputs == {"seen": 10}


def test_what_an_operator_knows_need_not_be_computed(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("known")
    run = run_operator(Reader(), tmp_path / "text")
    assert (run.state, run.reason, run.outputs, run.verdict) == (State.SKIPPED, "STORED", {"seen": 7}, Branch.FAIL)


def nested(depth: int) -> object:
    value: object = {}
    for level in range(depth - 1):
        value = [value] if level % 2 else {"[": value}
    return value


def test_outputs_are_nested_no_deeper_than_others_take_them(text: Path) -> None:
    deepest = nested(MAX_DEPTH)
    assert run_operator(Reader(), text, upstream={"other": {"count": deepest}}).outputs == {"seen": deepest}
    object_of(msgspec.Raw(msgspec.json.encode({"seen": deepest})), "Loom takes them.")
    for depth in (MAX_DEPTH + 1, 5000):
        with pytest.raises(LoomError, match="nested more than 99 deep") as refused:
            run_operator(Reader(), text, upstream={"other": {"count": nested(depth)}})
        assert refused.value.code == "OUTPUT_INVALID"
    wide = [["["]] * 200
    assert run_operator(Reader(), text, upstream={"other": {"count": wide}}).outputs == {"seen": wide}


def test_a_known_result_must_be_one_that_can_be_stored() -> None:
    keys = {"x": OutputKey[object]("x", object), "n": OutputKey("n", int)}
    for wrong in (
        Result({"x": object()}), Result({"x": "y" * 70_000}), Result({"x": float("nan")}), Result({"n": "1"}),
        Result({"other": 1}), Result({}, Branch.ERROR), Result({}, "zz"),  # type: ignore[arg-type]
    ):  # fmt: skip
        with pytest.raises(LoomError) as refused:
            wrong.checked(keys)
        assert refused.value.code == "OUTPUT_INVALID"
    assert Result({"n": 1}, "FAIL").checked(keys) == Result({"n": 1}, Branch.FAIL)  # type: ignore[arg-type]


class Careless(MediaNode[NodeOptions]):
    """Gives what it is told to."""

    operator = "test.careless"
    reads = ()
    VALUE = OutputKey[object]("value", object)
    give: Callable[[NodeContext], None]

    def compute(self, ctx: NodeContext, media: Media) -> None:
        self.give(ctx)


def test_an_output_that_the_class_does_not_declare_is_refused(text: Path) -> None:
    node = Careless()
    node.give = lambda ctx: ctx.output(OutputKey("hidden", int), 1)
    with pytest.raises(LoomError, match="'hidden' is not declared") as refused:
        run_operator(node, text)
    assert refused.value.code == "OUTPUT_INVALID"


def test_a_key_of_another_type_does_not_change_what_is_declared(text: Path) -> None:
    node = Reader()
    node.__class__ = type("Strict", (Reader,), {"SEEN": OutputKey("seen", int)})
    with pytest.raises(LoomError, match="not a int"):
        run_operator(node, text, upstream={"other": {"count": "many"}})


def test_a_verdict_is_pass_or_fail(text: Path) -> None:
    node = Careless()
    node.give = lambda ctx: ctx.verdict("FAIL", "as a word")  # type: ignore[arg-type]
    assert run_operator(node, text).verdict is Branch.FAIL
    for wrong in ("zz", None, Branch.ERROR, 7):
        node.give = lambda ctx, wrong=wrong: ctx.verdict(wrong, "x")
        with pytest.raises(LoomError, match="a verdict is PASS or FAIL") as refused:
            run_operator(node, text)
        assert refused.value.code == "OUTPUT_INVALID"


def test_a_derived_file_has_a_name_that_can_be_told(text: Path) -> None:
    node = Careless()
    for wrong in (b"bytes", "", "half \udc80", "a\0b"):
        node.give = lambda ctx, wrong=wrong: ctx.artifact(wrong, b"", "image/png")
        with pytest.raises(LoomError, match="cannot be called"):
            run_operator(node, text)


def test_values_come_in_one_by_one_or_as_a_list(text: Path) -> None:
    assert run_operator(Measure(), text, item="word").outputs == {"place": 0, "length": 4}
    run = run_operator(Measure(), text, items=["a", "word"])
    expected = {"length": [None, 4], "place": [0, 1], "verdicts": ["FAIL", "PASS"]}
    assert (run.outputs, run.verdict) == (expected, Branch.PASS)
    assert run.artifact("word-1").data == b"word"
    assert run_operator(Measure(), text).reason == "MISSING_INPUT"
    assert run_operator(Total(), text, items=[1, 2]).outputs == {"total": 3}
    assert run_operator(Total(), text, items=[]).outputs == {"total": 0}
    assert run_operator(Send(), text, items=["a", "b"], dry_run=True).effects == ("send a", "send b")


class FileReader(MediaNode[NodeOptions]):
    """Reads a derived file."""

    operator = "test.reader"
    reads = ("made",)
    FOUND = OutputKey("found", list)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        found = [ctx.upstream_artifact("made", name) for name in ("file", "other")]
        ctx.output(self.FOUND, [one and [one.name, one.data.decode(), one.media_type] for one in found])
        if ctx.upstream_output("made", "stray"):
            ctx.upstream_artifact("stray", "file")


def test_derived_files_of_earlier_nodes(text: Path) -> None:
    files = {"made": {"file": (b"bytes", "text/plain")}}
    run = run_operator(FileReader(), text, upstream_artifacts=files)
    assert run.outputs == {"found": [["file", "bytes", "text/plain"], None]}
    assert run_operator(FileReader(), text).outputs == {"found": [None, None]}
    with pytest.raises(LoomError, match="does not declare in `reads`"):
        run_operator(FileReader(), text, upstream={"made": {"stray": True}})


class FileLooker(MediaNode[NodeOptions]):
    """Looks at the asset, or at a derived file of text."""

    operator = "test.looker"
    kinds = frozenset({"text"})
    inputs = asset_or_file("text")
    SEEN = OutputKey("seen", list)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        name = ctx.item.name if isinstance(ctx.item, DerivedFile) else None
        ctx.output(
            self.SEEN, [name, media.text(), media.size, media.asset.blake3 == blake3(media.text().encode()).digest()]
        )
        assert not media.changed()


class FileSender(FileLooker):
    """The same beside the workers, where the asset stays what it is."""

    operator = "test.sender"
    capabilities = frozenset({"network"})


def test_a_derived_file_takes_the_place_of_the_asset(text: Path) -> None:
    own = [None, text.read_text(), text.stat().st_size, True]
    assert run_operator(FileLooker(), text).outputs == {"seen": own}
    file = derived("grün".encode(), "text/plain", "note")
    assert run_operator(FileLooker(), text, item=file).outputs == {"seen": ["note", "grün", 5, True]}
    picture = derived(b"\x89PNG\r\n\x1a\n", "image/png")
    assert run_operator(FileLooker(), text, item=picture).reason == "NOT_PROCESSABLE"
    run = run_operator(FileLooker(), text, items=[picture, file, None])
    assert run.outputs == {"seen": [None, ["note", "grün", 5, True], None]}, "those of another kind give nothing"
    assert run_operator(FileSender(), text, item=file).outputs == {"seen": ["note", *own[1:]]}


def test_a_derived_file_is_decoded_on_its_own(text: Path, real_image: Path) -> None:
    data = real_image.read_bytes()
    whole = run_operator(ImageQuality(), real_image).outputs
    assert run_operator(ImageQuality(), text, item=derived(data, "image/jpeg")).outputs == whole
    with pytest.raises(LoomError) as raised:
        run_operator(ImageQuality(), text, item=derived(data[:2000], "image/jpeg"))
    assert raised.value.code == "FILE_TRUNCATED"
