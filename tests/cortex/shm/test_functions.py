from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cortex.shm.functions import Function


class Gadget:
    def turn(self) -> None: ...

    @classmethod
    def make(cls) -> None: ...

    @staticmethod
    def twist() -> None: ...

    def __call__(self) -> None: ...


class SmallGadget(Gadget):
    pass


def work() -> str:
    return "done"


replaced = work


def work() -> str:
    return "done again"


def nested() -> Any:
    def inner() -> None: ...

    return inner


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "gadgetry"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise_here = False\n")
    (folder / "tools.py").write_text(
        "import os\nfrom os import system\nfrom functools import partial\n"
        "def work(): return 42\nnumber = 1\nhalf = partial(work)\n"
        "class Kit:\n    @staticmethod\n    def use(): return 43\n"
    )
    (folder / "broken.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("gadgetry")]:
        del sys.modules[name]


def test_a_callable_is_kept_and_anything_else_refused() -> None:
    assert Function.of(work).resolve() is work
    with pytest.raises(TypeError, match="3 is not a function"):
        Function.of(3)  # type: ignore[arg-type]


def test_a_name_is_imported_only_when_it_is_resolved(package: Path) -> None:
    function = Function.named("gadgetry.tools", "work")
    assert function.address() == ("gadgetry.tools", "work")
    assert "gadgetry" not in sys.modules
    assert function.resolve()() == 42
    assert Function.named("gadgetry.tools", "Kit.use").resolve()() == 43


@pytest.mark.parametrize(
    ("module", "qualname", "said"),
    [
        ("gadgetry.tools", "absent", "has no function 'absent'"),
        ("gadgetry.tools", "number", "has no function 'number'"),
        ("gadgetry.tools", "os.system", "has no function 'os.system'"),
        ("gadgetry.absent", "work", "'gadgetry.absent' of 'work' cannot be imported: ModuleNotFoundError"),
        ("gadgetry.broken", "work", "cannot be imported: ZeroDivisionError: division by zero"),
        ("gadgetry\0", "work", "cannot be imported"),
    ],
)
def test_what_a_name_does_not_lead_to_is_said(package: Path, module: str, qualname: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Function.named(module, qualname).resolve()


@pytest.mark.parametrize(("module", "qualname"), [("", "work"), ("a..b", "work"), (".a", "work"), ("a", "b.")])
def test_what_cannot_be_a_name_is_refused_at_once(module: str, qualname: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a function"):
        Function.named(module, qualname)


def test_a_function_of_somebodys_main_script_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="'work' belongs to the main script of another program"):
        Function.named("__main__", "work")


def test_modules_outside_of_the_allowed_ones_are_refused_before_anything_is_imported(package: Path) -> None:
    for allowed in (["gadgetry"], ["os", "gadgetry.tools"]):
        assert Function.named("gadgetry.tools", "work", allowed).resolve()() == 42
    for name in [name for name in sys.modules if name.startswith("gadgetry")]:
        del sys.modules[name]
    for allowed in ([], ["gadget"], ["gadgetry.tools.work"], ["gadgetry.broken"]):
        with pytest.raises(ValueError, match=r"the module 'gadgetry\.tools', which is not among the allowed ones"):
            Function.named("gadgetry.tools", "work", allowed)
    assert "gadgetry" not in sys.modules


@pytest.mark.parametrize(("qualname", "origin"), [("system", os.name), ("half", "functools"), ("Kit.use.__call__", "")])
def test_an_allowed_module_does_not_pass_on_what_others_define(package: Path, qualname: str, origin: str) -> None:
    function = Function.named("gadgetry.tools", qualname, ["gadgetry"])
    with pytest.raises(ValueError, match=f"is defined in '{origin}|has no function"):
        function.resolve()


def test_functions_at_the_top_level_of_a_module_have_an_address() -> None:
    assert Function.of(textwrap.dedent).address() == ("textwrap", "dedent")
    for function in (work, Gadget, Gadget.twist, Gadget.make, Gadget.turn):
        module, qualname = Function.of(function).address()
        assert module == __name__
        found: Any = sys.modules[__name__]
        for part in qualname.split("."):
            found = getattr(found, part)
        assert found == function


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda: None, "it is a lambda"),
        (nested(), "it is defined inside another function"),
        (partial(work), "it is a functools.partial"),
        (Gadget().turn, "it is a method of an instance"),
        (Gadget(), "this object of the class Gadget has no name in a module"),
        ([].append, "has no name in a module"),
        (replaced, "under that name stands something else"),
        (SmallGadget.make, "under that name stands something else"),
    ],
)
def test_what_another_program_would_not_find_has_no_address(function: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Function.of(function).address()


MAIN = """
import json
from cortex.shm.functions import Function

print("ran", flush=True)

def work(): ...

class Kit:
    def use(self): ...

if __name__ == "__main__":
    def hidden(): ...

    def told(function):
        try:
            return ".".join(Function.of(function).address())
        except ValueError as error:
            return str(error)

    print(json.dumps([told(work), told(Kit.use), told(hidden)]))
"""


def run_main(folder: Path, *arguments: str) -> list[str]:
    """What the program says of its functions; it runs once only."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    greeting, answers = done.stdout.splitlines()
    assert greeting == "ran"
    return list(json.loads(answers))


def test_functions_of_a_main_script_are_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(MAIN)
    for answer in run_main(tmp_path, "script.py"):
        assert "belongs to the main script" in answer
        assert "move it into a module" in answer


def test_functions_of_a_main_module_are_saved_under_its_real_name(tmp_path: Path) -> None:
    (tmp_path / "line").mkdir()
    (tmp_path / "line" / "station.py").write_text(MAIN)
    work, use, hidden = run_main(tmp_path, "-m", "line.station")
    assert (work, use) == ("line.station.work", "line.station.Kit.use")
    assert "an import of 'line.station' does not define it" in hidden
