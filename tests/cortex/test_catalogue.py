from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cortex.catalogue import EntryPointCatalogue, load
from cortex.requirements import missing, sentences
from loom.errors import LoomError
from loom.graph.specs import Catalogue, Requirement

ROOT = Path(__file__).parents[2]

GOOD = '''
"""An operator of somebody else."""
from cortex import MediaNode, NodeOptions, OutputKey
from pydantic import Field

class Options(NodeOptions):
    words: frozenset[str] = Field(frozenset({"b", "a"}), description="Which words.")
    sides: tuple[int, ...] = (1, 2)
    share: float = Field(0.5, ge=0, le=1)

class Count(MediaNode[Options]):
    """Counts
    words.

    Those of a list.
    """
    operator = "other.count"
    version = "3"
    kinds = {"text"}
    reads = ("sha256",)
    WORDS = OutputKey("words", int, "How many.")
    def compute(self, ctx, media):
        ctx.output(self.WORDS, len(self.options.words))
'''

BROKEN = """
from cortex import MediaNode, NodeOptions
class WrongName(MediaNode[NodeOptions]):
    operator = "other.something"
    def compute(self, ctx, media): pass
class NoCompute(MediaNode[NodeOptions]):
    operator = "broken.no-compute"
class WrongKind(MediaNode[NodeOptions]):
    operator = "broken.kind"
    kinds = {"picture"}
    def compute(self, ctx, media): pass
class OneString(MediaNode[NodeOptions]):
    operator = "broken.string"
    capabilities = "network"
    def compute(self, ctx, media): pass
class Taken(NodeOptions):
    filter: str = ""
class TakenName(MediaNode[Taken]):
    operator = "broken.taken"
    def compute(self, ctx, media): pass
function = print
"""


