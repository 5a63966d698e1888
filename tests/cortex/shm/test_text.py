from __future__ import annotations

import sys
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.shm.checking import check
from cortex.shm.declaration import Declaration
from cortex.shm.functions import Function
from cortex.shm.text import from_toml, to_toml


def work(**_: object) -> None: ...


SEED = """
format_version = 1
name = "radar"

[[streams]]
name = "raw adc"
shape = [4096]
dtype = "<f4"

[[events]]
name = "flush"

[[tasks]]
name = "fft"
function_module = "radar.tasks"
function_qualname = "fft"
control_mode = "toggleable"
control_event = "go"

[tasks.reads]
samples = "raw adc"

[tasks.events]
go = "flush"
"""


def radar() -> Declaration:
    declaration = Declaration("radar")
    declaration.add_stream("spectra", shape=(), dtype=">c16", max_bytes=1000, description='per\r\0\x7f\n"line"\\ é線')
    declaration.add_stream(
        "raw/adc", shape=(3, 4), dtype="u1", frames=7, cache_align=False,
        min_reader_pos_refresh_interval=1, min_reader_pos_refresh_s=1e-7,
    )  # fmt: skip
    declaration.add_event("z", initial_state=True)
    declaration.add_event("a", description="opens")
    declaration.add_task("t2", fn=work, reads={"größe": "raw/adc", "b c": "spectra"}, restarts=2, latest=["b c"])
    declaration.add_task(
        "t1", fn=work, writes={"w": "spectra"}, events={"go": "z"}, control="switchable", activate_on="go"
    )
    declaration.add_task("end", fn=None, reads={"r": "spectra"}, control="terminator", description="")
    declaration.excuse("spectra", "t2")
    declaration.excuse("raw/adc", "t2")
    return declaration


def contents(declaration: Declaration) -> object:
    tasks = {
        name: (
            task.function and task.function.address(),
            *(getattr(task, key) for key in task.__slots__ if key != "function"),
        )
        for name, task in declaration.tasks.items()
    }
    return declaration.name, declaration.streams, declaration.events, tasks, declaration.excused


def test_everything_comes_back_and_saving_again_gives_the_same_bytes() -> None:
    text = to_toml(radar())
    restored = from_toml(text)
    assert contents(restored) == contents(radar())
    assert to_toml(restored) == text


def test_the_layout_is_the_documented_one() -> None:
    declaration = Declaration("demo")
    declaration.add_stream("samples", shape=(8,), dtype=np.float32)
    declaration.add_event("flush")
    declaration.add_task("source", fn=Function.named("demo.tasks", "source"), writes={"out": "samples"})
    declaration.add_task("end", fn=None, reads={"samples": "samples"}, control="terminator")
    declaration.excuse("samples", "end")
    assert (
        to_toml(declaration)
        == """\
format_version = 1
name = "demo"

[[streams]]
name = "samples"
shape = [
    8,
]
dtype = "<f4"
frames = 32
cache_align = true
min_reader_pos_refresh_interval = 64
min_reader_pos_refresh_s = 0.005

[[events]]
name = "flush"
initial_state = false

[[tasks]]
name = "end"
control_mode = "terminator"

[tasks.reads]
samples = "samples"

[[tasks]]
name = "source"
function_module = "demo.tasks"
function_qualname = "source"

[tasks.writes]
out = "samples"

[[excused_edges]]
stream = "samples"
task = "end"
"""
    )


def test_what_is_left_out_gets_the_defaults() -> None:
    declaration = from_toml(SEED)
    assert declaration.streams["raw adc"].frames == 32
    assert declaration.streams["raw adc"].min_reader_pos_refresh_s == 0.005
    assert not declaration.events["flush"].initial_state
    assert declaration.tasks["fft"].activate_on == "go"
    assert contents(from_toml('format_version = 1\nname = "empty"\n')) == contents(Declaration("empty"))


def test_a_function_without_an_address_is_refused_with_the_name_of_the_task() -> None:
    declaration = Declaration("d")
    declaration.add_task("half", fn=lambda: None)
    with pytest.raises(ValueError, match=r"task 'half': .* it is a lambda"):
        to_toml(declaration)


