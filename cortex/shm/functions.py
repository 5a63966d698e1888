"""The function of a task: as it is at hand, or by name and not imported yet."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

_MAIN = ("__main__", "__mp_main__")


@dataclass(frozen=True, slots=True)
class Function:
    """A callable, or the module and qualified name under which one is found. Make it with `of` or `named`."""

    target: Callable[..., Any] | None
    module: str = ""
    qualname: str = ""
    allow: tuple[str, ...] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Function:
        """Raises TypeError when it cannot be called."""
        if not callable(function):
            raise TypeError(f"{function!r} is not a function: it cannot be called")
        return cls(function)

    @classmethod
    def named(cls, module: str, qualname: str, allow: Sequence[str] | None = None) -> Function:
        """A function that is imported only when it is resolved. `allow` lists the modules it may come from, those
        below them included; None allows all. Raises ValueError for a module outside of them and for names that
        cannot lead to a function."""
        for name in (module, qualname):
            if not all(name.split(".")):
                raise ValueError(f"{name!r} is not the name of a function in a module")
        if module in _MAIN:
            raise ValueError(
                f"{qualname!r} belongs to the main script of another program and cannot be found from here"
            )
        if not _within(module, allow):
            raise ValueError(f"{qualname!r} comes from the module {module!r}, which is not among the allowed ones")
        return cls(None, module, qualname, None if allow is None else tuple(allow))

    def resolve(self) -> Callable[..., Any]:
        """The callable, imported if need be. Raises ValueError when the module cannot be imported, has nothing
        callable under the name, or merely passes on what a module outside the allowed ones defines."""
        if self.target is not None:
            return self.target
        try:
            module = importlib.import_module(self.module)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise ValueError(f"the module {self.module!r} of {self.qualname!r} cannot be imported: {reason}") from error
        found: Callable[..., Any] | None = _find(module, self.qualname)
        if not callable(found):
            raise ValueError(f"the module {self.module!r} has no function {self.qualname!r}")
        origin = getattr(found, "__module__", None)
        if not _within(origin, self.allow):
            raise ValueError(f"{self.module}.{self.qualname} is defined in {origin!r}, which is not an allowed module")
        return found

    def address(self) -> tuple[str, str]:
        """Module and qualified name under which another program finds the function. Raises ValueError with the
        reason when there is no such address."""
        if self.target is None:
            return self.module, self.qualname
        module, qualname = _own_name(self.target)
        if not _same(_find(sys.modules.get(module), qualname), self.target):
            raise ValueError(f"{module}.{qualname} cannot be saved: under that name stands something else, or nothing")
        return (_main_module(qualname) if module in _MAIN else module), qualname


def _own_name(target: Callable[..., Any]) -> tuple[str, str]:
    if isinstance(target, partial):
        raise _unsaveable(target, "it is a functools.partial")
    if inspect.ismethod(target) and not isinstance(target.__self__, type):
        raise _unsaveable(target, "it is a method of an instance")
    module, qualname = getattr(target, "__module__", None), getattr(target, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str):
        raise _unsaveable(target, f"this object of the class {type(target).__qualname__} has no name in a module")
    if qualname.split(".")[-1] == "<lambda>":
        raise _unsaveable(target, "it is a lambda")
    if "<locals>" in qualname:
        raise _unsaveable(target, "it is defined inside another function")
    return module, qualname


def _unsaveable(target: object, reason: str) -> ValueError:
    return ValueError(f"{target!r} cannot be saved: {reason}; use a named function at the top level of a module")


def _main_module(qualname: str) -> str:
    """The real name of the module that runs as the main program. It is read, not imported: an import would run it
    a second time."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is None or spec.name in _MAIN:
        raise ValueError(
            f"{qualname!r} cannot be saved: it belongs to the main script, which another program cannot import; "
            f"move it into a module, or start the program with python -m"
        )
    source = getattr(spec.loader, "get_source", lambda _: None)(spec.name)
    if not _defines(source or "", qualname.split(".")[0]):
        raise ValueError(
            f"{qualname!r} cannot be saved: an import of {spec.name!r} does not define it at the top level; "
            f"move it out of the part that only the main program runs"
        )
    return str(spec.name)


def _defines(source: str, name: str) -> bool:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(statement, kinds) and statement.name == name for statement in ast.parse(source).body)


def _find(module: ModuleType | None, qualname: str) -> Any:
    """What stands in the module under the name, reached through classes only (never through another module)."""
    found: Any = module
    for part in qualname.split("."):
        if found is not module and not isinstance(found, type):
            return None
        found = getattr(found, part, None)
    return found


def _same(found: object, target: object) -> bool:
    if inspect.ismethod(found) and inspect.ismethod(target):
        return found.__func__ is target.__func__ and found.__self__ is target.__self__
    return found is target


def _within(module: object, allow: Sequence[str] | None) -> bool:
    return allow is None or (
        isinstance(module, str) and any(module == root or module.startswith(f"{root}.") for root in allow)
    )