@pytest.fixture
def site(tmp_path: Path):
    """Makes distributions in a folder and runs code that has them installed."""

    class Site:
        def add(self, name: str, module: str, source: str, entries: str) -> None:
            (tmp_path / f"{module}.py").write_text(source)
            info = tmp_path / f"{name}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(entries)

        def run(self, code: str) -> str:
            path = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]\n"
            done = subprocess.run(
                [sys.executable, "-c", path + code], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

    return Site()


def test_an_operator_of_another_distribution_works_like_a_built_in_one(site):
    site.add("other", "other_operators", GOOD, "[cortex.operators]\nother.count = other_operators:Count\n")
    out = site.run(
        """
from types import SimpleNamespace
from cortex.catalogue import load
from cortex.node import NodeContext
catalogue = load()
spec = catalogue.spec("other.count")
assert "other.count" in catalogue.ids() and "hash.sha256" in catalogue.ids()
print(spec.version, spec.summary, sorted(spec.kinds), spec.reads, spec.values[0].key, spec.values[0].type)
print(spec.description.splitlines()[-1])
properties = spec.config_schema["properties"]
print(properties["words"]["description"], properties["share"]["minimum"], properties["share"]["maximum"])
config, problems = catalogue.normalise("other.count", {"sides": [3]})
print(config, problems)
print([(p.field, p.message) for p in catalogue.normalise("other.count", {"sides": [1, "x"], "share": 2, "more": 1})[1]])
del config["enabled"]
node = catalogue.create("other.count", config, "counted")
ctx = NodeContext("counted", {})
node.compute(ctx, SimpleNamespace())
print(node.id, ctx.outputs, [p for p in catalogue.problems() if p.distribution == "other"])
"""
    )
    assert out.splitlines() == [
        "3 Counts words. [<Kind.TEXT: 'text'>] ('sha256',) words integer",
        "Those of a list.",
        "Which words. 0 1",
        "{'enabled': True, 'share': 0.5, 'sides': [3], 'words': ['a', 'b']} ()",
        "[('sides.1', 'input should be a valid integer'), ('share', 'input should be less than or equal to 1'), "
        "('more', 'there is no such option')]",
        "counted {'words': 2} []",
    ]


def test_broken_operators_are_problems_and_unknown(site):
    entries = {
        "broken.import": "missing_module:Thing",
        "broken.attribute": "broken_operators:Nothing",
        "broken.name": "broken_operators:WrongName",
        "broken.function": "broken_operators:function",
        "broken.no-compute": "broken_operators:NoCompute",
        "broken.kind": "broken_operators:WrongKind",
        "broken.string": "broken_operators:OneString",
        "broken.taken": "broken_operators:TakenName",
        "broken.exit": "broken_exit:Thing",
    }
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    site.add("broken", "broken_operators", BROKEN, f"[cortex.operators]\n{lines}")
    site.add("exits", "broken_exit", "raise SystemExit(3)", "[other.group]\nx = y:z\n")
    out = site.run(
        """
from cortex.catalogue import load
catalogue = load()
for problem in catalogue.problems():
    if problem.distribution == "broken":
        assert catalogue.spec(problem.operator) is None and catalogue.why_unknown(problem.operator) == str(problem)
        print(problem)
"""
    )
    said = dict(line.split(" of broken: ", 1) for line in out.splitlines())
    assert said.keys() == entries.keys()
    assert "No module named 'missing_module'" in said["broken.import"]
    assert "AttributeError" in said["broken.attribute"]
    assert said["broken.name"].endswith("calls itself 'other.something'")
    assert said["broken.function"].endswith("is not a class derived from MediaNode")
    assert said["broken.no-compute"].endswith("does not define compute()")
    assert "'picture' is not a valid Kind" in said["broken.kind"]
    assert said["broken.string"].endswith("has `capabilities` that are not a collection of str")
    assert "option called 'filter'" in said["broken.taken"]
    assert "SystemExit: 3" in said["broken.exit"]


def test_of_two_distributions_with_the_same_id_the_first_by_name_is_used(site):
    site.add("zebra", "zebra_operators", GOOD, "[cortex.operators]\nother.count = zebra_operators:Count\n")
    site.add("aardvark", "aardvark_operators", GOOD, "[cortex.operators]\nother.count = aardvark_operators:Count\n")
    out = site.run(
        """
import sys
from cortex.catalogue import load
print(*[problem for problem in load().problems() if problem.operator == "other.count"])
print("aardvark_operators" in sys.modules, "zebra_operators" in sys.modules)
"""
    )
    assert out.splitlines() == ["other.count of zebra: aardvark offers this id too and is used", "True False"]


def test_only_what_is_asked_for_is_imported():
    code = """
import sys
from cortex.catalogue import load
catalogue = load()
catalogue.ids()
assert not [name for name in sys.modules if name.startswith("cortex.operators.")]
catalogue.spec("filter.media")
print(sorted(name for name in sys.modules if name.startswith("cortex.operators.")))
print([name for name in ("PIL", "av", "numpy", "pathspec", "fastapi", "sqlalchemy") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    assert done.stdout.splitlines() == [
        "['cortex.operators.fields', 'cortex.operators.filters', 'cortex.operators.filters.kinds']",
        "[]",
    ]


def test_every_operator_of_the_product_works():
    entries = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["cortex.operators"]
    catalogue = load()
    assert set(entries) <= set(catalogue.ids())
    for operator in entries:
        spec = catalogue.spec(operator)
        assert spec is not None, catalogue.why_unknown(operator)
        assert spec.summary.endswith(".")
        assert all(
            "description" in field for name, field in spec.config_schema["properties"].items() if name != "enabled"
        )


def test_the_catalogue_is_one_of_the_sources_of_operators():
    catalogue = Catalogue(EntryPointCatalogue())
    assert catalogue.normalise("filter.media", {"kinds": ["image"]})[0]["kinds"] == ["image"]
    assert catalogue.spec("filter.nothing") is None


@pytest.mark.parametrize("value", [{"mime": [object()]}, {"mime": ["\ud800"]}, {"min_size": 2**80}])
def test_config_that_is_not_plain_data_is_a_problem(value):
    config, problems = load().normalise("filter.media", value)
    assert config == {}
    assert problems


def test_create_says_what_is_wrong():
    with pytest.raises(LoomError) as missing:
        load().create("filter.nothing", {}, "x")
    assert (missing.value.code, missing.value.message) == (
        "REQUIREMENT_MISSING", "the operator 'filter.nothing' is not installed here",
    )  # fmt: skip
    with pytest.raises(LoomError) as wrong:
        load().create("sink.collect", {"collection": 1}, "x")
    assert wrong.value.code == "CONFIG_INVALID"
    with pytest.raises(KeyError):
        load().normalise("filter.nothing", {})


def test_requirements_that_are_missing(tmp_path):
    model = tmp_path / "model.onnx"
    model.write_bytes(b"")
    there = [("package", "json"), ("program", "sh"), ("model", str(model))]
    absent = [("package", "no_such"), ("package", "no_such.part"), ("program", "no-such"), ("model", "/no/such")]
    found = missing(Requirement(kind=kind, name=name) for kind, name in there + absent)
    assert [(one.kind, one.name) for one in found] == absent


def test_packages_that_one_command_brings_are_one_sentence():
    def package(name, **more):
        return Requirement(kind="package", name=name, **more)

    said = sentences(
        [package("a", extra="x"), package("b", extra="x", optional=True), package("c", extra="x"), package("d"),
         Requirement(kind="model", name="/m", install="fetch m"), Requirement(kind="program", name="p")]
    )  # fmt: skip
    assert said == [
        ("the packages a, c are not installed: pip install 'loom-cortex[x]'", False),
        ("the package b is not installed: pip install 'loom-cortex[x]'", True),
        ("the package d is not installed", False),
        ("there is no file /m: fetch m", False),
        ("the program p is not installed", False),
    ]


UNSURE = """
from cortex import MediaNode, NodeOptions
class Raises(MediaNode[NodeOptions]):
    operator = "unsure.raises"
    def compute(self, ctx, media): pass
    def requirements(self): raise RuntimeError("no idea")
class NotMade(MediaNode[NodeOptions]):
    operator = "unsure.not-made"
    def __init__(self, **options): raise SystemExit("never")
    def compute(self, ctx, media): pass
    def requirements(self): return ()
"""


def test_one_that_cannot_tell_what_it_needs_is_a_diagnostic_and_a_line_of_the_doctor(site):
    entries = "unsure.raises = unsure_operators:Raises\nunsure.not-made = unsure_operators:NotMade\n"
    site.add("unsure", "unsure_operators", UNSURE, f"[cortex.operators]\n{entries}")
    out = site.run(
        """
from cortex.catalogue import load
from cortex.cli.describing import described
from cortex.doctor import _operators
from loom.graph.compiler import compile_definition
nodes = [{"id": "files", "operator": "source.filesystem"}]
for name in ("raises", "not-made"):
    operator = {"id": name, "operator": f"unsure.{name}"}
    edge = {"from": {"node": "files"}, "to": {"node": name}}
    graph = {"nodes": [*nodes, operator], "edges": [edge]}
    found = compile_definition({"schema_version": 1, "name": "x", "graph": graph}, load(), lacking="error")
    print([(one.level, one.code, one.node) for one in found.diagnostics])
    print(next(line for line in described(load().spec(f"unsure.{name}"), load()) if "cannot tell" in line).strip())
print([(check.name, check.ok) for check in _operators() if "unsure" in check.name])
"""
    )
    assert out.splitlines() == [
        "[('error', 'REQUIREMENT_MISSING', 'raises')]",
        "unsure.raises cannot tell what it needs: RuntimeError: no idea",
        "[('error', 'REQUIREMENT_MISSING', 'not-made')]",
        "unsure.not-made cannot tell what it needs: SystemExit: never",
        "[('operator unsure.not-made', False), ('operator unsure.raises', False)]",
    ]