def test_loading_imports_nothing_and_the_first_import_is_that_of_the_check() -> None:
    declaration = from_toml(SEED.replace("radar.tasks", "this"))
    assert "this" not in sys.modules
    with pytest.raises(ValueError, match="task 'fft': the module 'this' has no function 'fft'"):
        check(declaration)


def test_only_allowed_modules_are_accepted() -> None:
    for allowed in (["radar"], ["radar.tasks"], ["os", "radar"]):
        assert "fft" in from_toml(SEED, allow=allowed).tasks
    for allowed in ([], ["rad"], ["radar.tasks.deeper"]):
        with pytest.raises(ValueError, match=r"\[\[tasks\]\] number 1 \('fft'\): .*'radar.tasks', which is not among"):
            from_toml(SEED, allow=allowed)
    with pytest.raises(TypeError, match="allow must list modules"):
        from_toml(SEED, allow="radar")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format_version = 1", "", "format_version must be 1, not None"),
        ("format_version = 1", "format_version = 2\nnovelty = 1", "format_version must be 1, not 2"),
        ("format_version = 1", "format_version = true", "format_version must be 1, not True"),
        ('name = "radar"', "", "the document: .*`name`"),
        ('name = "radar"', 'name = "radar"\ncolour = 1', "the document: .*`colour`"),
        ("[[streams]]", "[[stream]]", "the document: .*`stream`"),
        ("[[streams]]", "[streams]", r"the document: .*array.*\$.streams"),
        ('name = "raw adc"', "", r"\[\[streams\]\] number 1: .*`name`"),
        ('dtype = "<f4"', "", r"\[\[streams\]\] number 1 \('raw adc'\): .*`dtype`"),
        ('dtype = "<f4"', 'dtype = "<f4"\ndepth = 3', r"\[\[streams\]\] number 1 \('raw adc'\): .*`depth`"),
        ('dtype = "<f4"', 'dtype = "<f4"\nframes = "3"', r"'raw adc'\): .*int.*\$.frames"),
        ('dtype = "<f4"', 'dtype = "<f4"\nframes = 3\nmax_bytes = 4', "'raw adc': give frames=3 or max_bytes=4"),
        ('dtype = "<f4"', 'dtype = "<f4"\nframes = 0', "'raw adc': frames must be at least 1"),
        ('dtype = "<f4"', 'dtype = "<f4"\nmin_reader_pos_refresh_s = nan', "'raw adc': min_reader_pos_refresh_s"),
        ('dtype = "<f4"', 'dtype = "O"', "'raw adc': .*Python objects"),
        ('dtype = "<f4"', 'dtype = "float33"', "'raw adc': dtype 'float33' is not a dtype"),
        ('dtype = "<f4"', 'dtype = "f4,(bad"', "'raw adc': dtype .* is not a dtype"),
        ('dtype = "<f4"', 'dtype = {base = "f4"}', r"'raw adc', dtype: .*`shape`"),
        ('dtype = "<f4"', "dtype = {fields = []}", r"'raw adc', dtype: .*`itemsize`"),
        (
            'dtype = "<f4"',
            'dtype = {fields = [{name = "a", dtype = "f4"}], itemsize = 4}',
            r"dtype: .*`offset`.*\$.fields",
        ),
        (
            'dtype = "<f4"',
            'dtype = {fields = [{name = "a", dtype = "f4", offset = 9}], itemsize = 4}',
            "is not a dtype",
        ),
        (
            'dtype = "<f4"',
            'dtype = {fields = [{name = "a", dtype = "x4", offset = 0}], itemsize = 4}',
            "field 'a': .*'x4'",
        ),
        ("shape = [4096]", "shape = [4096.0]", r"'raw adc'\): .*int.*\$.shape"),
        ("shape = [4096]", "shape = [0]", "'raw adc': every dimension"),
        (
            'name = "flush"',
            'name = "flush"\ninitial_state = 1',
            r"\[\[events\]\] number 1 \('flush'\): .*initial_state",
        ),
        ('name = "flush"', 'name = "flush"\ndescription = 1979-05-27', r"\('flush'\): .*description"),
        ('name = "fft"', 'name = "fft"\nrestart = 1', r"\[\[tasks\]\] number 1 \('fft'\): .*`restart`"),
        ('name = "fft"', 'name = "fft"\nlatest = ["a", 1]', r"\('fft'\): .*\$.latest"),
        ('"toggleable"', '"sometimes"', r"\('fft'\): .*'sometimes'.*control_mode"),
        ('control_event = "go"', "", r"\('fft'\): control_event is missing"),
        ('control_event = "go"', 'control_event = "x"', "task 'fft': activate_on='x'"),
        ('function_module = "radar.tasks"', "", r"\('fft'\): function_module is missing"),
        ('function_qualname = "fft"', "", r"\('fft'\): function_qualname is missing"),
        ('function_module = "radar.tasks"', 'function_module = "__main__"', r"\('fft'\): .*main script"),
        ('samples = "raw adc"', "samples = 3", r"\('fft'\): .*\$.reads"),
        ("[tasks.reads]", "[tasks.inputs]", r"\('fft'\): .*`inputs`"),
        ("[tasks.reads]", "[[excused_edges]]\nstream = 'x'\n[tasks.reads]", "not a TOML document|excused"),
    ],
)
def test_what_is_wrong_is_refused_with_its_key_and_place(old: str, new: str, said: str) -> None:
    assert old in SEED
    with pytest.raises(ValueError, match=said):
        from_toml(SEED.replace(old, new, 1))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[[excused_edges]]\nstream = 'raw adc'", r"\[\[excused_edges\]\] number 1: .*`task`"),
        ("[[excused_edges]]\nstream = 'raw adc'\ntask = 'x'", "no task is named 'x'"),
        ("[[excused_edges]]\nstream = 'raw adc'\ntask = 'fft'\nwhy = ''", "number 1: .*`why`"),
        ("[[events]]\nname = 'flush'", "the event 'flush' is declared twice"),
        ("x", "not a TOML document: .*line"),
        ("x = " + "[" * 9999, "not a TOML document: .*recursion"),
    ],
)
def test_what_is_added_wrongly_is_refused(more: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        from_toml(f"{SEED}\n{more}\n")


texts = st.text(min_size=1, max_size=8)
plain = st.sampled_from(["u1", "<f4", ">c16", "S3", "<U2", "V5", "<M8[ms]"])


@st.composite
def declarations(draw: st.DrawFn) -> Declaration:
    declaration = Declaration(draw(texts))
    for name in draw(st.sets(texts, max_size=3)):
        names = draw(st.lists(texts, max_size=3, unique=True))
        kind = np.dtype(
            [(f"f{key}", draw(plain), draw(st.lists(st.integers(1, 3), max_size=2).map(tuple))) for key in names]
            or "f4"
        )
        depth = draw(st.sampled_from(["frames", "max_bytes"]))
        declaration.add_stream(
            name,
            shape=draw(st.lists(st.integers(1, 10**20), max_size=3)),
            dtype=kind,
            min_reader_pos_refresh_s=draw(st.floats(0, allow_infinity=False)),
            description=draw(st.none() | st.text()),
            **{depth: draw(st.integers(1, 10**20))},
        )
    for name in draw(st.sets(texts, max_size=2)):
        declaration.add_event(name, initial_state=draw(st.booleans()), description=draw(st.none() | st.text()))
    for name in draw(st.sets(texts, max_size=3)):
        streams = draw(st.lists(texts, max_size=4, unique=True))
        reads = dict(zip(draw(st.lists(texts, max_size=4, unique=True)), streams, strict=False))
        declaration.add_task(
            name, fn=work, reads=reads, events=draw(st.dictionaries(texts, texts, max_size=2)), latest=reads
        )
        for stream in declaration.streams.keys() & set(reads.values()):
            declaration.excuse(stream, name)
    return declaration


@settings(max_examples=60, deadline=None)
@given(declarations())
def test_any_declaration_comes_back(declaration: Declaration) -> None:
    text = to_toml(declaration)
    restored = from_toml(text)
    assert contents(restored) == contents(declaration)
    assert to_toml(restored) == text
    assert tomllib.loads(text)["format_version"] == 1
